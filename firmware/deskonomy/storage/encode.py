"""A city as bytes: all that has to be saved of it, in one step.

Here: residents, roads and ledger as bytes that are few enough for one block of a board's flash. Not here: a city of
such bytes (thaw.py), where they are stored (board/storage.py, a host's state.py), who may then be let go (ledger.py).

The bytes: a mark of the format, whole numbers in a code that is short for small ones, the start of the SHA-256 of both.
Names are numbers too: each is spelled where it comes first, and is its number from then on. What follows from the rest
is left out: what a local would pay, and asks, is what kernel.appraise() makes of its stocks and money.
"""

import hashlib
from array import array

from deskonomy.compat import const, micropython, ptr8, ptr32
from deskonomy.economy import kernel as k

FORMAT = b"deskonomy1\n"
SUM_BYTES = const(8)  # of the SHA-256, at the end
BATCH = const(32)  # numbers that are coded at a time, in at most 160 bytes
_PIECE_BYTES = const(512)
_ROW = const(64)  # names that lie together
_NEVER = const(0x3FFFFFFF)  # kernel.NEVER
OURS = (None, True, False)  # how a road's `ours` is numbered


def freeze(city):
    """The city, its roads and its ledger as bytes. Between ticks only."""
    return b"".join(pieces(city))


def pieces(city):
    """The same as a list of bytes, of at most 512 each: a small memory may have no room for all in one piece."""
    out = []
    write(city, out.append)
    return out


def write(city, put):
    """The same for a memory that has no room for all at all: put(bytes) is called with one after the other."""
    words, ledger = city.words, city.ledger
    out = _Writer(put)
    out.name(city.name)
    out.long(city.seed)
    for names in (city.good_names, city.places, sorted(city.by_hand)):
        out.number(len(names))
        for name in names:
            out.name(name)
    for header in (k.LOCALS, k.PLACES, k.SLOTS, k.MERCHANTS, k.AT_ROADS, k.GOOD_WORDS, k.LOCAL_WORDS):
        out.number(words[header])
    for start, stop in blocks(words):
        out.block(words, start, stop)
    out.number(len(city.baggage))
    for index in sorted(city.baggage):
        out.number(index)
        out.merchant(city.baggage[index], city)
    out.number(0 if ledger is None else 1)
    if ledger is not None:
        out.long(ledger.incarnation)
        out.long(ledger.highest)
        out.number(len(ledger.arrivals))
        for incarnation, sequence, name in ledger.arrivals:
            out.long(incarnation)
            out.long(sequence)
            out.name(name)
    out.number(len(city.roads))
    for name in sorted(city.roads):
        road = city.roads[name]
        wire = ledger is not None and name in ledger.roads
        out.name(name)
        out.number(1 if wire else 0)
        for count in (road.sent, road.received, road.lost, road.refused):
            out.long(count)
        if wire:
            out.number(OURS.index(road.ours))
            out.long(road.sequence)
        for queue in (road.kept(), road.home()) if wire else (road.outbound, road.inbound):
            out.number(len(queue))
            for merchant in queue:
                out.merchant(merchant, city)
    out.end()


def blocks(words):
    """(start, stop) of all words that do not follow from others, once LOCALS, PLACES, SLOTS and MERCHANTS are known."""
    merchants = words[k.MERCHANTS]
    yield k.PRIME_LOCALS, k.HEADER_WORDS
    yield words[k.AT_ROADS], words[k.AT_ODDS]
    yield words[k.AT_GOODS], words[k.AT_PRICES]
    for good in range(words[k.GOODS]):
        column = words[k.AT_PRICES] + good * words[k.SLOTS]
        yield column, column + words[k.LOCALS] + merchants
        column += words[k.AT_ASKS] - words[k.AT_PRICES] + words[k.LOCALS]
        yield column, column + merchants
    for local in range(words[k.LOCALS]):
        record = words[k.AT_LOCALS] + local * words[k.LOCAL_WORDS]
        yield record, record + k.REST
        yield record + k.LOCAL_ROWS, record + k.LOCAL_ROWS + 3 * words[k.GOODS]  # STOCK, VALUE, PATIENCE
    yield words[k.AT_MERCHANTS], words[k.AT_MERCHANTS] + merchants * words[k.MERCHANT_WORDS]


