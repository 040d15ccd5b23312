"""The exceptions of the host tool.

Here: the two ways in which a command fails, each one line for the user, and the line for a bug. Not here: how that line
is printed and which exit status it becomes (cli/__init__.py), the exceptions of the core (deskonomy/errors.py).

    DeskonomyError (the core's base)
        InvalidLineError, AuthenticationError, ConfigError, ProtocolMisuseError
        InvalidCheckpointError
            NewerFormatError
        OperationError      exit status 1: a port, a file, a peer or a city does not do what it should
            NoRoadError     a road of the library cannot be opened, or is closed (roads/client.py)
        UsageError          exit status 2: arguments or a world file are not valid
"""

import os
import re
import traceback

from deskonomy.errors import DeskonomyError


class OperationError(DeskonomyError):
    """An operation failed: a port, a file, a peer, or a city that does not run (exit status 1)."""


class UsageError(DeskonomyError):
    """Invalid arguments or world file; the message says what to type instead (exit status 2)."""


def describe_os_error(error: OSError) -> str:
    """Return why a connection or a listener fails, in the system's words, without numbers of errors and addresses."""
    text = error.strerror or str(error)
    # asyncio gives "Connect call failed ('127.0.0.1', 1)", or, for a host of several addresses, all of their errors.
    numbers = [error.errno] if error.strerror and "(" in text else map(int, re.findall(r"\[Errno (\d+)\]", text))
    causes = list(dict.fromkeys(os.strerror(number) for number in numbers if number)) or [text or "no answer in time"]
    return " and ".join(cause[:1].lower() + cause[1:] for cause in causes)


def describe_bug(error: BaseException) -> str:
    """Return one line about an exception that is a bug, with the place where it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" at {os.path.basename(last[0].filename)}:{last[0].lineno}" if last else ""
    return f"a bug in deskonomy, please report it: {type(error).__name__}{place}: {error}"
