"""Lines that a keyed road must never take: made from true ones by somebody who has no key but holds the wire.

Here: two cities that talk, and everything that such a person could say in the middle of it, drawn from a seed. Plain
Python for both interpreters. Not here: what the cities make of it (test_keyed.py, tests/wire/test_keyed_roads.py).
"""

from deskonomy.wire.sealing import Keyed

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
LINES = 24  # of a talk, each way


class Dice:
    """Random numbers that are the same everywhere (a multiplicative generator modulo 2 ** 31 - 1)."""

    def __init__(self, seed):
        self._state = seed * 2 + 1

    def below(self, limit):
        self._state = self._state * 48271 % 0x7FFFFFFF
        return self._state % limit

    def one_of(self, things):
        return things[self.below(len(things))]

    def bytes(self, count):
        return bytes([self.below(256) for _ in range(count)])


def pair(dice, key=KEY, peers_key=None, own="RIVERWOOD", peer="SEASIDE"):
    """Both ends of one connection, after their hellos."""
    here, there = Keyed(key, own, peer, dice.bytes), Keyed(peers_key or key, peer, own, dice.bytes)
    here.meet(there.hello())
    there.meet(here.hello())
    return here, there


class Talk:
    """One connection: ends are (here, there); said are (what here has sealed, what there has): proofs first."""

    def __init__(self, dice, **options):
        self.ends = pair(dice, **options)
        lines = [b""] + [b'["ping",%d]' % n if n % 3 else b'{"Money":%d}' % n for n in range(1, LINES)]
        self.said = [[end.seal(line) for line in lines] for end in self.ends]


def forged(dice, count):
    """So many times (the Keyed that is to be deceived, kind, the line that it gets)."""
    while count > 0:
        talk, again = Talk(dice), Talk(dice)
        strangers = [Talk(dice, own="PORTSVILLE"), Talk(dice, key=OTHER_KEY)]
        side = dice.below(2)  # who is deceived
        end, true, own = talk.ends[side], talk.said[1 - side], talk.said[side]
        for at in range(LINES - 1):
            for _ in range(min(count, 8)):
                kind = dice.one_of(sorted(_KINDS))
                yield end, kind, _KINDS[kind](dice, true, at, own, again.said, strangers, side)
                count -= 1
            end.open(true[at])  # the talk goes on as if nothing had been said in between


def _altered(dice, true, at, *_):
    line = true[at]
    where, what = dice.below(len(line)), dice.bytes(1)
    made = dice.one_of(
        (
            line[:where] + what + line[where + 1 :],
            line[:where] + what + line[where:],
            line[:where] + line[where + 1 :],
            line[:where] + bytes([line[where] ^ 1 << dice.below(8)]) + line[where + 1 :],
            line.upper(),
            line + what,
            b" " + line,
            b"0" + line,
            line + b"\r",
        )
    )
    return made if made != line else line + what


def _truncated(dice, true, at, *_):
    return true[at][: dice.below(len(true[at]))]


def _replayed(dice, true, at, *_):
    return true[dice.below(at)] if at else b""


def _renumbered(dice, true, at, *_):
    old = true[dice.one_of([n for n in range(LINES) if n != at])]
    return b"%d" % at + old[old.find(b" ") :]


def _reordered(dice, true, at, *_):
    return true[at + 1 + dice.below(LINES - at - 1)]


def _joined(dice, true, at, *_):
    return true[at] + dice.one_of((b"", b" ", b"\n", b"\r\n")) + true[at + 1]


def _spliced(dice, true, at, *_):
    """One line's seal before another line's text."""
    other = dice.one_of([n for n in range(LINES) if n != at])
    return true[at][: len(b"%d " % at) + 33] + true[other][len(b"%d " % other) + 33 :] + b" "


def _reflected(dice, true, at, own, *_):
    return dice.one_of((own[at], dice.one_of(own)))


def _crossed(dice, true, at, own, again, *_):
    """From another connection of the same two cities, either way."""
    return dice.one_of((again[0][at], again[1][at], dice.one_of(again[0]), dice.one_of(again[1])))


def _strange(dice, true, at, own, again, strangers, side):
    """From another pair of cities with the same key, or from one with another key."""
    return dice.one_of(strangers).said[dice.one_of((side, 1 - side))][at]


def _bare(dice, *_):
    """Without any seal."""
    return dice.one_of((b"", b"{}", b'["ack",1,2]', b'{"Money":5}', b"0", b"0 ", b'["hello","%s"]' % (b"00" * 16)))


def _noise(dice, *_):
    return dice.bytes(dice.below(80))


_KINDS = {
    "altered": _altered,
    "truncated": _truncated,
    "replayed": _replayed,
    "renumbered": _renumbered,
    "reordered": _reordered,
    "joined": _joined,
    "spliced": _spliced,
    "reflected": _reflected,
    "crossed": _crossed,
    "strange": _strange,
    "bare": _bare,
    "noise": _noise,
}
