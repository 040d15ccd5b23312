"""Stands in for the ESP32's `network`: a station that joins whatever it is told to join, at once, on loopback."""

import hardware

STA_IF = 0
STAT_IDLE = 1000
STAT_GOT_IP = 1010

_name = "mpy-esp32"


def hostname(name=None):
    global _name
    if name is None:
        return _name
    if len(name) > 32:
        raise ValueError
    _name = name


class WLAN:
    _active = False  # these two belong to the one radio, as on a board
    _ssid = None

    def __init__(self, interface_id=STA_IF):
        if interface_id != STA_IF:
            raise ValueError("invalid WLAN interface identifier")

    def active(self, is_active=None):
        if is_active is None:
            return WLAN._active
        WLAN._active = bool(is_active)
        if not is_active:
            WLAN._ssid = None

    def connect(self, ssid=None, password=None, *, bssid=None):
        if not WLAN._active:
            raise OSError("Wifi Not Started")
        WLAN._ssid = ssid

    def disconnect(self):
        WLAN._ssid = None

    def isconnected(self):
        return WLAN._ssid is not None

    def status(self, param=None):
        if param == "rssi" and self.isconnected():
            return hardware.read("rssi")
        if param is not None:
            raise ValueError("unknown status param")
        return STAT_GOT_IP if self.isconnected() else STAT_IDLE

    def ifconfig(self):
        address = "127.0.0.1" if self.isconnected() else "0.0.0.0"
        return (address, "255.0.0.0", address, address)

    def ipconfig(self, *args):
        if args != ("addr4",):
            raise ValueError("unknown config param")
        return self.ifconfig()[:2]

    def config(self, param=None, **kwargs):
        if param in ("ssid", "essid"):
            return WLAN._ssid or ""
        if param is not None or "ssid" in kwargs:
            raise ValueError("unknown config param")
