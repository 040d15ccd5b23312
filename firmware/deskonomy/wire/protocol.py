"""The wire between two cities: bytes and time in, events out.

Here: the handshake, and lines cut out of the stream. Not here: what a line says (codec.py), what is more where there is
a key (keyed_connection.py), sockets (link.py).

One handshake suits three kinds of peer: one that reads our name in a single read, whatever is in it (so the name goes
out alone, without a newline); one that waits for a newline after it (so one follows, which the first kind takes for a
blank line), and then loses what comes too closely after it; and ours.

    state      what ends it                                                               next
    NEW        the first elapse(): our name goes out                                      NAMING
    NAMING     the peer's name: up to a newline, up to a { or [, or up to 200 ms silence  GREETING
               5 s without a name, 1,024 bytes without its end, a name that is none       BROKEN
    GREETING   our name has been out for 200 ms: a newline goes out, alone                SETTLING
    SETTLING   1 s                                                                        OPEN
    OPEN       merchants may be sent; they may arrive ever since GREETING

Once named, a line that begins with { is a merchant, with [ a control message, a blank one nothing, and anything else is
refused. A line that has not ended is nothing yet, and what the peer sends raises nothing: it becomes an event.
"""

from collections import namedtuple

from deskonomy.compat import const
from deskonomy.errors import InvalidLineError, ProtocolMisuseError
from deskonomy.wire import codec
from deskonomy.wire.strict_json import SPACE

NEW = const(0)
NAMING = const(1)
GREETING = const(2)
SETTLING = const(3)
OPEN = const(4)
BROKEN = const(5)

_SILENCE_MS = const(200)  # ends a name that nothing else ends
_APART_MS = const(200)  # between our name and the newline, so that they travel apart
_SETTLE_MS = const(1000)  # the second kind of peer loses what follows our name more closely
_NAMING_MS = const(5000)  # a peer that has not named itself by then won't
_NAMING_BYTES = const(1024)  # what the first kind reads as a name; far more than a name has
# Bytes of memory for each byte of a merchant's line: it takes up to four, and two more while it is written.
_TIMES_LINE = const(6)
_PIECE_BYTES = const(512)  # a line that has not ended lies in pieces of this and more, so that it needs no hole for all

Send = namedtuple("Send", ("data",))  # these bytes go out now, alone
Named = namedtuple("Named", ("name",))  # who the peer is
Ready = namedtuple("Ready", ())  # from now on send() works
Arrived = namedtuple("Arrived", ("merchant", "whole"))  # not whole: there was no memory for what it knows
Message = namedtuple("Message", ("words",))  # a control message: a list of a str, then str and int
Refusal = namedtuple("Refusal", ("reason", "id"))  # a line was turned away; id: of the merchant on it, or None
Broken = namedtuple("Broken", ("reason",))  # the peer's fault: hang up


