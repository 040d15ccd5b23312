"""The wire protocol between two cities: bytes and time in, events out.

Here: the handshake, and lines cut out of the byte stream. Not here: the content of a line (wire/codec.py), keys and
seals (wire/sealed_protocol.py), sockets (wire/connection.py).

One handshake suits three sorts of peers: a peer that reads our name in a single read (so the name goes out alone,
without a newline); a peer that waits for a newline after the name (so a newline follows, which the first sort takes for
a blank line), and loses what follows its name too closely; and a city of this project.

    state      what ends it                                                                 next state
    NEW        the first elapse(): our name goes out                                        NAMING
    NAMING     the peer's name: up to a newline, up to a { or [, or up to 200 ms of silence GREETING
               5 s without a name, 1,024 bytes without its end, an invalid name             FAILED
    GREETING   our name has been out for 200 ms: a newline goes out, alone                  SETTLING
    SETTLING   1 s                                                                          OPEN
    OPEN       merchants may be sent; they may come from GREETING on

After the peer's name, a line that begins with { is a merchant, a line that begins with [ a control message, a blank
line nothing; any other line is rejected. Whatever the peer sends becomes an event, never an exception.
"""

from collections import namedtuple

from deskonomy.compat import TYPE_CHECKING, const
from deskonomy.errors import InvalidLineError, ProtocolMisuseError
from deskonomy.wire import codec
from deskonomy.wire.strict_json import SPACE

NEW = const(0)
NAMING = const(1)
GREETING = const(2)
SETTLING = const(3)
OPEN = const(4)
FAILED = const(5)

HTTP = "it speaks HTTP"  # why a connection fails

_SILENCE_MS = const(200)  # ends a name that nothing else ends
_APART_MS = const(200)  # between our name and the newline, so that they are not read together
_SETTLE_MS = const(1000)  # the second sort of peers loses what follows our name more closely
_NAMING_MS = const(5000)  # a peer sends its name at once, so 5 s allow for the slowest network
_NAMING_BYTES = const(1024)  # what the first sort of peers reads as a name; a name has at most 64
# Memory for a merchant, in bytes for each byte of its line: up to four while it waits, and two while it is written.
_MEMORY_FACTOR = const(6)
_AHEAD_PART = const(8)  # of line_max: a merchant or two on a board, dozens on a host
_PIECE_BYTES = const(512)  # an unfinished line is kept in pieces of at least this size: a heap has few large holes

# Events.
DataToSend = namedtuple("DataToSend", ("data",))  # these bytes go out now, alone
PeerNamed = namedtuple("PeerNamed", ("name",))
RoadReady = namedtuple("RoadReady", ())  # send() may be called from now on
# whole: False if there was no memory for the prices that the merchant knows.
MerchantReceived = namedtuple("MerchantReceived", ("merchant", "whole"))
MessageReceived = namedtuple("MessageReceived", ("fields",))  # a control message: a list of a str, then str and int
LineRejected = namedtuple("LineRejected", ("reason", "id"))  # id: of the merchant on the line, None if unknown
ProtocolFailed = namedtuple("ProtocolFailed", ("reason",))  # the peer's fault: close the connection

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Event = DataToSend | PeerNamed | RoadReady | MerchantReceived | MessageReceived | LineRejected | ProtocolFailed
    Line = bytes | None


