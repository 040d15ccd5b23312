"""DHT22 (AM2302): hundredths of a degree Celsius, or of a per cent of humidity.

Its datasheet gives the range: 0 to 100 %, -40 to 80 degrees. A negative temperature has the sign in its highest bit, or
is a two's complement, depending on the maker; the highest four bits tell which (they are 8, or 15).

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
            continue
        humidity = data[0] << 8 | data[1]
        temperature = data[2] << 8 | data[3]
        if temperature >> 12 == 8:
            temperature = -(temperature & 0xFFF)
        elif temperature >> 15:
            temperature -= 65536
        # Five zeros have a correct checksum, and are what a data wire at ground sends.
        if humidity > 1000 or not (any(data) and -400 <= temperature <= 800):
            reject(data)
        yield 10 * (humidity if settings["reads"] == "humidity" else temperature)


def reject(data: "bytes | bytearray") -> None:
    """Raise OSError for an answer that the sensor cannot give."""
    raise OSError("impossible answer " + data.hex())


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
