"""Runs on MicroPython and CPython alike: times a merchant's way to a line and back, `codec.py FOLDER...`."""

import gc
import sys

from answers import look_in, serve, ticks_diff, ticks_us

look_in(sys.argv[1:])

from deskonomy.economy.merchant import Merchant  # noqa: E402
from deskonomy.wire.codec import decode, encode  # noqa: E402 - found only now

# One that knows four goods in four cities, as the tutorial shows one: a line of some 500 bytes.
CITIES = ("PORTSVILLE", "RIVERWOOD", "SEASIDE", "WINTERHOLD")
GOODS = ("bed", "chair", "thread", "wood")
PRICES_MILLS = {
    good: {city: 31_897 // (1 + row) + column for column, city in enumerate(CITIES)} for row, good in enumerate(GOODS)
}
MERCHANT = Merchant("chair", money_mills=1_211_480, owned=3, prices_mills=PRICES_MILLS, id=(123_456_789, 42))


def spent_us(work, value, count):
    """Microseconds that one of so many work(value) takes."""
    gc.collect()
    before = ticks_us()
    for _ in range(count):
        work(value)
    return ticks_diff(ticks_us(), before) / count


def answer(count):
    """Microseconds to encode and to decode one merchant: (encode_us, decode_us, bytes of the line)."""
    line = b"".join(encode(MERCHANT))
    return spent_us(encode, MERCHANT, count), spent_us(decode, line, count), len(line)


serve(answer)
