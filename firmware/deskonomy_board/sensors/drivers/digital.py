"""A pin that is low (0) or high (1): a motion sensor, a switch, a module's DO."""

from machine import Pin

PULLS = {"up": Pin.PULL_UP, "down": Pin.PULL_DOWN, None: None}


def readings(settings):
    pin = Pin(settings["pin"], Pin.IN, PULLS[settings.get("pull")])
    while True:
        yield pin.value()
