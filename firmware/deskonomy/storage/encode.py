"""A city as bytes: everything that a checkpoint saves of it, taken at one moment.

Here: residents, roads and ledger as bytes, few enough for one block of a board's flash. Not here: the reverse
(decode.py), where the bytes are stored (deskonomy_board/checkpoints.py, the host's runtime/store.py), which merchants a
checkpoint permits to leave (roads/ledger.py).

The bytes are a line with the format and the software, whole numbers in a variable-length code, and the start of the
SHA-256 of both. A new format has a new number, and adds its fields at the end. A name is a number, too: 0 and its
spelling where it first occurs, later its position among all names so far, from 1. Numbers that follow from others are
left out: kernel.appraise() computes buy_below, sell_from and asks from stocks and money.
"""

import hashlib
from array import array

from deskonomy.compat import TYPE_CHECKING, const, micropython, ptr8, ptr32
from deskonomy.economy import kernel as k
from deskonomy.version import SOFTWARE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deskonomy.economy.city import City
    from deskonomy.economy.merchant import Merchant

MARK = b"deskonomy"  # the start of the first line; the format's number follows
FORMAT = const(2)  # 1 is that of 0.1.0, which states no software
CHECKSUM_BYTES = const(8)  # of the SHA-256, at the end
BATCH_MAX = const(32)  # numbers that are encoded at a time, in at most 160 bytes
_PIECE_BYTES = const(512)
_NAME_ROW = const(64)  # names in one list
_NEVER = const(0x3FFFFFFF)  # kernel.NEVER


def encode_city(city: "City") -> bytes:
    """Return the city, its roads and its ledger as bytes. Only between two ticks."""
    return b"".join(encode_pieces(city))


def encode_pieces(city: "City") -> "list[bytes]":
    """Return the same as a list of pieces of at most 512 bytes: a small memory may have no room for one block."""
    pieces = []
    write_city(city, pieces.append)
    return pieces


def write_city(city: "City", put: "Callable[[bytes], object]") -> None:
    """Call put() with each piece: a small memory may have no room for all pieces."""
    state, ledger = city.state, city.ledger
    writer = _Writer(put)
    writer.write_name(city.name)
    writer.write_long(city.seed)
    for names in (city.good_names, city.places, sorted(city.overrides)):
        writer.write_number(len(names))
        for name in names:
            writer.write_name(name)
    for header in (k.LOCALS, k.PLACES, k.SLOTS, k.MERCHANTS, k.AT_ROADS, k.GOOD_SIZE, k.LOCAL_SIZE):
        writer.write_number(state[header])
    for start, stop in iterate_blocks(state):
        writer.write_block(state, start, stop)
    writer.write_number(len(city.baggage))
    for index in sorted(city.baggage):
        writer.write_number(index)
        writer.write_merchant(city.baggage[index], city)
    writer.write_number(0 if ledger is None else 1)
    if ledger is not None:
        writer.write_long(ledger.incarnation)
        writer.write_long(ledger.highest_sequence)
        writer.write_number(len(ledger.arrivals))
        for incarnation, sequence, name, _ in ledger.arrivals:
            writer.write_long(incarnation)
            writer.write_long(sequence)
            writer.write_name(name)
    writer.write_number(len(city.roads))
    for name in sorted(city.roads):
        _write_road(writer, city, name)
    _write_additions(writer, city)
    writer.finish()


def _write_additions(writer: "_Writer", city: "City") -> None:
    """Write what format 2 has added."""
    ledger = city.ledger
    if ledger is not None:
        for arrival in ledger.arrivals:
            writer.write_number(arrival[3])
        writer.write_number(len(ledger.former))
        for name, sequence in ledger.former:
            writer.write_name(name)
            writer.write_long(sequence)
        for name in sorted(ledger.roads):
            writer.write_number(1 if ledger.roads[name].proven else 0)


def _write_road(writer: "_Writer", city: "City", name: str) -> None:
    road = city.roads[name]
    wire_road = None if city.ledger is None else city.ledger.roads.get(name)
    writer.write_name(name)
    writer.write_number(0 if wire_road is None else 1)
    for count in (road.sent, road.received, road.lost, road.rejected):
        writer.write_long(count)
    queues = road.outbound, road.inbound
    if wire_road is not None:
        writer.write_number(wire_road.peer_state)
        writer.write_long(wire_road.sequence)
        queues = wire_road.list_kept(), wire_road.list_returning()
    for queue in queues:
        writer.write_number(len(queue))
        for merchant in queue:
            writer.write_merchant(merchant, city)


def iterate_blocks(state: "array[int]") -> "Iterator[tuple[int, int]]":
    """Yield (start, stop) of all parts of the array that are saved.

    The others follow from them and from LOCALS, PLACES, SLOTS and MERCHANTS.
    """
    merchants = state[k.MERCHANTS]
    yield k.PRIME_LOCALS, k.HEADER_SIZE
    yield state[k.AT_ROADS], state[k.AT_ODDS]
    yield state[k.AT_GOODS], state[k.AT_PRICES]
    for good in range(state[k.GOODS]):
        column = state[k.AT_PRICES] + good * state[k.SLOTS]
        yield column, column + state[k.LOCALS] + merchants
        column += state[k.AT_ASKS] - state[k.AT_PRICES] + state[k.LOCALS]
        yield column, column + merchants
    for local in range(state[k.LOCALS]):
        record = state[k.AT_LOCALS] + local * state[k.LOCAL_SIZE]
        yield record, record + k.REST
        yield record + k.LOCAL_ROWS, record + k.LOCAL_ROWS + 3 * state[k.GOODS]  # stock, value, patience
    yield state[k.AT_MERCHANTS], state[k.AT_MERCHANTS] + merchants * state[k.MERCHANT_SIZE]


