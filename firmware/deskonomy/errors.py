"""The exceptions of the core and of a board.

Here: every exception class that a caller may catch, but one that only a start needs; the host adds its own below
DeskonomyError. Not here: when they are raised, which the functions that raise them say.

    DeskonomyError
        InvalidLineError         a line from a peer, or a name, breaks the rules of the wire
        AuthenticationError      a peer has not proven that it has the key
        InvalidCheckpointError   saved bytes are no city, or not the expected one
            NewerFormatError     a later version has saved them, and nothing may replace them (storage/decode.py)
        ConfigError              config.json cannot be used
        ProtocolMisuseError      this program calls the protocol in the wrong state: a bug, never the peer's fault
"""


class DeskonomyError(Exception):
    """The base of every exception that deskonomy raises on purpose."""


class InvalidLineError(DeskonomyError):
    """A line, or a name, breaks the rules of the wire; the text says which rule."""


class AuthenticationError(DeskonomyError):
    """A line is not the proof or the seal that it has to be. The connection ends, and the peer is not told why."""


class InvalidCheckpointError(DeskonomyError):
    """The bytes are no city, or not the expected one; the text says which."""


class ConfigError(DeskonomyError):
    """config.json cannot be used; the text says what to correct."""


class ProtocolMisuseError(DeskonomyError):
    """This program calls the protocol in a state that does not allow the call."""
