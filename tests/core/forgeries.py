"""Forged lines for a keyed road, made from true lines by an attacker that controls the network and has no key.

Here: two cities that exchange lines, and what an attacker could put in between, drawn from a seed. Plain Python for
both interpreters. Not here: the tests (core/test_sealing.py, integration/wire/test_keyed_roads.py).
"""

from deskonomy.wire.sealing import LineSealer

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
LINES = 24  # of an exchange, each way


class Dice:
    """Random numbers that are the same everywhere (a multiplicative generator modulo 2 ** 31 - 1)."""

    def __init__(self, seed):
        self._state = seed * 2 + 1

    def below(self, limit):
        """Return a number from 0 to limit - 1."""
        self._state = self._state * 48271 % 0x7FFFFFFF
        return self._state % limit

    def choose(self, things):
        """Return one of these."""
        return things[self.below(len(things))]

    def bytes(self, count):
        """Return so many bytes."""
        return bytes([self.below(256) for _ in range(count)])


def make_sealers(dice, key=KEY, peers_key=None, own="RIVERWOOD", peer="SEASIDE"):
    """Return the two LineSealers of one connection, after their hellos."""
    here, there = LineSealer(key, own, peer, dice.bytes), LineSealer(peers_key or key, peer, own, dice.bytes)
    here.accept_hello(there.make_hello())
    there.accept_hello(here.make_hello())
    return here, there


class Exchange:
    """The lines of one connection.

    Attributes:
        ends: the LineSealers (here, there).
        sealed: the lines that each of them has sealed, the proof first.
    """

    def __init__(self, dice, **options):
        self.ends = make_sealers(dice, **options)
        lines = [b""] + [b'["ping",%d]' % n if n % 3 else b'{"Money":%d}' % n for n in range(1, LINES)]
        self.sealed = [[end.seal(line) for line in lines] for end in self.ends]


def forge_lines(dice, count):
    """Yield `count` times (the LineSealer to deceive, the name of the attack, the line that it gets)."""
    while count > 0:
        exchange, again = Exchange(dice), Exchange(dice)
        strangers = [Exchange(dice, own="PORTSVILLE"), Exchange(dice, key=OTHER_KEY)]
        side = dice.below(2)  # the end to deceive
        end, true, own = exchange.ends[side], exchange.sealed[1 - side], exchange.sealed[side]
        for at in range(LINES - 1):
            for _ in range(min(count, 8)):
                attack = dice.choose(sorted(_ATTACKS))
                yield end, attack, _ATTACKS[attack](dice, true, at, own, again.sealed, strangers, side)
                count -= 1
            end.unseal(true[at])  # the exchange continues as if no line had been forged


def _altered(dice, true, at, *_):
    line = true[at]
    where, what = dice.below(len(line)), dice.bytes(1)
    made = dice.choose(
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
    old = true[dice.choose([n for n in range(LINES) if n != at])]
    return b"%d" % at + old[old.find(b" ") :]


def _reordered(dice, true, at, *_):
    return true[at + 1 + dice.below(LINES - at - 1)]


def _joined(dice, true, at, *_):
    return true[at] + dice.choose((b"", b" ", b"\n", b"\r\n")) + true[at + 1]


def _spliced(dice, true, at, *_):
    """Return the seal of one line before the text of another."""
    other = dice.choose([n for n in range(LINES) if n != at])
    return true[at][: len(b"%d " % at) + 33] + true[other][len(b"%d " % other) + 33 :] + b" "


def _reflected(dice, true, at, own, *_):
    return dice.choose((own[at], dice.choose(own)))


def _crossed(dice, true, at, own, again, *_):
    """Return a line of another connection of the same two cities, in either direction."""
    return dice.choose((again[0][at], again[1][at], dice.choose(again[0]), dice.choose(again[1])))


def _strange(dice, true, at, own, again, strangers, side):
    """Return a line of another pair of cities with the same key, or of a pair with another key."""
    return dice.choose(strangers).sealed[dice.choose((side, 1 - side))][at]


def _bare(dice, *_):
    """Return a line without a seal."""
    return dice.choose((b"", b"{}", b'["ack",1,2]', b'{"Money":5}', b"0", b"0 ", b'["hello","%s"]' % (b"00" * 16)))


def _noise(dice, *_):
    return dice.bytes(dice.below(80))


_ATTACKS = {
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
