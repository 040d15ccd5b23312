"""The exceptions of the host tool.

Here: the two ways in which a command ends before its time, each one line for the user. Not here: how that line is
printed and which exit status it becomes (cli/__init__.py), the exceptions of the core (deskonomy/errors.py).

    DeskonomyError (the core's base)
        InvalidLineError, AuthenticationError, InvalidCheckpointError, ConfigError, ProtocolMisuseError
        OperationError      exit status 1: a port, a file, a peer or a city does not do what it should
            NoRoadError     a road of the library cannot be opened, or is closed
        UsageError          exit status 2: arguments or a world file make no sense
"""

from deskonomy.errors import DeskonomyError


class OperationError(DeskonomyError):
    """An operation failed: a port, a file, a peer, or a city that does not run (exit status 1)."""


class UsageError(DeskonomyError):
    """Invalid arguments or world file; the message says what to type instead (exit status 2)."""
