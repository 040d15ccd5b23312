"""A city from the bytes that encode.py has made of it.

Here: decoding them, also those of older formats, and rejecting bytes that are damaged, of another city or of a newer
format. Not here: their format (encode.py), where they are stored. A board needs this module only at its start, and
unloads it.
"""

import hashlib
from array import array

from deskonomy.compat import TYPE_CHECKING, const, micropython, ptr8, ptr32
from deskonomy.economy import kernel as k
from deskonomy.economy import layout
from deskonomy.economy.city import City
from deskonomy.economy.goods import GOODS
from deskonomy.economy.merchant import Merchant
from deskonomy.errors import InvalidCheckpointError
from deskonomy.roads.ledger import Ledger
from deskonomy.roads.road import CAPACITY, Road
from deskonomy.roads.wire_road import WireRoad
from deskonomy.storage.encode import BATCH_MAX, CHECKSUM_BYTES, FORMAT, MARK, iterate_blocks
from deskonomy.version import SOFTWARE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deskonomy.economy.city import Engine
    from deskonomy.economy.goods import Good

_NEVER = const(0x3FFFFFFF)  # kernel.NEVER
# {format: function of (reader, city) that reads what this format has added at the end}. For bytes of an older format
# the reader is None, and the function gives the city what such a city needs. This is the only list of migrations.
_ADDITIONS: "dict[int, Callable[[_Reader | None, City], None]]" = {}


class NewerFormatError(InvalidCheckpointError):
    """A later version of deskonomy has saved the city, in a format that this one does not know. Never replace it."""


def decode_city(
    data: bytes,
    name: "str | None" = None,
    goods: "Sequence[Good] | None" = None,
    merchants_max: "int | None" = None,
    engine: "Engine" = k,
) -> City:
    """Return the city of these bytes, with the digest, the roads and the ledger that it had.

    All roads are down: wire roads as after a restart, where a merchant that has left may be under way; local roads
    until roads.local.connect() replaces them.

    Args:
        data: the result of encode_city().
        name: the name that the city must have; None for any.
        goods, merchants_max, engine: as for City. Everything else is as it was saved.

    Raises:
        NewerFormatError: the bytes are of a newer format.
        InvalidCheckpointError: the bytes are damaged, or of a city with another name or other goods.
    """
    number = read_format(data)
    end = len(data) - CHECKSUM_BYTES
    begin = data.find(b"\n") + 1
    if end < begin or hashlib.sha256(data[:end]).digest()[:CHECKSUM_BYTES] != data[end:]:
        raise InvalidCheckpointError("damaged: its checksum is wrong")
    goods = goods or GOODS
    reader = _Reader(data, begin)
    saved_name = reader.read_name()
    if name not in (None, saved_name):
        raise InvalidCheckpointError("of %s, not of %s" % (saved_name, name))
    seed = reader.read_long()
    saved_goods, places, overrides = [reader.read_names() for _ in range(3)]
    good_names = [good.name for good in goods]
    if saved_goods != good_names:
        raise InvalidCheckpointError("of a city with %s, not %s" % (", ".join(saved_goods), ", ".join(good_names)))
    state = _read_state(reader, goods, merchants_max or 0, engine)
    city = City.from_state(saved_name, seed, state, good_names, places, merchants_max, engine)
    city.overrides.update(overrides)
    for _ in range(reader.read_number()):
        index = reader.read_number()
        city.baggage[index] = reader.read_merchant(city)
    if reader.read_number():
        city.ledger = _read_ledger(reader)
    for _ in range(reader.read_number()):
        city.open_road(_read_road(reader, city))
    for added in sorted(_ADDITIONS):
        _ADDITIONS[added](reader if number >= added else None, city)
    return city


def read_format(data: bytes) -> int:
    """Return the number of the format of a saved city; FORMAT is the current one.

    Raises:
        NewerFormatError: the format is newer.
        InvalidCheckpointError: the bytes do not begin as those of a saved city.
    """
    number, _, software = data[len(MARK) : max(0, data.find(b"\n"))].partition(b" ")
    if data[: len(MARK)] != MARK or not number.isdigit() or int(number) < 1:
        raise InvalidCheckpointError("not a city that deskonomy has saved")
    if int(number) > FORMAT:
        name = "".join([chr(byte) for byte in software if 32 < byte < 127])
        later = "deskonomy " + name if name else "a later deskonomy"
        text = "of format %s, by %s; deskonomy %s reads formats up to %d"
        raise NewerFormatError(text % (number.decode(), later, SOFTWARE, FORMAT))
    return int(number)