class Protocol:
    """One end of a connection to another city.

    Call elapse() once at the start and again whenever deadline_ms has come. Give what arrives to receive(), then take
    next_event() until it is None. Events that are not taken stay here: a city without room for a merchant stops taking
    events, and stops reading.

    Attributes:
        name: the name of this city.
        peer: the name of the other city, None until known.
        state: NEW to FAILED, see above.
        deadline_ms: when elapse() next has something to do, None for never.
        since_ms: when the state began.
        waiting: the line of a merchant that waits for memory, None for none. Only a merchant without an id waits. A
            merchant with an id forgets the prices that it knows instead: acknowledgements may lie behind it, and it may
            not be rejected, because it may have entered before and come again.
        has_memory: function of a number of bytes, whether a merchant may take them; None for no limit.
        is_sealed: whether the peer has proven that it has our key.
        pending_failure: why the connection ends if it ends now, None if the peer's end of it is not the reason.
        key_hint: where the key for the peer was looked for, for the end of a log line.
    """

    is_sealed = False
    key_hint = ""
    pending_failure: "str | None" = None

    def __init__(
        self, name: str, now_ms: int, line_max: int = 65536, has_memory: "Callable[[int], bool] | None" = None
    ) -> None:
        """Create one end.

        Args:
            name: the name of this city.
            now_ms: the time, an int that only grows.
            line_max: the longest line that is read, in bytes.
            has_memory: see the attributes.

        Raises:
            ProtocolMisuseError: The name is invalid.
        """
        try:
            codec.decode_name(name.encode())
        except InvalidLineError as error:
            raise ProtocolMisuseError("%r cannot be a city's name: %s" % (name, error)) from None
        self.name = name
        self.peer: str | None = None
        self.state = NEW
        self.deadline_ms: int | None = now_ms
        self.waiting: bytes | None = None
        self.has_memory = has_memory
        self.line_max = line_max
        self.since_ms = now_ms
        self._data = b""  # what came last; everything from _at on is still to be read
        self._at = 0
        self._line: list[bytes] | None = []  # the beginning of an unfinished line; None inside one that is too long

    def elapse(self, now_ms: int) -> "list[Event]":
        """Return what the passing of time brings: DataToSend, PeerNamed, RoadReady, ProtocolFailed."""
        events = []
        while self.deadline_ms is not None and now_ms >= self.deadline_ms:
            events.append(self.pass_deadline(now_ms))
        return events

    def pass_deadline(self, now_ms: int) -> "Event":
        """Do what is due at deadline_ms, which has come, and return its event."""
        if self.state == NEW:
            self.enter(NAMING, now_ms, now_ms + _NAMING_MS)
            return DataToSend(self.name.encode())
        if self.state == NAMING:
            if not self._data or now_ms - self.since_ms >= _NAMING_MS:
                return self.fail("it sent no name within %d s" % (_NAMING_MS // 1000))
            return self._take_name(len(self._data), 0)
        if self.state == GREETING:
            self.enter(SETTLING, now_ms, now_ms + _SETTLE_MS)
            return DataToSend(b"\n")
        self.enter(OPEN, now_ms, None)
        return RoadReady()

    def receive(self, data: bytes, now_ms: int) -> None:
        """Take bytes from the peer. Raises ProtocolMisuseError before the first elapse()."""
        if self.state == NEW:
            raise ProtocolMisuseError("receive() before elapse()")
        # A copy is made only if it must be: a board has little memory in one piece.
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0
        if self.state == NAMING:
            self.deadline_ms = min(now_ms + _SILENCE_MS, self.since_ms + _NAMING_MS)

    def next_event(self, parse: "Callable[[Line], Event | None] | None" = None) -> "Event | None":
        """Return the next event of the bytes that have come.

        Args:
            parse: what makes an event of a line, parse_line() by default.

        Returns:
            PeerNamed, MerchantReceived, MessageReceived, LineRejected or ProtocolFailed; None until more bytes come, or
            while a merchant waits for memory.
        """
        event = None
        if self.state == NAMING:
            event = self._find_name()
        elif self.waiting is not None:
            event = self._merchant_event(self.waiting)
        while event is None and NAMING < self.state != FAILED and self.waiting is None and self._at < len(self._data):
            event = self._read_line(parse)
        if event is None and self.state != NAMING and self._at == len(self._data):
            self._data = b""  # a board has no memory to keep what has been read
            self._at = 0
        return event

    def has_little_unread(self) -> bool:
        """Return whether so few bytes wait to become events that even a full city reads on: an end may be behind."""
        return len(self._data) - self._at < self.line_max // _AHEAD_PART

    def parse_line(self, line: "Line") -> "Event | None":
        """Return the event of a line.

        Args:
            line: the line without its newline; None for a line that is too long.

        Returns:
            MerchantReceived, MessageReceived or LineRejected; None for a blank line and for a merchant that waits.
        """
        if line is None:
            return LineRejected("a line of more than %d bytes" % self.line_max, None)
        line = line.strip(SPACE)
        if not line:
            return None
        if line[0] == 123:  # {
            return self._merchant_event(line)
        try:
            if line[0] == 91:  # [
                return MessageReceived(codec.decode_message(line))
        except InvalidLineError as error:
            return LineRejected(str(error), None)
        return LineRejected("a line that is neither a merchant nor a message", None)

    def send(self, pieces: "list[Any]") -> "list[Any]":
        """Return what to send for a line.

        Args:
            pieces: the line in pieces (bytes or bytearray), without its newline; the list is changed.

        Returns:
            The pieces to send.

        Raises:
            ProtocolMisuseError: RoadReady has not come yet.
        """
        if self.state != OPEN:
            raise ProtocolMisuseError("send() before RoadReady")
        pieces[-1] += b"\n"
        return pieces

    def enter(self, state: int, now_ms: int, deadline_ms: "int | None") -> None:
        """Change the state."""
        self.state = state
        self.since_ms = now_ms
        self.deadline_ms = deadline_ms

    def fail(self, reason: str) -> ProtocolFailed:
        """Enter FAILED and return its event: nothing is read any more."""
        self.state = FAILED
        self.deadline_ms = None
        self._data = b""
        self._at = 0
        return ProtocolFailed(reason)

    def _find_name(self) -> "PeerNamed | ProtocolFailed | None":
        end = len(self._data)
        for stop in (b"\n", b"{", b"["):
            found = self._data.find(stop, 0, end)
            if found >= 0:
                end = found
        if end == len(self._data) <= _NAMING_BYTES:
            return None
        return self._take_name(end, 1 if self._data[end : end + 1] == b"\n" else 0)

    def _take_name(self, end: int, skip: int) -> "PeerNamed | ProtocolFailed":
        """Take the peer's name, which ends at `end`; lines begin `skip` bytes later."""
        if codec.is_http(self._data):  # the whole line: a { or [ in the target of a request looks like a name's end
            return self.fail(HTTP)
        if end > _NAMING_BYTES:
            return self.fail("its name does not end within %d bytes" % _NAMING_BYTES)
        try:
            self.peer = codec.decode_name(self._data[:end].strip(SPACE))
        except InvalidLineError as error:
            return self.fail("its name is invalid: %s" % error)
        self._at = end + skip
        self.enter(GREETING, self.since_ms, self.since_ms + _APART_MS)
        return PeerNamed(self.peer)

    def _read_line(self, parse: "Callable[[Line], Event | None] | None") -> "Event | None":
        """Read to the end of a line or of the data. Return the line's event if it has ended."""
        end = self._data.find(b"\n", self._at)
        has_ended = end >= 0
        piece = self._data
        if has_ended or self._at:
            piece = piece[self._at : end] if has_ended else piece[self._at :]
        self._at += len(piece) + (1 if has_ended else 0)
        line = self._line
        self._line = [] if has_ended else line
        if line is None:
            return None
        if line and len(line[-1]) < _PIECE_BYTES:
            line[-1] += piece
        else:
            line.append(piece)
        is_too_long = sum([len(piece) for piece in line]) > self.line_max
        if is_too_long:
            self._line = [] if has_ended else None
        elif not has_ended:
            return None
        return (parse or self.parse_line)(None if is_too_long else b"".join(line))

    def _merchant_event(self, line: bytes) -> "MerchantReceived | LineRejected | None":
        """Return the event of a merchant's line, None if it waits for memory."""
        whole = self.has_memory is None or self.has_memory(_MEMORY_FACTOR * len(line))
        self.waiting = None if whole or codec.find_id(line) is not None else line
        if self.waiting is not None:
            return None
        try:
            return MerchantReceived(codec.decode_merchant(line, whole), whole)
        except InvalidLineError as error:
            return LineRejected(str(error), codec.find_id(line))
