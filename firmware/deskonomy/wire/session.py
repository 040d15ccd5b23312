"""What two cities say to each other over one connection: bytes and time in, bytes out.

Here: "exactly once" on the wire, keepalive, what a peer shows of itself. Not here: the handshake and the lines
(protocol.py), who is in the ledger (ledger.py), sockets and tasks (link.py).

A merchant is one line, sent in order of sequence and never twice on a connection. Messages go to nobody who has not
shown to be one of ours, by an id on its merchants or by a message:

    ["ack", incarnation, sequence]             all merchants up to this one are saved here
    ["refuse", incarnation, sequence, reason]  all before this one are saved here; this one never gets in
    ["room", n]                                at most n of the peer's merchants are taken in before they are saved
    ["ping", n], ["pong", n]                   after 5 s without another word; 15 s without any end the connection

Both ends say their room first, and neither sends beyond it. So a city that is full need not stop reading such a peer,
whose acknowledgements would else lie behind its merchants, while theirs lie behind ours, and nobody could ever leave.

Until a peer acknowledges on this connection, one merchant is under way to it. The first that comes with an id is
answered at once, with what is saved so far, so that a slow checkpoint makes nobody a stranger. Who does not answer
within 10 s is none of ours: it gets merchants at most once, and no checkpoint holds them. Unless it has been one of
ours before: who has its merchants is then in doubt, so the connection ends and they wait.

After a reconnect the ledger is sent again from its beginning. Who has come already is dropped and acknowledged; a gap
inside a connection ends it. Only what is wrong with a line itself may refuse it, so that it is refused each time. The
first merchant of a connection may be any: those before it were acknowledged once.
"""

from deskonomy.compat import const
from deskonomy.wire import codec, protocol

_PROBE_MS = const(10_000)
_PING_MS = const(5_000)
_SILENCE_MS = const(15_000)
_LATE_MS = const(1_000)  # whoever looks so late at what is due (a laptop that slept) looks at what has come, first
_REFUSALS_MAX = const(8)  # that wait to be told; while there are more, nothing is read