def _read_state(reader: "_Reader", goods: "Sequence[Good]", merchants_max: int, engine: "Engine") -> "array[int]":
    locals_, places, slots, merchants = [reader.read_number() for _ in range(4)]
    state = layout.create_state(len(goods), locals_, places, slots)
    for header in (k.AT_ROADS, k.GOOD_SIZE, k.LOCAL_SIZE):
        if state[header] != reader.read_number():
            raise InvalidCheckpointError("of another version of deskonomy")
    layout.write_goods(state, goods, {})
    state[k.MERCHANTS] = merchants
    for start, stop in iterate_blocks(state):
        reader.read_block(state, start, stop)
    for local in range(locals_):
        engine.appraise(state, local)
    if locals_ + merchants_max > slots:
        state = layout.grow_state(state, places, locals_ + merchants_max)
    return state


def _read_ledger(reader: "_Reader") -> Ledger:
    ledger = Ledger(reader.read_long(), False)
    ledger.highest_sequence = reader.read_long()
    ledger.arrivals = [
        (reader.read_long(), reader.read_long(), reader.read_name(), 0) for _ in range(reader.read_number())
    ]
    ledger.saved_arrivals = ledger.arrivals[:]
    return ledger


def _read_additions(reader: "_Reader | None", city: City) -> None:
    """Read what format 2 has added; without it no peer is known to have a key."""
    ledger = city.ledger
    if reader is not None and ledger is not None:
        ledger.arrivals = [arrival[:3] + (reader.read_number(),) for arrival in ledger.arrivals]
        ledger.saved_arrivals = ledger.arrivals[:]
        ledger.former = [(reader.read_name(), reader.read_long()) for _ in range(reader.read_number())]
        for name in sorted(ledger.roads):
            ledger.roads[name].proven = bool(reader.read_number())


_ADDITIONS[2] = _read_additions


def _read_road(reader: "_Reader", city: City) -> Road:
    name = reader.read_name()
    is_wire = reader.read_number()
    counts = [reader.read_long() for _ in range(4)]
    if is_wire:
        road = city.ledger.ensure_road(name, CAPACITY)
        road.restore(reader.read_number(), reader.read_long())
    else:
        road = Road(name)
        road.state = "down"
    road.sent, road.received, road.lost, road.rejected = counts
    for queue in (road.outbound, road.inbound):
        queue.extend([reader.read_merchant(city) for _ in range(reader.read_number())])
    if isinstance(road, WireRoad) and not road.outbound:
        road.settled_sequence = road.sequence
    return road


class _Reader:
    """Decodes numbers, names and merchants, from a place in bytes whose checksum is right."""

    def __init__(self, data: bytes, begin: int) -> None:
        self._data = data
        self._at = begin
        self._batch = array("i", bytes(4 * BATCH_MAX))
        self._count = self._next = 0
        self._names: list[str] = []

    def read_number(self) -> int:
        if self._next == self._count:
            self._count = self._data[self._at]
            self._at = unpack_numbers(self._data, self._at + 1, self._batch, 0, self._count)
            self._next = 0
        self._next += 1
        return self._batch[self._next - 1]

    def read_long(self) -> int:
        low = self.read_number()
        return self.read_number() << 30 | low

    def read_name(self) -> str:
        number = self.read_number()
        if number == 0:
            self._names.append(bytes([self.read_number() for _ in range(self.read_number())]).decode())
        return self._names[number - 1]

    def read_names(self) -> "list[str]":
        return [self.read_name() for _ in range(self.read_number())]

    def read_merchant(self, city: City) -> Merchant:
        good = self.read_name() or None
        money_mills = self.read_number()
        capacity = self.read_number()
        owned = self.read_number()
        id = (city.ledger.incarnation, self.read_long()) if self.read_number() else None
        known = {}
        for name in city.good_names:
            for place in city.places:
                price = self.read_number()
                if price:
                    known.setdefault(name, {})[place] = price - 1
        for _ in range(self.read_number()):
            prices = known.setdefault(self.read_name(), {})
            place = self.read_name()
            prices[place] = self.read_number()
        return Merchant(good, money_mills, capacity, owned, known, id)

    def read_block(self, state: "array[int]", start: int, stop: int) -> None:
        self._at = unpack_numbers(self._data, self._at, state, start, stop)


@micropython.viper
def unpack_numbers(data: object, at: int, numbers: object, to: int, end: int) -> int:
    """Decode numbers[to:end] from data from `at` on: see encode.pack_numbers(). Return where the code ends."""
    source = ptr8(data)
    target = ptr32(numbers)
    while to < end:
        value = source[at]
        following = 0  # bytes of this number that follow
        if value >= 0xF0 and value < 0xFF:
            repeat = value & 7
            value = 0 if value < 0xF8 else _NEVER
            while repeat > 0 and to + 1 < end:
                target[to] = value
                to += 1
                repeat -= 1
        elif value >= 0xE0:
            following = 3 if value < 0xFF else 4
            value = value & 15 if value < 0xFF else 0
        elif value >= 0xC0:
            following = 2
            value &= 0x1F
        elif value >= 0x80:
            following = 1
            value &= 0x3F
        at += 1
        while following > 0:
            value = value << 8 | source[at]
            at += 1
            following -= 1
        target[to] = value
        to += 1
    return at
