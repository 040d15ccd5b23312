"""The `deskonomy` command: exit statuses, and one line on stderr for every error.

Here: how a command ends. Not here: which commands there are (cli/app.py). This module imports only small modules, so
that Ctrl-C is answered from the very start.
"""

import contextlib
import io
import os
import select
import signal
import sys

from deskonomy.text import escape

_READ_S = 1.0  # for a terminal or a pipe to take what is still to be printed


def main(arguments: list[str] | None = None) -> int:
    """Run one command line.

    Args:
        arguments: without the name of the program; None for those of this process.

    Returns:
        The exit status: 0 for success, 1 for a failure, 2 for invalid arguments, 130 after Ctrl-C.
    """
    try:
        _end_on_signals()
        return _run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        return 130
    finally:
        _end_quietly()


def _run(arguments: list[str]) -> int:
    from deskonomy_host.errors import OperationError, UsageError, describe_bug

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # where the terminal's encoding lacks a letter, the rest is printed
    try:
        from deskonomy_host.cli import app

        return app.run(arguments)
    except UsageError as error:
        return _print_error(str(error), 2)
    except OperationError as error:
        return _print_error(str(error), 1)
    except OSError as error:
        file = f"{error.filename}: " if error.filename else ""
        return _print_error(f"{file}{error.strerror or error}", 1)
    except Exception as error:  # no traceback reaches a user; the line names the place in the source
        return _print_error(describe_bug(error), 1)


def _print_error(text: str, status: int) -> int:
    """Print one line on stderr; return the exit status."""
    line = escape(" ".join(text.split()))
    with contextlib.suppress(OSError):
        print(f"deskonomy: {line}", file=sys.stderr, flush=True)
    return status


def _end_on_signals() -> None:
    """Let SIGTERM and SIGHUP (a closed terminal) end a command as Ctrl-C does, so that it cleans up."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it in commands that they start with &
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: signal.raise_signal(signal.SIGINT))


def _end_quietly() -> None:
    """Prevent messages of the interpreter's own end about Ctrl-C or a closed pipe, and a wait for a full pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        try:
            if not select.select([], [stream], [], _READ_S)[1]:
                raise TimeoutError("nothing reads it")
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):  # a stream of a test has no file descriptor
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
