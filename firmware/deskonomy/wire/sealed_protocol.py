"""The wire protocol to a peer that has to prove a shared key: nothing before the proof, and no line without its seal.

Here: when which part of the proof is sent, and what ends the connection. Not here: the proof and the seals
(wire/sealing.py), the handshake and lines without a key (wire/protocol.py). A board imports this module only if it has
a key.

    state      what ends it                                                   next state
    GREETING   our name has been out for 200 ms: a newline and our hello      PROVING
    PROVING    our proof is out, and the peer's has come                      OPEN
               5 s, or anything but the peer's hello and its proof            FAILED

The peer has no name before its proof, so a peer without the key never gets near a road. From then on the first line
that is not as the peer sealed it ends the connection. The peer is never told the reason.
"""

from deskonomy.compat import TYPE_CHECKING, const
from deskonomy.errors import AuthenticationError
from deskonomy.wire.protocol import GREETING, OPEN, DataToSend, PeerNamed, Protocol, RoadReady
from deskonomy.wire.sealing import SEAL_MAX_BYTES, LineSealer

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from deskonomy.wire.protocol import Event, Line

PROVING = const(6)

_PROVING_MS = const(5000)  # as long as a peer has for its name


class SealedProtocol:
    """A Protocol whose lines are sealed if a key is asked of the peer; it has the same methods and attributes."""

    key_hint = ""  # see Protocol

    def __init__(
        self,
        name: str,
        now_ms: int,
        line_max: int,
        key_of: "Callable[[str], bytes | None]",
        has_memory: "Callable[[int], bool] | None" = None,
    ) -> None:
        """Create one end.

        Args:
            name, now_ms, line_max, has_memory: as Protocol takes them.
            key_of: function from a peer's name to the key that it has to prove, None for none. What it raises comes
                out of elapse() and next_event(), and the peer has no name then. It may have a method describe() of a
                name, whose text ends a log line about the key.
        """
        self.name = name
        self.peer: str | None = None
        self.is_sealed = False
        self.pending_failure: str | None = None
        self._plain = Protocol(name, now_ms, line_max, has_memory)
        self._key_of = key_of
        self._sealer: LineSealer | None = None  # of a peer that has to prove a key

    @property
    def state(self) -> int:
        """See Protocol; PROVING besides."""
        return self._plain.state

    @property
    def deadline_ms(self) -> "int | None":
        """See Protocol."""
        return self._plain.deadline_ms

    @property
    def waiting(self) -> "bytes | None":
        """See Protocol."""
        return self._plain.waiting

    def elapse(self, now_ms: int) -> "list[Event]":
        """See Protocol."""
        events = []
        plain = self._plain
        while plain.deadline_ms is not None and now_ms >= plain.deadline_ms:
            if self._sealer is None:
                event = self._check_name(plain.pass_deadline(now_ms))
            else:
                event = self._pass_deadline(self._sealer, now_ms)
            if event is not None:
                events.append(event)
        return events

    def receive(self, data: bytes, now_ms: int) -> None:
        """See Protocol."""
        self._plain.receive(data, now_ms)

    def next_event(self) -> "Event | None":
        """See Protocol."""
        if self._sealer is None:
            event = self._check_name(self._plain.next_event())
            if self._sealer is None:
                return event
        return self._plain.next_event(self._unseal_line)

    def has_little_unread(self) -> bool:
        """See Protocol."""
        return self._plain.has_little_unread()

    def send(self, pieces: "list[Any]") -> "list[Any]":
        """See Protocol."""
        if self._sealer is not None and self._plain.state == OPEN:
            pieces[0] = self._sealer.seal(*pieces)
        return self._plain.send(pieces)

    def _check_name(self, event: "Event | None") -> "Event | None":
        """Return an event of a peer without a key; None for the name of a peer that has to prove it first."""
        if not isinstance(event, PeerNamed):
            return event
        key = self._key_of(event.name)
        describe = getattr(self._key_of, "describe", None)
        if describe:
            self.key_hint = describe(event.name)
        if key is None:
            self.peer = event.name
            return event
        plain = self._plain
        if event.name == self.name:
            return plain.fail("it is this city itself")
        self._sealer = LineSealer(key, self.name, event.name)
        plain.line_max += SEAL_MAX_BYTES
        text = "%s has not proven that it has our key: the keys differ, or it has none%s"
        self.pending_failure = text % (event.name, self.key_hint)
        return None

    def _pass_deadline(self, sealer: LineSealer, now_ms: int) -> "Event":
        plain = self._plain
        if plain.state == GREETING:
            plain.enter(PROVING, now_ms, now_ms if sealer.has_hello else now_ms + _PROVING_MS)
            return DataToSend(b"\n%s\n" % sealer.make_hello())
        if sealer.has_hello and not sealer.sealed_count:
            plain.deadline_ms = now_ms if sealer.unsealed_count else plain.since_ms + _PROVING_MS
            return DataToSend(sealer.seal(b"") + b"\n")
        if not sealer.unsealed_count:
            return plain.fail(self.pending_failure or "no proof")
        plain.enter(OPEN, now_ms, None)
        return RoadReady()

    def _unseal_line(self, line: "Line") -> "Event | None":
        """Return the event of a line of a peer that has to prove a key, see Protocol.parse_line()."""
        sealer, plain = self._sealer, self._plain
        if line == b"" and not sealer.has_hello:
            return None  # the newline after a bare name may come late
        try:
            if line is None:
                raise AuthenticationError
            if sealer.unsealed_count:
                return plain.parse_line(sealer.unseal(line))
            if sealer.has_hello:
                sealer.unseal(line)
            else:
                sealer.accept_hello(line)
        except AuthenticationError:
            return plain.fail(self.pending_failure or "what came was not as the peer had sealed it")
        if plain.state == PROVING:
            plain.deadline_ms = plain.since_ms  # there is something to send now
        if not sealer.unsealed_count:
            return None
        self.is_sealed = True
        self.pending_failure = None
        self.peer = plain.peer
        return PeerNamed(self.peer)