class _Writer:
    """Encodes numbers, names and merchants, and calls put() with pieces of bytes; decode.py has the reader."""

    def __init__(self, put: "Callable[[bytes], object]") -> None:
        self._put = put
        self._checksum = hashlib.sha256()
        self._piece = bytearray(_PIECE_BYTES)
        head = b"%s%d %s\n" % (MARK, FORMAT, SOFTWARE.encode())
        self._piece[: len(head)] = head
        self._at = len(head)
        self._batch = array("i", bytes(4 * BATCH_MAX))
        self._count = 0  # numbers in the batch
        self._name_rows: list[list[str]] = [[]]  # a small memory may have no room for one long list

    def write_number(self, number: int) -> None:
        """Write a whole number below 2 ** 31."""
        self._batch[self._count] = number
        self._count += 1
        if self._count == BATCH_MAX:
            self._end_batch()

    def write_long(self, number: int) -> None:
        """Write a whole number below 2 ** 60."""
        self.write_number(number & 0x3FFFFFFF)
        self.write_number(number >> 30)

    def write_name(self, name: str) -> None:
        """Write a name; "" stands for no name."""
        number = 1
        for row in self._name_rows:
            if name in row:
                self.write_number(number + row.index(name))
                return
            number += _NAME_ROW
        if len(self._name_rows[-1]) == _NAME_ROW:
            self._name_rows.append([])
        self._name_rows[-1].append(name)
        raw = name.encode()
        self.write_number(0)
        self.write_number(len(raw))
        for byte in raw:
            self.write_number(byte)

    def write_merchant(self, merchant: "Merchant", city: "City") -> None:
        """Write a merchant. The incarnation of its id, if it has an id, is the city's."""
        self.write_name(merchant.good or "")
        self.write_number(merchant.money_mills)
        self.write_number(merchant.capacity)
        self.write_number(merchant.owned)
        self.write_number(0 if merchant.id is None else 1)
        if merchant.id is not None:
            self.write_long(merchant.id[1])
        # First the prices of goods and places that the city has, which need no names: 1 + price, or 0 for no price.
        rows = sorted(merchant.iterate_prices())
        others = sum([len(cities) for _, cities, _ in rows])
        goods = [good for good, _, _ in rows]
        for good in city.good_names:
            _, cities, begin = rows[goods.index(good)] if good in goods else (good, (), 0)
            for place in city.places:
                known = place in cities
                self.write_number(1 + merchant.flat_prices_mills[begin + cities.index(place)] if known else 0)
                others -= known
        self.write_number(others)
        for good, cities, begin in rows if others else ():
            for at, place in enumerate(cities, begin):
                if good not in city.good_names or place not in city.places:
                    self.write_name(good)
                    self.write_name(place)
                    self.write_number(merchant.flat_prices_mills[at])

    def write_block(self, state: "array[int]", start: int, stop: int) -> None:
        """Write state[start:stop]."""
        self._end_batch()
        self._encode(state, start, stop)

    def finish(self) -> None:
        """Put the last piece, and the checksum."""
        self._end_batch()
        self._put_piece()
        self._put(self._checksum.digest()[:CHECKSUM_BYTES])

    def _end_batch(self) -> None:
        if self._count:
            self._piece[self._at] = self._count
            self._at += 1
            self._encode(self._batch, 0, self._count)
            self._count = 0

    def _encode(self, numbers: "array[int]", start: int, stop: int) -> None:
        while start < stop:
            end = min(start + BATCH_MAX, stop)
            self._at = pack_numbers(numbers, start, end, self._piece, self._at)
            start = end
            if self._at + 5 * BATCH_MAX >= _PIECE_BYTES:
                self._put_piece()

    def _put_piece(self) -> None:
        piece = bytes(memoryview(self._piece)[: self._at])
        self._checksum.update(piece)
        self._put(piece)
        self._at = 0


# The first byte of a number states how many bytes follow: none from 0 on (7 bits of value in all), one from 0x80 on (14
# bits), two from 0xC0 on (21 bits), three from 0xE0 on (28 bits), four at 0xFF. 0xF0 to 0xF6 are 1 to 7 times the
# number 0, 0xF8 to 0xFE are 1 to 7 times NEVER.
@micropython.viper
def pack_numbers(numbers: object, at: int, end: int, data: object, to: int) -> int:
    """Encode numbers[at:end], none of them negative, into data from `to` on. Return where the code ends."""
    source = ptr32(numbers)
    target = ptr8(data)
    while at < end:
        value = source[at]
        at += 1
        if value == 0 or value == _NEVER:
            code = 0xF0 if value == 0 else 0xF8
            last = code + 6
            while at < end and code < last and source[at] == value:
                code += 1
                at += 1
            target[to] = code
        elif value < 0x80:
            target[to] = value
        elif value < 0x4000:
            target[to] = 0x80 | value >> 8
            target[to + 1] = value & 255
            to += 1
        elif value < 0x200000:
            target[to] = 0xC0 | value >> 16
            target[to + 1] = value >> 8 & 255
            target[to + 2] = value & 255
            to += 2
        else:
            if value < 0x10000000:
                target[to] = 0xE0 | value >> 24
            else:
                target[to] = 0xFF
                to += 1
                target[to] = value >> 24
            target[to + 1] = value >> 16 & 255
            target[to + 2] = value >> 8 & 255
            target[to + 3] = value & 255
            to += 3
        to += 1
    return to
