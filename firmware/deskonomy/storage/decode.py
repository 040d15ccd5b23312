"""A city of the bytes that checkpoint.py made of it.

Here: reading them, and refusing what cannot be read whole. Not here: what they are (checkpoint.py), where they are
stored. A board needs this once, at its start, and lets go of it.
"""

import hashlib
from array import array

from deskonomy.compat import const, micropython, ptr8, ptr32
from deskonomy.economy import kernel as k
from deskonomy.economy import layout as birth
from deskonomy.economy.city import City
from deskonomy.economy.goods import GOODS
from deskonomy.economy.merchant import Merchant
from deskonomy.errors import InvalidCheckpointError
from deskonomy.roads.ledger import Ledger
from deskonomy.roads.road import ROOM, Road
from deskonomy.storage import encode as checkpoint

_NEVER = const(0x3FFFFFFF)  # kernel.NEVER


def thaw(data, name=None, goods=None, merchants_max=None, engine=k):
    """The City that these bytes hold, with its digest, its roads and its ledger. Raises InvalidCheckpointError.

    name: what it has to be called, None for anything. goods, merchants_max, engine: as City has them; all else is as it
    was saved. Its roads are down: those over the wire as after a restart (whoever left may have set out), those inside
    a process until lane.connect() takes them over.
    """
    end = len(data) - checkpoint.SUM_BYTES
    if data[: len(checkpoint.FORMAT)] != checkpoint.FORMAT:
        raise InvalidCheckpointError("not a city that deskonomy has saved")
    if end < len(checkpoint.FORMAT) or hashlib.sha256(data[:end]).digest()[: checkpoint.SUM_BYTES] != data[end:]:
        raise InvalidCheckpointError("damaged: its checksum is wrong")
    saved = _Reader(data)
    its_name = saved.name()
    if name not in (None, its_name):
        raise InvalidCheckpointError("of %s, not of %s" % (its_name, name))
    city = City(its_name, saved.long(), 0, 0, goods, {}, merchants_max, engine)
    its_goods, city.places, by_hand = [[saved.name() for _ in range(saved.number())] for _ in range(3)]
    if its_goods != city.good_names:
        raise InvalidCheckpointError("of a city with %s, not %s" % (", ".join(its_goods), ", ".join(city.good_names)))
    city.by_hand = set(by_hand)
    city.words = _words(saved, goods or GOODS, merchants_max or 0, engine)
    for _ in range(saved.number()):
        index = saved.number()
        city.baggage[index] = saved.merchant(city)
    if saved.number():
        _ledger(saved, city)
    for _ in range(saved.number()):
        city.open_road(_road(saved, city))
    return city


def _words(saved, goods, merchants_max, engine):
    locals_, places, slots, merchants = [saved.number() for _ in range(4)]
    words = birth.lay_out(len(goods), locals_, places, slots)
    for header in (k.AT_ROADS, k.GOOD_WORDS, k.LOCAL_WORDS):
        if words[header] != saved.number():
            raise InvalidCheckpointError("of another version of deskonomy")
    birth.write_goods(words, goods, {})
    words[k.MERCHANTS] = merchants
    for start, stop in checkpoint.blocks(words):
        saved.block(words, start, stop)
    for local in range(locals_):
        engine.appraise(words, local)
    if locals_ + merchants_max > slots:
        words = birth.grow(words, places, locals_ + merchants_max)
    return words


def _ledger(saved, city):
    city.ledger = ledger = Ledger(saved.long(), False)
    ledger.highest = saved.long()
    ledger.arrivals = [(saved.long(), saved.long(), saved.name()) for _ in range(saved.number())]
    ledger.safe = ledger.arrivals[:]


def _road(saved, city):
    name = saved.name()
    wire = saved.number()
    counts = [saved.long() for _ in range(4)]
    if wire:
        road = city.ledger.road(name, ROOM)
        road.ours = checkpoint.OURS[saved.number()]
        road.kind = "ours" if road.ours else "legacy"
        road.sequence = road.saved = road.tried = saved.long()
    else:
        road = Road(name)
        road.state = "down"
    road.sent, road.received, road.lost, road.refused = counts
    for queue in (road.outbound, road.inbound):
        queue.extend([saved.merchant(city) for _ in range(saved.number())])
    return road


class _Reader:
    """Numbers, names and merchants of bytes whose checksum is right."""

    def __init__(self, data):
        self._data = data
        self._at = len(checkpoint.FORMAT)
        self._batch = array("i", bytes(4 * checkpoint.BATCH))
        self._count = self._next = 0
        self._names = []

    def number(self):
        if self._next == self._count:
            self._count = self._data[self._at]
            self._at = _unpack(self._data, self._at + 1, self._batch, 0, self._count)
            self._next = 0
        self._next += 1
        return self._batch[self._next - 1]

    def long(self):
        low = self.number()
        return self.number() << 30 | low

    def name(self):
        number = self.number()
        if number == 0:
            self._names.append(bytes([self.number() for _ in range(self.number())]).decode())
        return self._names[number - 1]

    def merchant(self, city):
        fields = self.name() or None, self.number(), self.number(), self.number()
        id = (city.ledger.incarnation, self.long()) if self.number() else None
        known = {}
        for good in city.good_names:
            for place in city.places:
                price = self.number()
                if price:
                    known.setdefault(good, {})[place] = price - 1
        for _ in range(self.number()):
            prices = known.setdefault(self.name(), {})
            place = self.name()
            prices[place] = self.number()
        return Merchant(*fields, known, id)

    def block(self, words, start, stop):
        self._at = _unpack(self._data, self._at, words, start, stop)


@micropython.viper
def _unpack(data, at: int, words, to: int, end: int) -> int:
    """Decode words[to:end] from data at `at` on, as checkpoint.py has coded them. Returns where that ends."""
    b = ptr8(data)
    w = ptr32(words)
    while to < end:
        value = b[at]
        more = 0
        if value >= 0xF0 and value < 0xFF:
            repeat = value & 7
            value = 0 if value < 0xF8 else _NEVER
            while repeat > 0 and to + 1 < end:
                w[to] = value
                to += 1
                repeat -= 1
        elif value >= 0xE0:
            more = 3 if value < 0xFF else 4
            value = value & 15 if value < 0xFF else 0
        elif value >= 0xC0:
            more = 2
            value &= 0x1F
        elif value >= 0x80:
            more = 1
            value &= 0x3F
        at += 1
        while more > 0:
            value = value << 8 | b[at]
            at += 1
            more -= 1
        w[to] = value
        to += 1
    return at
