"""DHT11: hundredths of a degree Celsius, or of a per cent of humidity; the chip measures whole ones (or tenths).

Its datasheet gives the range: 5 to 95 %, -20 to 60 degrees.
"""

from deskonomy.compat import TYPE_CHECKING
from deskonomy_board.sensors.drivers.dht22 import measure, reject

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_sensor(settings: dict) -> "Iterator[int | None]":
    """Yield readings of the quantity that the setting `reads` names, None between two measurements."""
    for data in measure(settings["pin"]):
        if data is None:
            yield None
            continue
        humidity = data[0] * 100 + data[1] * 10
        temperature = (data[2] * 100 + (data[3] & 127) * 10) * (-1 if data[3] & 128 else 1)
        # A DHT22's answer, for example, has more than nine tenths.
        if data[1] > 9 or data[3] & 127 > 9 or not (500 <= humidity <= 9500 and -2000 <= temperature <= 6000):
            reject(data)
        yield humidity if settings["reads"] == "humidity" else temperature
