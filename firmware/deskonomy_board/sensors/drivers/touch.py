"""How long a touch pin takes to charge. A finger makes it less on an ESP32, more on an S2 or S3; a C3 has none."""

from machine import Pin, TouchPad


def readings(settings):
    pad = TouchPad(Pin(settings["pin"]))
    while True:
        yield pad.read()
