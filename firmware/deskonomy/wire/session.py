"""The dialogue of two cities over one connection: bytes and time in, bytes out.

Here: which line is sent when, what a peer is known to be, keepalive. Not here: the handshake and the lines
(wire/protocol.py), merchants that arrive and their answers (wire/inbound.py), the ledger (roads/ledger.py), sockets and
tasks (wire/connection.py). docs/protocol.md has the messages.

Messages are sent only to a peer that has shown on this connection that it understands them, by an id of its merchants
or by a message. A merchant is one line, sent in the order of sequences and never twice on a connection. After a
reconnect the ledger is sent again from its beginning; the first merchant of a connection may have any sequence, because
those before it were acknowledged. A peer that misses some of them answers with the sequence that it expects (the
message "missing"), enters nothing, and ends the connection; then this end numbers its merchants again. A peer to which
nothing is outbound any more, in a checkpoint either, gets the message "settled": it may forget the last arrival.

What the peer is known to be decides what is sent, what a checkpoint keeps and which deadline runs:

    state          merchants sent            outbound in checkpoints  deadline
    UNKNOWN        the first                 yes                      none
    PROBING        none: one is in flight    yes                      10 s for its acknowledgement, or for a pong
    ACKNOWLEDGING  as many as its window     yes                      none
    LEGACY         all, each at most once    no                       none

A peer that is not known to understand messages gets no merchant that trades a good that the peer may not have. If such
a merchant wants to leave, an unknown peer is probed by a ping: the tutorial's cities ignore it, and any city of this
project answers.

A session begins in LEGACY if an earlier session has ended there, else in UNKNOWN. If the 10 s pass on a road whose peer
has acknowledged before, the connection ends and the merchants wait, because they may have arrived.
"""

from deskonomy.compat import TYPE_CHECKING, const
from deskonomy.events import LINE_REJECTED, MERCHANT_RETURNED, PRICES_DROPPED
from deskonomy.roads.wire_road import ACKNOWLEDGING, LEGACY, PROBING, UNKNOWN
from deskonomy.version import FEATURES, SOFTWARE, WIRE
from deskonomy.wire import codec, protocol
from deskonomy.wire.inbound import Inbound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deskonomy.roads.wire_road import WireRoad
    from deskonomy.wire.protocol import Protocol
    from deskonomy.wire.sealed_protocol import SealedProtocol

# What happens to a peer's state.
_SENT = const(0)  # a merchant is sent
_MESSAGE = const(1)  # a message comes that is no answer
_ANSWER = const(2)  # an acknowledgement or a rejection comes
_TIMEOUT = const(3)  # no answer has come within _PROBE_MS
_UNNUMBERED = const(4)  # a merchant without an id comes from a peer that has sent no message

_TRANSITIONS = (
    # from UNKNOWN, ACKNOWLEDGING, LEGACY, PROBING
    (PROBING, ACKNOWLEDGING, LEGACY, PROBING),  # _SENT
    (UNKNOWN, ACKNOWLEDGING, UNKNOWN, PROBING),  # _MESSAGE
    (ACKNOWLEDGING, ACKNOWLEDGING, ACKNOWLEDGING, ACKNOWLEDGING),  # _ANSWER
    (UNKNOWN, ACKNOWLEDGING, LEGACY, LEGACY),  # _TIMEOUT
    (LEGACY, ACKNOWLEDGING, LEGACY, LEGACY),  # _UNNUMBERED
)

_PROBE_MS = const(10_000)
_PING_MS = const(5_000)  # without another line; twice within _SILENCE_MS, so that one lost ping ends nothing
_SILENCE_MS = const(15_000)
# A session that is looked at so late (a laptop that slept) first reads what has come in the meantime.
_LATE_MS = const(1_000)
_VERSION_MAX = const(32)  # characters of a peer's version that are kept
# A peer may send so many rejected lines at once, and one a second besides. A newer version's peer may send some.
_REJECTED_MAX = const(32)
MISBEHAVED = "too many rejected lines"  # why a connection fails


