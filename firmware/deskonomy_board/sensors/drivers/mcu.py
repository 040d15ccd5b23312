"""The temperature of the chip itself, in hundredths of a degree Celsius. It needs no wiring.

An ESP32 has one byte of degrees Fahrenheit. Its later revisions have no sensor, and always read 128; 0 and 255 are the
ends of the byte. Other chips measure from -40 to 125 degrees Celsius.
"""

from deskonomy.compat import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

esp32 = __import__("esp32")  # by its name as text: the stubs of each chip lack one of both functions


def read_sensor(settings: dict) -> "Iterator[int]":
    """Yield readings of the temperature."""
    is_celsius = hasattr(esp32, "mcu_temperature")  # an ESP32 has only the other function, in Fahrenheit
    while True:
        raw = esp32.mcu_temperature() if is_celsius else esp32.raw_temperature()
        if not is_celsius and raw == 128:
            raise OSError("this chip has no thermometer, it reads 128")
        if not (-40 <= raw <= 125 if is_celsius else 0 < raw < 255):
            raise OSError("impossible answer %s" % raw)
        yield round(raw * 100) if is_celsius else (raw - 32) * 500 // 9
