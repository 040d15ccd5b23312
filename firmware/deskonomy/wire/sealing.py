"""A road between two cities that share a key: each proves that it has it, then every line is sealed.

Here: HMAC-SHA256, the proof, seals. Not here: when what is sent (protocol.py), which peer has which key (tcp.py, and
whoever reads settings). Imported only where there is a key.

    ["hello","NONCE"]        first each way, once both names are known: 16 random bytes, in hex
    COUNTER SEAL LINE        all that follows: which line it is, from 0, in decimal; 16 bytes of a MAC, in hex; the line

A line's MAC is HMAC(session key, "COUNTER LINE"). There is one session key for each direction of each connection:
HMAC(key, label, sender's name, sender's nonce, receiver's name, receiver's nonce). So:

- Line 0, which is empty, is the proof. Its key hangs on the nonce that the verifier has just drawn, so only somebody
  who has the key now can have sealed it; and it shows both that they mean the same names and nonces. Nobody is let in,
  and no merchant leaves, before the peer's proof is verified; each side waits for the other's.
- The sender comes first, and two cities of one name are refused. So the two directions' keys differ, and what a city
  said never verifies when it comes back to it. Another connection has other nonces, and so other keys.
- A counter is never used twice, and only the next one is taken: a line that comes again, early, or after one that was
  left out, is none. The end of a stream may be cut off; the ledger takes care of that (ledger.py).
- The key itself makes session keys and nothing else; those make seals and nothing else. The label names this protocol,
  names carry their length and nonces are of one length, so that no two inputs look alike.
- 16 bytes of a MAC: one forged line in 2 ** 128 gets through, and a connection ends with the first that does not.
- Keys are 32 random bytes: nothing that is seen on the wire helps to guess them.

Nothing is kept secret but the key, and whoever learns it can take part from then on.
"""

import os
from binascii import hexlify, unhexlify
from hashlib import sha256

from deskonomy.compat import const
from deskonomy.errors import AuthenticationError

KEY_BYTES = const(32)
LINE_MORE = const(64)  # bytes by which a sealed line is longer than its line, at most: 34 and the counter's digits
_NONCE_BYTES = const(16)
_SEAL_BYTES = const(16)
_BLOCK_BYTES = const(64)  # SHA-256's
_LABEL = b"deskonomy road 1"


class Keyed:
    """One connection's seals: send hello(), give the peer's to meet(), then seal() and open() lines.

    The first line each way is the proof, which is empty; the peer has proven that it has the key once open() took its.
    own, peer: the two cities' names. met: whether the peer's hello has come. sealed, opened: lines so far. Lines are
    bytes without their newline. Raises AuthenticationError for a peer of one's own name, ValueError for a key that
    is none.
    """

    def __init__(self, key, own, peer, random=os.urandom):
        if len(key) != KEY_BYTES:
            raise ValueError("not a key")
        if own == peer:
            raise AuthenticationError
        self.met = False
        self.sealed = self.opened = 0
        self._key = key
        self._here = _part(own) + random(_NONCE_BYTES)
        self._there = _part(peer)
        self._sealing = self._opening = None  # pads() of the session keys

    def hello(self):
        """The first line to send."""
        return _hello(self._here[-_NONCE_BYTES:])

    def meet(self, line):
        """Take the peer's hello. Raises AuthenticationError."""
        try:
            nonce = unhexlify(line[10:-2])
        except ValueError:
            nonce = b""
        if self.met or len(nonce) != _NONCE_BYTES or line != _hello(nonce):
            raise AuthenticationError
        there = self._there + nonce
        key = pads(self._key)
        self._sealing = pads(mac(key, _LABEL, self._here, there))
        self._opening = pads(mac(key, _LABEL, there, self._here))
        self.met = True

    def seal(self, line, *more):
        """This line as it is sent, up to `more`, the rest of it in pieces, which is sent as it is.

        What is sealed must be sent, all of it and in this order.
        """
        counter = b"%d " % self.sealed
        self.sealed += 1
        return counter + _seal(self._sealing, counter, line, *more) + line

    def open(self, line):
        """The line in a sealed one. Raises AuthenticationError for all but the peer's next."""
        counter = b"%d " % self.opened
        begin = len(counter) + 2 * _SEAL_BYTES + 1
        if (
            not self.met
            or not same(line[:begin], counter + _seal(self._opening, counter, memoryview(line)[begin:]))
            or (self.opened == 0 and len(line) != begin)
        ):
            raise AuthenticationError
        self.opened += 1
        return line[begin:]


def _part(name):
    name = name.encode()
    return bytes([len(name)]) + name


def _hello(nonce):
    return b'["hello","%s"]' % hexlify(nonce)


def _seal(session_key, *pieces):
    return hexlify(mac(session_key, *pieces)[:_SEAL_BYTES]) + b" "


def pads(key):
    """What mac() takes for a key (bytes): the two blocks that RFC 2104 makes of it."""
    if len(key) > _BLOCK_BYTES:
        key = sha256(key).digest()
    inner = bytearray(b"\x36" * _BLOCK_BYTES)
    outer = bytearray(b"\x5c" * _BLOCK_BYTES)
    for at in range(len(key)):
        inner[at] ^= key[at]
        outer[at] ^= key[at]
    return inner, outer


def mac(pads, *pieces):
    """HMAC-SHA256 (RFC 2104) over these pieces one after the other: 32 bytes.

    MicroPython's hashes cannot be copied, so each MAC hashes both pads again.
    """
    inner = sha256(pads[0])
    for piece in pieces:
        inner.update(piece)
    outer = sha256(pads[1])
    outer.update(inner.digest())
    return outer.digest()


def same(one, other):
    """Whether two bytes objects are equal, in a time that tells nothing but whether their lengths differ."""
    if len(one) != len(other):
        return False
    differ = 0
    for at in range(len(one)):
        differ |= one[at] ^ other[at]
    return differ == 0
