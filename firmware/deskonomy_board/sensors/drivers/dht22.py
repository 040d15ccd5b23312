"""DHT22 (AM2302): hundredths of a degree Celsius, or of a per cent of humidity.

A measurement blocks the board for 25 ms, and a DHT needs two seconds between two of them. So sensors on the same pin
share its measurements.
"""

import time

from deskonomy.compat import TYPE_CHECKING
from dht import DHTBase
from machine import Pin
from micropython import const

if TYPE_CHECKING:
    from collections.abc import Iterator

_REST_MS = const(2000)
_latest = {}  # pin: (time of the measurement, its five bytes or its exception)


def read_sensor(settings: dict) -> "Iterator[int | None]":
    """Yield readings of the quantity that the setting `reads` names, None between two measurements."""
    for data in measure(settings["pin"]):
        if data is None:
            yield None
        elif settings["reads"] == "humidity":
            yield (data[0] << 8 | data[1]) * 10
        else:
            tenths = (data[2] & 127) << 8 | data[3]
            yield -10 * tenths if data[2] & 128 else 10 * tenths


def measure(pin: int) -> "Iterator[bytearray | None]":
    """Yield the five bytes of each measurement of a DHT11 or DHT22, None between two measurements."""
    seen_ms = None
    while True:
        now = time.ticks_ms()
        if pin not in _latest or not 0 <= time.ticks_diff(now, _latest[pin][0]) < _REST_MS:
            dht = DHTBase(Pin(pin))
            try:
                dht.measure()
                _latest[pin] = (now, dht.buf)
            except Exception as error:  # no answer, or a wrong checksum
                _latest[pin] = (now, error)
        measured_ms, data = _latest[pin]
        if measured_ms == seen_ms:
            yield None
            continue
        seen_ms = measured_ms
        if isinstance(data, Exception):
            raise data
        yield data