class Session:
    """One connection's talk, over a protocol.Connection.

    Give received bytes to receive(); call advance() after that, when deadline_ms() has come, and when the road has
    changed; then write out next_bytes() until there are none, and call end() at last. carry() gives it a road, once
    peer is known and the road is free. ready: whether merchants could ever be sent. broken: why the connection has to
    end (str), None while it need not. came_ms: when anything last came from the peer. heard_ms: the same, but the time
    in which nobody listened is no silence. log: called with one line of text.
    """

    def __init__(self, connection, now_ms, log):
        self.connection = connection
        self.road = None
        self.ready = False
        self.broken = None
        self.heard_ms = self.came_ms = now_ms
        self._log = log
        self._lines = []  # of the handshake, to be sent first
        self._pieces = []  # of the line that is being written
        self._pong = None  # the number of a ping to be answered
        self._said_ms = now_ms
        self._ours = False  # the peer has shown so on this connection, so it may be sent messages
        self._answers = False  # it has sent a message
        self._trusted = False  # it has acknowledged
        self._sent = 0  # sequence of the last merchant that was sent
        self._probe_ms = None  # when the first was sent
        self._writing = False  # the last that was sent may not be out
        self._incarnation = None  # the peer's, known from the first merchant with an id
        self._came = None  # sequence of the last merchant that came
        self._acked = None  # sequence that was acknowledged last
        self._refusals = []  # (sequence, reason), told once they are safe
        self._invited = False  # the peer was told our room
        self._room = None  # what the peer has, once it has said so
        self._complained = False
        self._forgets = False

    @property
    def peer(self):
        return self.connection.peer

    def carry(self, road):
        """From now on this connection carries that ledger.WireRoad."""
        self.road = road
        self._open()
        if self.connection.sealed:
            self._show()

    def wants_bytes(self):
        """Whether to read on. Who is full stops reading, and so does who cannot get rid of its answers."""
        return self._wants_events() and self.connection.waiting is None

    def _wants_events(self):
        if self.broken is not None or (self.peer is not None and self.road is None):
            return False
        return not self._is_full() and len(self._refusals) < _REFUSALS_MAX

    def _is_full(self):
        road = self.road
        if road is None or len(road.inbound) < road.room:
            return False
        # Who comes home is nobody of the peer's, and may have to wait until it is heard that others have arrived. Who
        # knows our room keeps to it; one more than that has come from somebody who does not.
        return len(road.inbound) - len(road.home()) >= road.room + self._invited

    def receive(self, data, now_ms):
        """Take in what came from the peer."""
        self.heard_ms = self.came_ms = now_ms
        self.connection.receive(data, now_ms)

    def advance(self, now_ms):
        """Go on as far as time, the road and what was received allow."""
        self._make_up_for_sleep(now_ms)
        for event in self.connection.elapse(now_ms):
            self._take_in(event)
        while self._wants_events():
            event = self.connection.next_event()
            if event is None:
                break
            self._take_in(event)
        else:
            self.heard_ms = now_ms  # it is not heard because nobody listens
        self._settle()
        if self._probing() and now_ms - self._probe_ms >= _PROBE_MS:
            self._give_up_probe()
        if self._answers and now_ms - self.heard_ms >= _SILENCE_MS:
            self._break("silent for %d s" % (_SILENCE_MS // 1000))

    def next_bytes(self, now_ms):
        """What to write now (bytes or bytearray), all of it before the next call; None for nothing."""
        if not self._pieces:
            self._writing = False
            line = self._next_line(now_ms)
            if line is None:
                return None
            self._pieces = line
            self._said_ms = now_ms
        return self._pieces.pop(0)

    def deadline_ms(self):
        """When advance() next has something to do; None for never."""
        due_ms = self.connection.deadline_ms  # asked for so often that a list of all would be worth a collection
        if self._ours:
            due_ms = _earlier(due_ms, self._said_ms + _PING_MS)
        if self._answers:
            due_ms = _earlier(due_ms, self.heard_ms + _SILENCE_MS)
        if self._probing():
            due_ms = _earlier(due_ms, self._probe_ms + _PROBE_MS)
        return due_ms

    def end(self, redialled):
        """The connection is over. Every merchant is in one place again, and the road is free.

        redialled: whether this side dials again. If nobody may, those who have not set out come home.
        """
        road, self.road = self.road, None
        if road is None:
            return
        self._refusals = []  # whoever looks on after the end finds nothing to settle
        road.state = "down"  # and what the road is from now on takes no memory
        road.link = None
        try:
            event = self.connection.next_event()
            while event is not None:  # who has arrived whole and comes but once is let in, also beyond the room
                if isinstance(event, protocol.Arrived) and not self._is_numbered(event.merchant, road):
                    event.merchant.id = None
                    road.inbound.append(event.merchant)
                event = self.connection.next_event()
        except MemoryError:
            pass  # whoever has an id comes again
        road.drop_unsettled()
        if self._writing and road.ours is False:
            road.lost += 1
        if not redialled and road.ours is not True:
            road.turn_back()

    # What is said.

    def _make_up_for_sleep(self, now_ms):
        """Time in which nobody looked here is no silence of the peer's."""
        due_ms = self.deadline_ms()
        if due_ms is not None and now_ms - due_ms > _LATE_MS:
            late_ms = now_ms - due_ms + _LATE_MS
            self.heard_ms += late_ms
            if self._probe_ms is not None:
                self._probe_ms += late_ms

    def _next_line(self, now_ms):
        if self._lines:
            return [self._lines.pop(0)]
        road = self.road
        if road is None or not self.ready or self.broken is not None:
            return None
        if self._ours and not self._invited:
            self._invited = True
            return self._message("room", road.room)
        line = self._settled(self._came) if self._came is not None else None
        if line is None:
            line = self._departing(road, now_ms)
        if line is None and self._pong is not None:
            line, self._pong = self._message("pong", self._pong), None
        if line is None and self._ours and now_ms - self._said_ms >= _PING_MS:
            line = self._message("ping", now_ms // 1000)
        return line

    def _message(self, *words):
        return self.connection.send([codec.encode_message(words)])

    def _settled(self, came):
        """The refusal or acknowledgement that a checkpoint has made true, if there is one."""
        safe = min(self.road.ledger.safe_of(self._incarnation), came)
        if self._refusals and self._refusals[0][0] <= safe:
            self._acked, reason = self._refusals.pop(0)
            return self._message("refuse", self._incarnation, self._acked, reason)
        if self._refusals:
            safe = min(safe, self._refusals[0][0] - 1)
        if self._acked is not None and safe <= self._acked:
            return None
        self._acked = safe
        return self._message("ack", self._incarnation, safe)

    def _departing(self, road, now_ms):
        """The merchant who is next, if one may set out."""
        if not road.outbound or self._probing():
            return None
        at = max(0, self._sent + 1 - road.outbound[0].id[1])  # so many are under way
        if at >= len(road.outbound) or (self._room is not None and at >= self._room):
            return None
        merchant = road.outbound[at]
        sequence = merchant.id[1]
        if sequence > road.saved:
            return None
        pieces = self.connection.send(codec.encode(merchant))  # if there is no memory for it, nobody has set out
        if self._probe_ms is None:
            self._probe_ms = now_ms
        self._sent = sequence
        self._writing = True
        road.tried = max(road.tried, sequence)
        if road.ours is False:
            road.outbound.pop(0)
        return pieces

    def _probing(self):
        """Whether one merchant is under way, and whoever gets it has not shown to be one of ours."""
        road = self.road
        return road is not None and self._probe_ms is not None and not self._trusted and road.ours is not False

    def _give_up_probe(self):
        if self.road.ours:
            self._break("it is known as one of ours, but acknowledges nothing")
        else:
            self.road.acknowledge(self._sent)
            self.road.turn(False)

    # What is heard.

    def _take_in(self, event):
        if isinstance(event, protocol.Send):
            self._lines.append(event.data)
        elif isinstance(event, protocol.Arrived):
            self._arrive(event.merchant)
            if not event.whole and not self._forgets:
                self._forgets = True
                self._log("no memory for all that merchants from %s know" % self.peer)
        elif isinstance(event, protocol.Message):
            self._hear(event.words)
        elif isinstance(event, protocol.Refusal):
            self._turn_away(event)
        elif isinstance(event, protocol.Ready):
            self.ready = True
            self._open()
        elif isinstance(event, protocol.Broken):
            self._break(event.reason)

    def _arrive(self, merchant):
        if self._is_numbered(merchant, self.road):
            if not self._in_order(merchant.id) or merchant.id[1] <= self._last():
                return
        else:
            merchant.id = None  # passed on by a peer that knows nothing of ids
        self.road.inbound.append(merchant)

    def _is_numbered(self, merchant, road):
        return merchant.id is not None and road.ledger.last_of(merchant.id[0], road.name) is not None

    def _in_order(self, id):
        if self._incarnation is None:
            self._incarnation = id[0]
            self._ours = True
        elif id[0] != self._incarnation or id[1] != self._came + 1:
            self._break("a merchant is missing before number %d" % id[1])
            return False
        self._came = id[1]
        return True

    def _last(self):
        """The sequence of the last who came and was let in or refused."""
        return self.road.ledger.last_of(self._incarnation, self.road.name)

    def _turn_away(self, event):
        """A line cannot be let in. If it is a merchant of ours, that is told when it is safe."""
        road = self.road
        if event.id is not None and road.ledger.last_of(event.id[0], road.name) is not None:
            if not self._in_order(event.id):
                return
            self._refusals.append((event.id[1], event.reason))
        road.refused += 1
        if not self._complained:
            self._complained = True
            self._log("%s sent what cannot be let in: %s (more of that is only counted)" % (self.peer, event.reason))

    def _settle(self):
        """Remember those who are refused, once everybody who came before them is let in."""
        road = self.road
        for sequence, _ in self._refusals:
            waiting = [one for one in road.inbound if one.id is not None and one.id[0] == self._incarnation]
            if waiting and waiting[0].id[1] < sequence:
                break
            if sequence > self._last():
                road.ledger.arrive((self._incarnation, sequence), road.name)
                road.ledger.cross(road)

    def _hear(self, words):
        """A message. One that is malformed or unknown says nothing, and comes from nobody of ours."""
        word, numbers = words[0], words[1:]
        if word in ("ping", "pong"):
            if len(numbers) == 1 and isinstance(numbers[0], int):
                self._show()
                if word == "ping":
                    self._pong = numbers[0]
            return
        if word == "room":
            if len(numbers) == 1 and isinstance(numbers[0], int) and numbers[0] > 0:
                self._show()
                self._room = numbers[0]
            return
        if word == "hello":  # of keyed.py; a city that has the key for us never gets here
            self._break("%s wants a key, and this city has none for it" % self.peer)
            return
        if word not in ("ack", "refuse") or len(numbers) < 2 or numbers[0] != self.road.ledger.incarnation:
            return
        sequence = numbers[1]
        if not isinstance(sequence, int) or sequence > self._sent:
            self._break("it answers for a merchant that was not sent")
            return
        self._show()
        self._trusted = True
        if word == "ack":
            self.road.acknowledge(sequence)
        elif self.road.refuse(sequence):
            self._log("%s refuses a merchant, who comes home: %s" % (self.peer, (numbers + [""])[2]))

    def _show(self):
        """The peer is one of ours."""
        self._ours = self._answers = True
        if self.road.ours is False:
            self._probe_ms = None  # whoever was sent so far was sent for good
        self.road.turn(True)

    def _open(self):
        if self.ready and self.road is not None:
            self.road.state = "up"

    def _break(self, reason):
        if self.broken is None:
            self.broken = reason


def _earlier(one_ms, other_ms):
    """The earlier of two points in time; None is never."""
    return other_ms if one_ms is None or other_ms < one_ms else one_ms
