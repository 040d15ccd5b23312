"""The temperature of the chip itself, in hundredths of a degree Celsius. It needs no wiring."""

from deskonomy.compat import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

esp32 = __import__("esp32")  # by its name as text: the stubs of each chip lack one of both functions


def read_sensor(settings: dict) -> "Iterator[int]":
    """Yield readings of the temperature."""
    is_celsius = hasattr(esp32, "mcu_temperature")  # an ESP32 has only the other function, in Fahrenheit
    while True:
        yield round(esp32.mcu_temperature() * 100) if is_celsius else (esp32.raw_temperature() - 32) * 500 // 9
