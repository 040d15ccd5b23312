"""A voltage on an analog pin: light, a potentiometer, soil. 0 to 4095."""

from deskonomy.compat import TYPE_CHECKING
from machine import ADC, Pin

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_sensor(settings: dict) -> "Iterator[int]":
    """Yield readings of the voltage, 0 at ground to 4095 near 3.3 V."""
    adc = ADC(Pin(settings["pin"]), atten=ADC.ATTN_11DB)
    while True:
        yield adc.read()
