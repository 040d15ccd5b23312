"""A connection to a peer of whom a key is asked: nobody before the proof, and no line without its seal.

Here: when what is said, and what ends the connection. Not here: the proof and the seals themselves (keyed.py), all that
a connection does with or without a key (protocol.py). Imported only where there is a key.

    state      what ends it                                                               next
    GREETING   our name has been out for 200 ms: a newline and our hello go out           PROVING
    PROVING    our proof is out, and the peer's has come                                  OPEN
               5 s, or anything but the peer's hello and its proof                        BROKEN

Nobody is named before the proof, so a peer that has none never comes near a road. From then on the first line that is
not as the peer sealed it ends the connection. The peer is told nothing, whatever it was: it sees the end.
"""

from deskonomy.compat import const
from deskonomy.errors import AuthenticationError
from deskonomy.wire.protocol import GREETING, OPEN, Broken, Connection, Named, Ready, Send
from deskonomy.wire.sealing import LINE_MORE, Keyed

PROVING = const(6)

_PROVING_MS = const(5000)


class KeyedConnection(Connection):
    """A Connection. key_of: function from a peer's name to the key (bytes) that is asked of it, or None for none.

    peer: None until it is proven, where a key is asked.
    """

    def __init__(self, name, now_ms, line_max, key_of):
        Connection.__init__(self, name, now_ms, line_max)
        self._key_of = key_of
        self._keyed = None  # a Keyed if a key is asked of the peer
        self._claims = None  # what it then says its name is

    def send(self, pieces):
        if self._keyed is not None and self.state == OPEN:
            pieces[0] = self._keyed.seal(*pieces)
        return Connection.send(self, pieces)

    def _named(self, end, skip):
        event = Connection._named(self, end, skip)
        if isinstance(event, Broken):
            return event
        self._claims, self.peer = self.peer, None
        key = self._key_of(self._claims)  # who cannot tell raises, and nobody is named
        if key is None:
            self.peer = self._claims
            return event
        if self._claims == self.name:
            return self._break("it is this city itself")
        self._keyed = Keyed(key, self.name, self._claims)
        self.line_max += LINE_MORE
        self.excuse = "%s has not proven that it has our key: the keys differ, or it has none" % self._claims
        return None

    def _due(self, now_ms):
        keyed = self._keyed
        if keyed is not None and self.state == GREETING:
            self._enter(PROVING, now_ms, now_ms if keyed.met else now_ms + _PROVING_MS)
            return Send(b"\n%s\n" % keyed.hello())
        if self.state != PROVING:
            return Connection._due(self, now_ms)
        if keyed.met and not keyed.sealed:
            self.deadline_ms = now_ms if keyed.opened else self._since_ms + _PROVING_MS
            return Send(keyed.seal(b"") + b"\n")
        if not keyed.opened:
            return self._break(self.excuse)
        self._enter(OPEN, now_ms, None)
        return Ready()

    def _event(self, line):
        keyed = self._keyed
        if keyed is None:
            return Connection._event(self, line)
        if line == b"" and not keyed.met:
            return None  # the newline of a bare name may come late
        try:
            if line is None:
                raise AuthenticationError
            if keyed.opened:
                return Connection._event(self, keyed.open(line))
            if keyed.met:
                keyed.open(line)
            else:
                keyed.meet(line)
        except AuthenticationError:
            return self._break(self.excuse or "what came was not as the peer had sealed it")
        if self.state == PROVING:
            self.deadline_ms = self._since_ms  # there is a step to be done now
        if not keyed.opened:
            return None
        self.sealed = True
        self.excuse = None
        self.peer = self._claims
        return Named(self.peer)