class _Writer:
    """Numbers, names and merchants as bytes, for put(): what thaw.Reader reads."""

    def __init__(self, put):
        self._put = put
        self._sum = hashlib.sha256()
        self._piece = bytearray(_PIECE_BYTES)
        self._piece[: len(FORMAT)] = FORMAT
        self._at = len(FORMAT)
        self._batch = array("i", bytes(4 * BATCH))
        self._count = 0  # numbers in the batch
        self._names = [[]]  # rows of them: a small memory may have no room for one long list

    def number(self, number):
        """A whole number below 2 ** 31."""
        self._batch[self._count] = number
        self._count += 1
        if self._count == BATCH:
            self._end_batch()

    def long(self, number):
        """A whole number below 2 ** 60."""
        self.number(number & 0x3FFFFFFF)
        self.number(number >> 30)

    def name(self, name):
        """A name, or "" for none."""
        number = 1
        for row in self._names:
            if name in row:
                self.number(number + row.index(name))
                return
            number += _ROW
        if len(self._names[-1]) == _ROW:
            self._names.append([])
        self._names[-1].append(name)
        raw = name.encode()
        self.number(0)
        self.number(len(raw))
        for byte in raw:
            self.number(byte)

    def merchant(self, merchant, city):
        """A Merchant. Its incarnation, if it has an id, is the city's."""
        self.name(merchant.good or "")
        self.number(merchant.money_mills)
        self.number(merchant.capacity)
        self.number(merchant.owned)
        self.number(0 if merchant.id is None else 1)
        if merchant.id is not None:
            self.long(merchant.id[1])
        # First what the city knows too, since that needs no names; 0 for no price.
        rows = sorted(merchant.rows())
        others = sum([len(cities) for _, cities, _ in rows])
        goods = [good for good, _, _ in rows]
        for good in city.good_names:
            _, cities, begin = rows[goods.index(good)] if good in goods else (good, (), 0)
            for place in city.places:
                known = place in cities
                self.number(1 + merchant.mills[begin + cities.index(place)] if known else 0)
                others -= known
        self.number(others)
        for good, cities, begin in rows if others else ():
            for at, place in enumerate(cities, begin):
                if good not in city.good_names or place not in city.places:
                    self.name(good)
                    self.name(place)
                    self.number(merchant.mills[at])

    def block(self, words, start, stop):
        """The words from start to stop."""
        self._end_batch()
        self._code(words, start, stop)

    def end(self):
        """Put out what is left, and the checksum."""
        self._end_batch()
        self._cut()
        self._put(self._sum.digest()[:SUM_BYTES])

    def _end_batch(self):
        if self._count:
            self._piece[self._at] = self._count
            self._at += 1
            self._code(self._batch, 0, self._count)
            self._count = 0

    def _code(self, words, start, stop):
        while start < stop:
            end = min(start + BATCH, stop)
            self._at = _pack(words, start, end, self._piece, self._at)
            start = end
            if self._at + 5 * BATCH >= _PIECE_BYTES:
                self._cut()

    def _cut(self):
        piece = bytes(memoryview(self._piece)[: self._at])
        self._sum.update(piece)
        self._put(piece)
        self._at = 0


# A number's first byte says how many follow it: from 0 on none (7 bits), from 0x80 on one (14), from 0xC0 on two (21),
# from 0xE0 on three (28); 0xFF is four. 0xF0 to 0xF6 are 1 to 7 times 0, 0xF8 to 0xFE as many times NEVER.
@micropython.viper
def _pack(words, at: int, end: int, out, to: int) -> int:
    """Code words[at:end], none of them negative, into out from `to` on. Returns where that ends."""
    w = ptr32(words)
    b = ptr8(out)
    while at < end:
        value = w[at]
        at += 1
        if value == 0 or value == _NEVER:
            code = 0xF0 if value == 0 else 0xF8
            last = code + 6
            while at < end and code < last and w[at] == value:
                code += 1
                at += 1
            b[to] = code
        elif value < 0x80:
            b[to] = value
        elif value < 0x4000:
            b[to] = 0x80 | value >> 8
            b[to + 1] = value & 255
            to += 1
        elif value < 0x200000:
            b[to] = 0xC0 | value >> 16
            b[to + 1] = value >> 8 & 255
            b[to + 2] = value & 255
            to += 2
        else:
            if value < 0x10000000:
                b[to] = 0xE0 | value >> 24
            else:
                b[to] = 0xFF
                to += 1
                b[to] = value >> 24
            b[to + 1] = value >> 16 & 255
            b[to + 2] = value >> 8 & 255
            b[to + 3] = value & 255
            to += 3
        to += 1
    return to
