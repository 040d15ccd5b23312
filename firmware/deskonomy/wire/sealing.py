"""The seals of a keyed road: a proof of the shared key, and a MAC for each line.

Here: HMAC-SHA256, the proof, the seals. Not here: when what is sent (wire/sealed_protocol.py), which peer has which key
(wire/network.py and the readers of settings). A board imports this module only if it has a key.

    ["hello","NONCE"]        first in each direction, once both names are known: 16 random bytes, in hex
    COUNTER SEAL LINE        every later line: its number, from 0, in decimal; 16 bytes of a MAC, in hex; the line

The MAC of a line is HMAC(session key, "COUNTER LINE"). There is one session key for each direction of each connection:
HMAC(key, label, sender's name, sender's nonce, receiver's name, receiver's nonce). So:

- Line 0, which is empty, is the proof. Its session key depends on the nonce that the verifier has just drawn, so only a
  holder of the key can have sealed it now; and it shows that both ends mean the same names and nonces. No merchant is
  accepted or sent before the peer's proof is verified; each end waits for the other's.
- The sender comes first in the HMAC, and two cities of one name are rejected. So the keys of the two directions differ,
  and a city's own lines never verify when they come back to it. Another connection has other nonces, so other keys.
- A counter is never used twice, and only the next counter is accepted: a line that is replayed, early, or after a line
  that was left out is invalid. The end of a stream may be cut off; the ledger takes care of that (roads/ledger.py).
- The key makes session keys and nothing else; session keys make seals and nothing else. The label names this protocol,
  names carry their length, and nonces have one length, so that no two inputs of the HMAC are equal by accident.
- 16 bytes of a MAC: one forged line in 2 ** 128 is accepted, and a connection ends with the first that is not.
- Keys are 32 random bytes: nothing on the wire helps to guess them.

Only the key is secret; any holder of it can take part from then on.
"""

import os
from binascii import hexlify, unhexlify
from hashlib import sha256

from deskonomy.compat import TYPE_CHECKING, const
from deskonomy.errors import AuthenticationError

if TYPE_CHECKING:
    from collections.abc import Callable

    Buffer = bytes | bytearray | memoryview

KEY_BYTES = const(32)
SEAL_MAX_BYTES = const(64)  # by which a sealed line is longer than its line, at most: 34 and the counter's digits
_NONCE_BYTES = const(16)
_SEAL_BYTES = const(16)
_BLOCK_BYTES = const(64)  # of SHA-256
_LABEL = b"deskonomy road 1"


class LineSealer:
    """The seals of one connection. Lines are bytes without their newline.

    Send make_hello(), give the peer's hello to accept_hello(), then seal() and unseal() lines. The first line in each
    direction is the proof, which is empty; the peer has proven the key once unseal() has accepted its proof.

    Attributes:
        has_hello: whether the peer's hello has come.
        sealed_count, unsealed_count: lines sealed and unsealed so far.
    """

    def __init__(self, key: bytes, own: str, peer: str, random: "Callable[[int], bytes]" = os.urandom) -> None:
        """Create the seals.

        Args:
            key: KEY_BYTES bytes.
            own, peer: the names of the two cities.
            random: function of a number of bytes that returns as many random ones.

        Raises:
            AuthenticationError: The peer has this city's own name.
            ValueError: The key has another length.
        """
        if len(key) != KEY_BYTES:
            raise ValueError("not a key")
        if own == peer:
            raise AuthenticationError
        self.has_hello = False
        self.sealed_count = self.unsealed_count = 0
        self._key = key
        self._here = _encode_name(own) + random(_NONCE_BYTES)
        self._there = _encode_name(peer)
        self._sealing = self._unsealing = None  # the pads of the session keys

    def make_hello(self) -> bytes:
        """Return the first line to send."""
        return _format_hello(self._here[-_NONCE_BYTES:])

    def accept_hello(self, line: bytes) -> None:
        """Take the peer's hello. Raises AuthenticationError."""
        try:
            nonce = unhexlify(line[10:-2])
        except ValueError:
            nonce = b""
        if self.has_hello or len(nonce) != _NONCE_BYTES or line != _format_hello(nonce):
            raise AuthenticationError
        there = self._there + nonce
        pads = make_pads(self._key)
        self._sealing = make_pads(compute_mac(pads, _LABEL, self._here, there))
        self._unsealing = make_pads(compute_mac(pads, _LABEL, there, self._here))
        self.has_hello = True

    def seal(self, line: "Buffer", *rest: "Buffer") -> bytes:
        """Return the sealed beginning of a line; its `rest`, in pieces, is sent after it as it is.

        Everything that is sealed must be sent, in this order.
        """
        assert self._sealing is not None
        counter = b"%d " % self.sealed_count
        self.sealed_count += 1
        return counter + _format_seal(self._sealing, counter, line, *rest) + line

    def unseal(self, line: bytes) -> bytes:
        """Return the line inside a sealed line. Raises AuthenticationError for all but the peer's next line."""
        if self._unsealing is None:
            raise AuthenticationError
        counter = b"%d " % self.unsealed_count
        begin = len(counter) + 2 * _SEAL_BYTES + 1
        seal = counter + _format_seal(self._unsealing, counter, memoryview(line)[begin:])
        if not is_equal(line[:begin], seal) or (self.unsealed_count == 0 and len(line) != begin):
            raise AuthenticationError
        self.unsealed_count += 1
        return line[begin:]


def _encode_name(name: str) -> bytes:
    raw = name.encode()
    return bytes([len(raw)]) + raw


def _format_hello(nonce: bytes) -> bytes:
    return b'["hello","%s"]' % hexlify(nonce)


def _format_seal(session_pads: "tuple[bytearray, bytearray]", *pieces: "Buffer") -> bytes:
    return hexlify(compute_mac(session_pads, *pieces)[:_SEAL_BYTES]) + b" "


def make_pads(key: bytes) -> "tuple[bytearray, bytearray]":
    """Return a key as compute_mac() takes it: the two blocks that RFC 2104 makes of it."""
    if len(key) > _BLOCK_BYTES:
        key = sha256(key).digest()
    inner = bytearray(b"\x36" * _BLOCK_BYTES)
    outer = bytearray(b"\x5c" * _BLOCK_BYTES)
    for at in range(len(key)):
        inner[at] ^= key[at]
        outer[at] ^= key[at]
    return inner, outer


def compute_mac(pads: "tuple[bytearray, bytearray]", *pieces: "Buffer") -> bytes:
    """Return HMAC-SHA256 (RFC 2104) over pieces, one after the other: 32 bytes.

    MicroPython cannot copy a hash, so each MAC hashes both pads again.
    """
    inner = sha256(pads[0])
    for piece in pieces:
        inner.update(piece)
    outer = sha256(pads[1])
    outer.update(inner.digest())
    return outer.digest()


def is_equal(first: bytes, second: bytes) -> bool:
    """Return whether two bytes objects are equal, in a time that depends on their lengths only."""
    if len(first) != len(second):
        return False
    differ = 0
    for at in range(len(first)):
        differ |= first[at] ^ second[at]
    return differ == 0
