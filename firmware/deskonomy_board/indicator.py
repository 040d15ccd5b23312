"""The board's own light: what a good costs, or that something is wrong.

Here: an LED or a NeoPixel, and what it says. Not here: prices (deskonomy/status.py).

While all is well, the light follows the mean price of one good, between the lowest and the highest since the start. An
LED beats every two seconds, a short flash where the good is cheap, a long one where it is dear. A NeoPixel goes from
green to red. In trouble either flashes five times a second, a NeoPixel in blue.
"""

import asyncio

from deskonomy.status import prices_mills
from machine import Pin
from micropython import const

_BEAT_MS = const(2000)
_SHORT_MS = const(100)  # a flash that is as cheap as it gets
_FLICKER_MS = const(200)
_BRIGHT = const(24)  # of 255: these lights are bright on a desk


async def show(settings, city, in_trouble, log=print):
    """Show that, for ever; not at all if there can be no light at the pin, which the log says.

    settings: {"kind": "led" or "neopixel", "pin": number, "good": whose price, or none}. in_trouble(): whether it is.
    """
    try:
        light = _Led(settings["pin"]) if settings["kind"] == "led" else _NeoPixel(settings["pin"])
    except Exception as error:  # the city goes on without it
        log("no light on pin %d: %s" % (settings["pin"], error))
        return
    good = settings.get("good", city.good_names[0])
    low = high = None
    while True:
        price = prices_mills(city, good)[1]
        low = price if low is None else min(low, price)
        high = price if high is None else max(high, price)
        lit_ms, dark_ms, level = moment(in_trouble(), price - low, high - low)
        light.on(level)
        await asyncio.sleep_ms(lit_ms)
        if dark_ms:
            light.off()
            await asyncio.sleep_ms(dark_ms)


def moment(in_trouble, above, span):
    """(lit ms, dark ms, level) of one flash. level: thousandths of the way from cheap to dear, None in trouble."""
    if in_trouble:
        return _FLICKER_MS // 2, _FLICKER_MS // 2, None
    level = above * 1000 // span if span else 500
    lit_ms = _SHORT_MS + (_BEAT_MS - 2 * _SHORT_MS) * level // 1000
    return lit_ms, _BEAT_MS - lit_ms, level


class _Led:
    def __init__(self, pin):
        self._pin = Pin(pin, Pin.OUT)

    def on(self, level):
        self._pin.value(1)

    def off(self):
        self._pin.value(0)


class _NeoPixel:
    """Stays lit between beats, for its colour says all; in trouble it flashes."""

    def __init__(self, pin):
        from neopixel import NeoPixel

        self._light = NeoPixel(Pin(pin, Pin.OUT), 1)
        self._flashes = True

    def on(self, level):
        self._flashes = level is None
        if level is None:
            self._show((0, 0, _BRIGHT))
        else:
            self._show((_BRIGHT * level // 1000, _BRIGHT * (1000 - level) // 1000, 0))

    def off(self):
        if self._flashes:
            self._show((0, 0, 0))

    def _show(self, colour):
        self._light[0] = colour
        self._light.write()
