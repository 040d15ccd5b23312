"""The strength of the Wi-Fi in dBm, which needs no wiring; -100 while there is none."""

import network


def readings(settings):
    station = network.WLAN(network.STA_IF)
    while True:
        yield station.status("rssi") if station.isconnected() else -100