class Connection:
    """One end of a connection to another city.

    Call elapse() once at the start and again whenever deadline_ms has come. Give what arrives to receive(), then take
    next_event() until it is None. Events that nobody takes stay here: who has no room for a merchant stops taking them,
    and stops reading. name: our city's; ProtocolMisuseError if it is none. now_ms: an int that only grows. line_max:
    the longest
    line read, in bytes. peer: its name (str), None until known. state: see above. sealed: whether the peer has proven
    that it has our key, and every line is sealed with it. excuse: why the connection ended if it ends now, None if that
    is not for us to tell. has_memory: as tcp.Roads takes it. waiting: the line of a merchant for whom there is too
    little memory now. Who has an id does not wait, since acknowledgements may come behind, nor is it refused, since it
    may have been let in before and come again: it forgets what it knows.
    """

    sealed = False
    excuse = None

    def __init__(self, name, now_ms, line_max=65536):
        try:
            codec.name(name.encode())
        except InvalidLineError as refused:
            raise ProtocolMisuseError("%r cannot be a city's name: %s" % (name, refused)) from None
        self.name = name
        self.line_max = line_max
        self.peer = None
        self.state = NEW
        self.deadline_ms = now_ms  # when elapse() next has something to do; None for never
        self._since_ms = now_ms  # when this state began
        self._data = b""  # what came last, from _at on not looked at yet
        self._at = 0
        self._line = []  # the beginning of a line that has not ended, in pieces; None inside one that is too long
        self.has_memory = None
        self.waiting = None

    def elapse(self, now_ms):
        """What the passing of time brings: a list of Send, Named, Ready, Broken."""
        events = []
        while self.deadline_ms is not None and now_ms >= self.deadline_ms:
            event = self._due(now_ms)
            if event is not None:
                events.append(event)
        return events

    def _due(self, now_ms):
        if self.state == NEW:
            self._enter(NAMING, now_ms, now_ms + _NAMING_MS)
            return Send(self.name.encode())
        if self.state == NAMING:
            if not self._data or now_ms - self._since_ms >= _NAMING_MS:
                return self._break("it said no name within %d s" % (_NAMING_MS // 1000))
            return self._named(len(self._data), 0)
        if self.state == GREETING:
            self._enter(SETTLING, now_ms, now_ms + _SETTLE_MS)
            return Send(b"\n")
        self._enter(OPEN, now_ms, None)
        return Ready()

    def receive(self, data, now_ms):
        """Take in what came from the peer."""
        if self.state == NEW:
            raise ProtocolMisuseError("elapse() comes first")
        self._data = self._data[self._at :] + data
        self._at = 0
        if self.state == NAMING:
            self.deadline_ms = min(now_ms + _SILENCE_MS, self._since_ms + _NAMING_MS)

    def next_event(self):
        """What the bytes so far bring next: Named, Arrived, Message, Refusal or Broken; None until there are more."""
        if self.state == NAMING:
            event = self._name_before_bytes()
            if event is not None:
                return event
        if self.waiting is not None:
            event = self._merchant_event(self.waiting)
            if event is not None:
                return event
        while NAMING < self.state != BROKEN and self.waiting is None and self._at < len(self._data):
            event = self._line_event()
            if event is not None:
                return event
        if self.state != NAMING and self._at == len(self._data):
            self._data = b""  # a board has no room to keep what has been looked at
            self._at = 0
        return None

    def send(self, pieces):
        """A line, a list of pieces without its newline, as such a list of what to send. Raises ProtocolMisuseError
        before Ready."""
        if self.state != OPEN:
            raise ProtocolMisuseError("a line before the road is open")
        pieces[-1] += b"\n"
        return pieces

    def _enter(self, state, now_ms, deadline_ms):
        self.state = state
        self._since_ms = now_ms
        self.deadline_ms = deadline_ms

    def _break(self, reason):
        self._enter(BROKEN, None, None)
        self._data = b""
        self._at = 0
        return Broken(reason)

    def _name_before_bytes(self):
        end = len(self._data)
        for stop in (b"\n", b"{", b"["):
            found = self._data.find(stop, 0, end)
            if found >= 0:
                end = found
        if end > _NAMING_BYTES:
            return self._break("its name does not end within %d bytes" % _NAMING_BYTES)
        if end == len(self._data):
            return None
        return self._named(end, 1 if self._data[end] == 10 else 0)

    def _named(self, end, skip) -> "Named | Broken | None":
        """The name is all up to `end`; lines begin `skip` bytes after it."""
        try:
            self.peer = codec.name(self._data[:end].strip(SPACE))
        except InvalidLineError as refused:
            return self._break("its name is none: %s" % refused)
        self._at = end + skip
        self._enter(GREETING, self._since_ms, self._since_ms + _APART_MS)
        return Named(self.peer)

    def _line_event(self):
        """Go on to the end of a line or of the data; the event of the line, if it ended and is not blank."""
        end = self._data.find(b"\n", self._at)
        ended = end >= 0
        piece = self._data[self._at : end] if ended else self._data[self._at :]
        self._at += len(piece) + (1 if ended else 0)
        line = self._line
        self._line = [] if ended else line
        if line is None:
            return None
        if line and len(line[-1]) < _PIECE_BYTES:
            line[-1] += piece
        else:
            line.append(piece)
        if sum([len(one) for one in line]) > self.line_max:
            self._line = [] if ended else None
            return self._event(None)
        return self._event(b"".join(line)) if ended else None

    def _event(self, line) -> "tuple | None":
        """The event of a whole line (bytes without its newline; None if it is too long), None if it is blank."""
        if line is None:
            return Refusal("a line of more than %d bytes" % self.line_max, None)
        piece = line.strip(SPACE)
        if not piece:
            return None
        if piece[0] == 123:  # {
            return self._merchant_event(piece)
        try:
            if piece[0] == 91:  # [
                return Message(codec.decode_message(piece))
        except InvalidLineError as refused:
            return Refusal(str(refused), None)
        return Refusal("a line that is neither a merchant nor a message", None)

    def _merchant_event(self, line):
        """The event of a merchant's line, None if it waits for memory."""
        whole = self.has_memory is None or self.has_memory(_TIMES_LINE * len(line))
        self.waiting = None if whole or codec.id_of(line) is not None else line
        if self.waiting is not None:
            return None
        try:
            return Arrived(codec.decode(line, whole), whole)
        except InvalidLineError as refused:
            return Refusal(str(refused), codec.id_of(line))