class Session:
    """The dialogue on one connection.

    Give received bytes to receive(). Call advance() after that, when deadline_ms() has come, and when the road has
    changed; then write next_bytes() until there are none. Call end() at last.

    Attributes:
        protocol: the Protocol or SealedProtocol of the connection.
        road: the WireRoad that the connection carries, None before attach_road() and after end().
        ready: whether merchants may be sent: the handshake is complete.
        failure: why the connection has to end, None while it need not.
        peer_state: what the peer is known to be, see above.
        received_ms: when anything last came from the peer.
        heard_ms: the same, but without the time in which this end did not read.
        peer_version: the software that the peer states, any text of the peer's; None until it does.
    """

    peer_version: "str | None" = None
    _states_version = True  # until it is sent

    def __init__(self, protocol: "Protocol | SealedProtocol", now_ms: int, log: "Callable[[str, str], object]") -> None:
        self.protocol = protocol
        self.road: WireRoad | None = None
        self.ready = False
        self.failure: str | None = None
        self.peer_state = UNKNOWN
        self.heard_ms = self.received_ms = now_ms
        self._log = log
        self._logged: list[str] = []  # types of events that are logged once for each connection
        self._inbound: Inbound | None = None
        self._output: list[bytes | bytearray] = []  # what is being sent, in pieces
        self._sends_merchant = False  # _output is a merchant, or its last piece may still be on its way out
        self._pong: int | None = None  # the number of a ping that is not answered yet
        self._sent_ms = now_ms
        self._peer_sends_messages = False
        self._sent_sequence = 0  # of the last merchant sent
        self._settled_sequence = 0  # of the last "settled" sent
        self._ends = False  # the connection ends once what is being sent is out
        self._probe_ms = 0  # when the state became PROBING
        self._rejected_ms = now_ms  # a second more for each rejected line, and at least now
        self._peer_window: int | None = None  # merchants that the peer takes before it saves them; None until it says
        self._end_ms: int | None = None  # when to end after the peer has hung up, None while it has not

    @property
    def peer(self) -> "str | None":
        """The name of the city at the other end, None until known."""
        return self.protocol.peer

    def attach_road(self, road: "WireRoad") -> None:
        """Carry this road from now on: its peer has this session's peer's name, and no other connection carries it."""
        self.road = road
        self._inbound = Inbound(road)
        self.peer_state = LEGACY if road.peer_state == LEGACY else UNKNOWN
        self._open_road()
        if self.protocol.is_sealed:  # only a city of this project has a key
            road.proven = True
            self._note_message(_MESSAGE)

    def wants_bytes(self) -> bool:
        """Return whether to read more: the road is not full, or little has come that has to wait for that."""
        if self.protocol.waiting is not None or self.failure is not None:
            return False
        return self._wants_events() or self.protocol.has_little_unread()

    @property
    def hung_up(self) -> bool:
        """Whether the peer has hung up, and merchants of it still wait for room."""
        return self._end_ms is not None

    def hang_up(self, now_ms: int) -> None:
        """Note that the peer has hung up: nothing is sent any more. What has come may wait for room for a while."""
        if self.road is not None and not self._may_send_messages() and self.is_waiting():
            self.road.state = "down"
            self._end_ms = now_ms + _SILENCE_MS

    def is_waiting(self) -> bool:
        """Return whether what has come waits for room or memory."""
        return self.failure is None and (self.protocol.waiting is not None or not self._wants_events())

    def receive(self, data: bytes, now_ms: int) -> None:
        """Take bytes from the peer; advance() acts on them."""
        self.heard_ms = self.received_ms = now_ms
        self.protocol.receive(data, now_ms)

    def advance(self, now_ms: int) -> None:
        """Do everything that time, the road and the received bytes permit."""
        self._discount_sleep(now_ms)
        for event in self.protocol.elapse(now_ms):
            self._handle(event)
        while self._wants_events():
            event = self.protocol.next_event()
            if event is None:
                break
            self._handle(event)
        else:
            self.heard_ms = now_ms  # the peer's silence does not count while this end does not read
        if self._inbound is not None:
            self._inbound.record_rejections()
        if self.peer_state == PROBING and now_ms - self._probe_ms >= _PROBE_MS:
            self._end_probe(_TIMEOUT)
        if self._peer_sends_messages and now_ms - self.heard_ms >= _SILENCE_MS:
            self._fail("silent for %d s" % (_SILENCE_MS // 1000))
        if self._end_ms is not None and now_ms >= self._end_ms:
            self._fail("it hung up")

    def next_bytes(self, now_ms: int) -> "bytes | bytearray | None":
        """Return what to write now, all of it before the next call; None for nothing."""
        if not self._output:
            self._sends_merchant = False
            line = self._next_line(now_ms)
            if line is None:
                return None
            self._output = line
        self._sent_ms = now_ms
        return self._output.pop(0)

    def deadline_ms(self) -> "int | None":
        """Return when advance() next has something to do, None for never."""
        if self._ends:
            return self._sent_ms
        if self._end_ms is not None:
            return self._end_ms
        due_ms = self.protocol.deadline_ms  # no list of all deadlines: this is called often, and a list makes garbage
        if self._may_send_messages():
            due_ms = _earlier(due_ms, self._sent_ms + _PING_MS)
        if self._peer_sends_messages:
            due_ms = _earlier(due_ms, self.heard_ms + _SILENCE_MS)
        if self.peer_state == PROBING:
            due_ms = _earlier(due_ms, self._probe_ms + _PROBE_MS)
        return due_ms

    def answers_probes(self) -> bool:
        """Return whether the peer is known to answer what encode_probe() returns."""
        return self._peer_sends_messages

    def end(self, redialled: bool) -> None:
        """End the session: the road is free, and each merchant is in one place again.

        Args:
            redialled: whether this end dials the peer again. If not, merchants that were never sent return, unless the
                peer has acknowledged before.

        Raises:
            MemoryError: Not every merchant could return; those that could not are still outbound.
        """
        road, inbound = self.road, self._inbound
        if road is None or inbound is None:
            return
        self.road = self._inbound = None
        self.peer_state = UNKNOWN
        road.state = "down"  # the road's next assignments take no memory
        road.connection = None
        road.dialled = redialled
        road.drop_unadmitted()
        try:
            event = self.protocol.next_event()
            while event is not None:  # a merchant without an id comes only once: it waits, or is lost
                if isinstance(event, protocol.MerchantReceived) and not inbound.is_numbered(event.merchant.id):
                    if len(road.inbound) - len(road.list_returning()) < road.capacity:
                        event.merchant.id = None
                        road.inbound.append(event.merchant)
                    else:
                        road.lost += 1
                event = self.protocol.next_event()
        except MemoryError:
            pass  # merchants with an id come again
        if self._sends_merchant and road.peer_state == LEGACY:
            road.lost += 1
        if not redialled and road.peer_state != ACKNOWLEDGING:
            road.return_unsent()

    # Sending.

    def _next_line(self, now_ms: int) -> "list[bytes | bytearray] | None":
        road, inbound = self.road, self._inbound
        if road is None or inbound is None or not self.ready or self.failure is not None or self.hung_up:
            return None
        may_send_messages = self._may_send_messages()
        if may_send_messages and self._states_version:
            self._states_version = False
            return self._encode_message("version", WIRE, SOFTWARE, FEATURES)
        if may_send_messages and not inbound.window_sent:
            inbound.window_sent = True
            return self._encode_message("room", road.capacity)
        if self._ends:
            self._fail("a merchant is missing before the first that it sends")
            return None
        answer = inbound.next_answer()
        if answer is not None:
            self._ends = inbound.missing is not None
            return self._encode_message(*answer)
        line = self._next_merchant(road, now_ms)
        if line is None and self.peer_state == UNKNOWN and road.barred and not may_send_messages:
            self.peer_state = PROBING
            self._probe_ms = now_ms
            line = self.encode_ping(now_ms)
        if line is None and self._pong is not None:
            line, self._pong = self._encode_message("pong", self._pong), None
        is_settled = not road.outbound and self._settled_sequence != road.sequence == road.settled_sequence
        if line is None and may_send_messages and is_settled:
            self._settled_sequence = road.sequence
            line = self._encode_message("settled", road.ledger.incarnation, road.sequence)
        if line is None and may_send_messages and now_ms - self._sent_ms >= _PING_MS:
            line = self.encode_ping(now_ms)
        return line

    def encode_probe(self, now_ms: int) -> "list[bytes | bytearray]":
        """Return a line that a live peer answers, or that at least its machine does if the peer is gone: in pieces."""
        return self.encode_ping(now_ms) if self._may_send_messages() else self.protocol.send([b""])

    def encode_ping(self, now_ms: int) -> "list[bytes | bytearray]":
        """Return a ping, in pieces."""
        return self._encode_message("ping", now_ms // 1000)

    def _encode_message(self, *fields: "str | int") -> "list[bytes | bytearray]":
        return self.protocol.send([codec.encode_message(fields)])

    def _next_merchant(self, road: "WireRoad", now_ms: int) -> "list[bytes | bytearray] | None":
        """Return the line of the next merchant, None if none may be sent."""
        if not road.outbound or self.peer_state == PROBING:
            return None
        in_flight = max(0, self._sent_sequence + 1 - road.outbound[0].id[1])
        if in_flight >= len(road.outbound) or (self._peer_window is not None and in_flight >= self._peer_window):
            return None
        merchant = road.outbound[in_flight]
        sequence = merchant.id[1]
        if sequence > road.saved_sequence:
            return None
        if not road.accepts(merchant.good):
            if self.peer_state == LEGACY:
                road.return_unsent()  # the city keeps those that the peer does not accept, and sends the others again
            return None
        # An end may be behind what is not read. Merchants that wait here make room in the city, so that more is read;
        # only on a full road, where nothing moves else, is one sent after all.
        if road.credit() > 0 and not self.wants_bytes() and not self._may_send_messages():
            return None
        pieces = codec.encode_merchant(merchant, road.list_goods())  # before any change: it may raise MemoryError
        pieces = self.protocol.send(pieces)
        if self.peer_state == UNKNOWN:
            self._probe_ms = now_ms
        self.peer_state = _TRANSITIONS[_SENT][self.peer_state]
        self._sent_sequence = sequence
        self._sends_merchant = True
        road.sent_sequence = max(road.sent_sequence, sequence)
        if self.peer_state == LEGACY:
            road.outbound.pop(0)
        return pieces

    def _may_send_messages(self) -> bool:
        return self._peer_sends_messages or (self._inbound is not None and self._inbound.incarnation is not None)

    # Receiving.

    def _wants_events(self) -> bool:
        if self.failure is not None or (self.peer is not None and self.road is None):
            return False
        return self._inbound is None or not self._inbound.is_full()

    def _handle(self, event: "protocol.Event") -> None:
        if isinstance(event, protocol.DataToSend):
            self._output.append(event.data)
        elif isinstance(event, protocol.MerchantReceived):
            self._fail(self._inbound.receive(event.merchant))
            self.road.learn_goods(event.merchant)
            if event.merchant.id is None:
                self._note_unnumbered()
            if not event.whole:
                self._log_once(PRICES_DROPPED, "no memory for all prices that merchants from %s know", self.peer)
        elif isinstance(event, protocol.MessageReceived):
            self._handle_message(event.fields)
        elif isinstance(event, protocol.LineRejected):
            failure = self._inbound.reject(event.id, event.reason)
            self._fail(failure)
            if failure is None:
                self.road.rejected += 1
                self._rejected_ms = max(self._rejected_ms, self.received_ms) + 1000
                if self._rejected_ms > self.received_ms + 1000 * _REJECTED_MAX:
                    self._fail(MISBEHAVED)
                text = "%s sent a line that this city rejects: %s (more of them are only counted)"
                self._log_once(LINE_REJECTED, text, self.peer, event.reason)
        elif isinstance(event, protocol.RoadReady):
            self.ready = True
            self._open_road()
        elif isinstance(event, protocol.ProtocolFailed):
            self._fail(event.reason)

    def _handle_message(self, fields: "Sequence[str | int]") -> None:
        """Act on a message. A malformed or unknown message changes nothing, and shows nothing about the peer."""
        name, values = fields[0], fields[1:]
        if name == "hello":  # of a sealed connection; with a key for the peer this line never gets here
            hint = self.protocol.key_hint
            self._fail("%s wants a key, and this city has none for it%s" % (self.peer, hint))
        elif name in ("ack", "refuse"):
            self._handle_answer(name, values)
        elif name in ("settled", "missing"):
            if len(values) == 2 and isinstance(values[0], int) and isinstance(values[1], int):
                self._note_message(_MESSAGE)
                if name == "settled":
                    self.road.ledger.mark_settled(values[0], values[1], self.road.name)
                elif values[0] == self.road.ledger.incarnation:
                    self._renumber(values[1])
        elif name == "version":
            if len(values) > 1 and isinstance(values[0], int) and isinstance(values[1], str):
                self._note_message(_MESSAGE)
                self.peer_version = values[1][:_VERSION_MAX]
        elif len(values) == 1 and isinstance(values[0], int):
            if name in ("ping", "pong"):
                self._note_message(_MESSAGE)
                if name == "ping":
                    self._pong = values[0]
            elif name == "room" and values[0] > 0:
                self._note_message(_MESSAGE)
                self._peer_window = values[0]

    def _handle_answer(self, name: str, values: "Sequence[str | int]") -> None:
        if len(values) < 2 or values[0] != self.road.ledger.incarnation:
            return
        sequence = values[1]
        if not isinstance(sequence, int) or sequence > self._sent_sequence:
            self._fail("it answers for a merchant that was not sent")
            return
        self._note_message(_ANSWER)
        if name == "ack":
            self.road.acknowledge(sequence)
        elif self.road.reject(sequence):
            reason = values[2] if len(values) > 2 else ""
            self._log(MERCHANT_RETURNED, "%s rejects a merchant, which returns: %s" % (self.peer, reason))

    def _renumber(self, sequence: int) -> None:
        """Act on a peer that has entered no merchant from this sequence on, and expects it next."""
        road = self.road
        if road is not None and road.outbound and 0 < sequence < road.outbound[0].id[1]:
            from deskonomy.roads.remedies import renumber  # it takes memory, and is seldom needed

            renumber(road, sequence)
            self._fail("it expects number %d, and gets it on the next connection" % sequence)

    def _note_message(self, event: int) -> None:
        """Note that the peer understands messages: it is a city of this project."""
        self._peer_sends_messages = True
        self.peer_state = _TRANSITIONS[event][self.peer_state]
        if self.peer_state == PROBING and not self._sent_sequence:  # the probe was a ping
            self.peer_state = UNKNOWN
        self.road.set_peer_state(ACKNOWLEDGING)

    def _note_unnumbered(self) -> None:
        """Act on a merchant without an id of the peer's: a city of this project sends none."""
        if not self._may_send_messages() and self.road.peer_state != ACKNOWLEDGING:
            self._end_probe(_UNNUMBERED)

    def _end_probe(self, event: int) -> None:
        """Act on a sign that the peer does not acknowledge."""
        if self.road.peer_state == ACKNOWLEDGING:
            self._fail("it has acknowledged merchants before, but acknowledges nothing now")
        else:
            if self.peer_state != LEGACY:
                self.road.end_probe()
            self.peer_state = _TRANSITIONS[event][self.peer_state]
            self.road.set_peer_state(self.peer_state)

    # The rest.

    def _discount_sleep(self, now_ms: int) -> None:
        """Leave the time in which this machine slept out of the peer's silence."""
        due_ms = self.deadline_ms()
        if due_ms is not None and now_ms - due_ms > _LATE_MS:
            late_ms = now_ms - due_ms + _LATE_MS
            self.heard_ms += late_ms
            self._probe_ms += late_ms

    def _open_road(self) -> None:
        if self.ready and self.road is not None and not self.hung_up:
            self.road.state = "up"

    def _fail(self, reason: "str | None") -> None:
        """Note why the connection has to end; None for nothing. The first reason counts."""
        if self.failure is None:
            self.failure = reason

    def _log_once(self, event: str, text: str, *values: "str | None") -> None:
        if event not in self._logged:
            self._logged.append(event)
            self._log(event, text % values)


def _earlier(first_ms: "int | None", second_ms: int) -> int:
    """Return the earlier of two points in time; None is never."""
    return second_ms if first_ms is None or second_ms < first_ms else first_ms
