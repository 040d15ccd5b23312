"""DHT11: hundredths of a degree Celsius, or of a per cent of humidity; the chip measures whole ones (or tenths)."""

from deskonomy.compat import TYPE_CHECKING
from deskonomy_board.sensors.drivers.dht22 import measure

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_sensor(settings: dict) -> "Iterator[int | None]":
    """Yield readings of the quantity that the setting `reads` names, None between two measurements."""
    for data in measure(settings["pin"]):
        if data is None:
            yield None
        elif settings["reads"] == "humidity":
            yield data[0] * 100 + data[1] * 10
        else:
            hundredths = data[2] * 100 + (data[3] & 127) * 10
            yield -hundredths if data[3] & 128 else hundredths
