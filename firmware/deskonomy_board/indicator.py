"""The board's own light: the price of a good, or trouble.

Here: an LED or a NeoPixel, and its signals. Not here: prices (deskonomy/status.py), what counts as trouble (main.py).

Normally the light follows the mean price of one good between the lowest and the highest since the start. An LED flashes
every two seconds, for a short time where the good is cheap, for a long one where it is dear. A NeoPixel goes from green
to red. In trouble either of them flashes five times a second, a NeoPixel in blue.
"""

import asyncio

from deskonomy.compat import TYPE_CHECKING
from deskonomy.events import INDICATOR_FAILED
from deskonomy.status import summarize_prices_mills
from machine import Pin
from micropython import const

if TYPE_CHECKING:
    from collections.abc import Callable

    from deskonomy.economy.city import City

_PERIOD_MS = const(2000)
_FLASH_MS_MIN = const(100)  # at the lowest price
_TROUBLE_PERIOD_MS = const(200)
_BRIGHTNESS = const(24)  # of 255: a NeoPixel is bright on a desk


async def drive_indicator(
    settings: dict,
    city: "City",
    is_in_trouble: "Callable[[], bool]",
    log: "Callable[[str, str], None]",
) -> None:
    """Drive the light for ever; if its pin cannot have a light, log that and return.

    Args:
        settings: {"kind": "led" or "neopixel", "pin": number, "good": name of the good; the first one if absent}.
        city: The city that has the prices.
        is_in_trouble: Returns whether the board is in trouble.
        log: Called with an event and a line of text.
    """
    try:
        light = _Led(settings["pin"]) if settings["kind"] == "led" else _NeoPixel(settings["pin"])
    except Exception as error:  # the city goes on without a light
        log(INDICATOR_FAILED, "no light on pin %d: %s" % (settings["pin"], error))
        return
    good = settings.get("good", city.good_names[0])
    low = high = None
    while True:
        price = summarize_prices_mills(city, good)[1]
        low = price if low is None else min(low, price)
        high = price if high is None else max(high, price)
        lit_ms, dark_ms, level = choose_flash(is_in_trouble(), price - low, high - low)
        light.switch_on(level)
        await asyncio.sleep_ms(lit_ms)
        if dark_ms:
            light.switch_off()
            await asyncio.sleep_ms(dark_ms)


def choose_flash(is_in_trouble: bool, above: int, span: int) -> "tuple[int, int, int | None]":
    """Return the next flash as (lit ms, dark ms, level); level is in thousandths from cheap to dear, None in trouble.

    Args:
        is_in_trouble: Whether the board is in trouble.
        above: The price above the lowest price, in mills.
        span: The highest price above the lowest price, in mills.
    """
    if is_in_trouble:
        return _TROUBLE_PERIOD_MS // 2, _TROUBLE_PERIOD_MS // 2, None
    level = above * 1000 // span if span else 500
    lit_ms = _FLASH_MS_MIN + (_PERIOD_MS - 2 * _FLASH_MS_MIN) * level // 1000
    return lit_ms, _PERIOD_MS - lit_ms, level


class _Led:
    def __init__(self, pin):
        self._pin = Pin(pin, Pin.OUT)

    def switch_on(self, level):
        self._pin.value(1)

    def switch_off(self):
        self._pin.value(0)


class _NeoPixel:
    """A NeoPixel stays lit between flashes, because its colour is the signal; it is dark between them in trouble."""

    def __init__(self, pin):
        from neopixel import NeoPixel

        self._light = NeoPixel(Pin(pin, Pin.OUT), 1)
        self._flashes = True

    def switch_on(self, level):
        self._flashes = level is None
        if level is None:
            self._set_colour((0, 0, _BRIGHTNESS))
        else:
            self._set_colour((_BRIGHTNESS * level // 1000, _BRIGHTNESS * (1000 - level) // 1000, 0))

    def switch_off(self):
        if self._flashes:
            self._set_colour((0, 0, 0))

    def _set_colour(self, colour):
        self._light[0] = colour
        self._light.write()
