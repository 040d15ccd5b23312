"""DHT22 (AM2302): hundredths of a degree Celsius, or of a per cent of humidity.

One measurement keeps the board for 25 ms, and a DHT wants two seconds from one to the next. So sensors that share one,
by their pin, share its measurements.
"""

import time

from dht import DHTBase
from machine import Pin
from micropython import const

_REST_MS = const(2000)
_latest = {}  # pin: (when it was measured, its five bytes or the error that came instead)


def readings(settings):
    for data in measurements(settings["pin"]):
        if data is None:
            yield None
        elif settings["reads"] == "humidity":
            yield (data[0] << 8 | data[1]) * 10
        else:
            tenths = (data[2] & 127) << 8 | data[3]
            yield -10 * tenths if data[2] & 128 else 10 * tenths


def measurements(pin):
    """Yield the five bytes of each measurement of a DHT11 or DHT22, None while it rests."""
    seen = None
    while True:
        now = time.ticks_ms()
        if pin not in _latest or not 0 <= time.ticks_diff(now, _latest[pin][0]) < _REST_MS:
            dht = DHTBase(Pin(pin))
            try:
                dht.measure()
                _latest[pin] = (now, dht.buf)
            except Exception as error:  # no answer, or a checksum that is wrong
                _latest[pin] = (now, error)
        at, data = _latest[pin]
        if at == seen:
            yield None
            continue
        seen = at
        if isinstance(data, Exception):
            raise data
        yield data
