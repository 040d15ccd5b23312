"""Stands in for the ESP32's `network`: a station on loopback, in the air that the simulator defines.

The air is {"networks": {name: password}, or null for any; "address", "gateway": of the station and its gateway;
"join_ms": the time until a station joins or fails; "deaf": nothing is received although the station is connected;
"busy": the driver refuses to connect}. Switching the radio off and on cures the last two.

Here: a station that joins a network in reach if the password is right, and that may lose it. It never reconnects by
itself, as config(reconnects=0) demands. As on an ESP32, the reason of a failure stays the status until there is another
one, or until the station has joined.
"""

import time

import hardware

STA_IF = 0
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_IDLE = 1000
STAT_CONNECTING = 1001
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
    _active = False  # these are of the class because there is only one radio, as on a board
    _ssid = None  # of the network that it is on, or tries to join
    _password = None
    _since = None  # begin of the attempt to join; None without one
    _joined = False
    _reason = 0  # of the latest failure
    _cured = False  # whether the radio was switched off and on since the trouble began

    def __init__(self, id=STA_IF):
        if id != STA_IF:
            raise ValueError("invalid WLAN interface identifier")

    def active(self, value=None):
        if value is None:
            return WLAN._active
        WLAN._active = bool(value)
        if not value:
            self.disconnect()
            WLAN._cured = True

    def connect(self, ssid=None, password=None):
        if not WLAN._active:
            raise OSError("Wifi Not Started")
        if WLAN._since is not None or (hardware.read("air")["busy"] and not WLAN._cured):
            raise OSError("Wifi Internal Error")
        WLAN._ssid = ssid
        WLAN._password = password
        WLAN._since = time.ticks_ms()

    def disconnect(self):
        WLAN._ssid = WLAN._since = None
        WLAN._joined = False

    def isconnected(self):
        return self.status() == STAT_GOT_IP

    def status(self, name=None):
        if name == "rssi":
            return hardware.read("rssi")
        if name is not None:
            raise ValueError("unknown status param")
        air = hardware.read("air")
        if not (air["deaf"] or air["busy"]):
            WLAN._cured = False
        reason = 0
        if not (air["networks"] is None or WLAN._ssid in air["networks"]):
            reason = STAT_NO_AP_FOUND
        elif air["networks"] is not None and air["networks"][WLAN._ssid] != WLAN._password:
            reason = STAT_WRONG_PASSWORD
        if WLAN._since is not None and time.ticks_diff(time.ticks_ms(), WLAN._since) >= air["join_ms"]:
            WLAN._since = None
            WLAN._joined = not reason
            WLAN._reason = reason
        elif WLAN._joined and reason == STAT_NO_AP_FOUND:
            WLAN._joined = False
            WLAN._reason = reason
        if WLAN._joined:
            return STAT_GOT_IP
        return WLAN._reason or (STAT_IDLE if WLAN._since is None else STAT_CONNECTING)

    def ipconfig(self, *args):
        air = hardware.read("air")
        if args == ("addr4",):
            return (air["address"] if self.isconnected() else "0.0.0.0", "255.0.0.0")
        if args == ("gw4",):  # no machine answers at 255.255.255.255
            return "255.255.255.255" if air["deaf"] and not WLAN._cured else air["gateway"]
        raise ValueError("unknown config param")

    def config(self, name=None, **settings):
        if name == "ssid":
            return WLAN._ssid or ""
        if name is not None or "ssid" in settings:
            raise ValueError("unknown config param")
