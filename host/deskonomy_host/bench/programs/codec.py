"""Runs on MicroPython and CPython: measures encoding and decoding a merchant, `codec.py FOLDER...`."""

import gc
import sys

from answers import add_module_folders, serve, ticks_diff, ticks_us

add_module_folders(sys.argv[1:])

from deskonomy.economy.merchant import Merchant  # noqa: E402
from deskonomy.wire.codec import decode_merchant, encode_merchant  # noqa: E402 - found only now

# It knows four goods in four cities, as in the tutorial's example: a line of some 500 bytes.
CITIES = ("PORTSVILLE", "RIVERWOOD", "SEASIDE", "WINTERHOLD")
GOODS = ("bed", "chair", "thread", "wood")
PRICES_MILLS = {
    good: {city: 31_897 // (1 + row) + column for column, city in enumerate(CITIES)} for row, good in enumerate(GOODS)
}
MERCHANT = Merchant("chair", money_mills=1_211_480, owned=3, prices_mills=PRICES_MILLS, id=(123_456_789, 42))


def spent_us(work, value, count):
    """Return the microseconds of one work(value), as a mean of `count`."""
    gc.collect()
    before = ticks_us()
    for _ in range(count):
        work(value)
    return ticks_diff(ticks_us(), before) / count


def answer(count):
    """Return (encode_us, decode_us, bytes of the line) of one merchant."""
    line = b"".join(encode_merchant(MERCHANT))
    return spent_us(encode_merchant, MERCHANT, count), spent_us(decode_merchant, line, count), len(line)


serve(answer)
