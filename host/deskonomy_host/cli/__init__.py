"""The `deskonomy` command from outside: exit statuses, and one line on stderr for everything that goes wrong.

Here: how a command ends. Not here: which commands there are (commands.py). This module loads nothing of weight by
itself, so that Ctrl-C is answered from the very start.
"""

import contextlib
import io
import os
import signal
import sys


def main(words=None):
    """Run one command line; returns its exit status: 0 done, 1 a failure, 2 wrong words, 130 ended by Ctrl-C."""
    try:
        _end_like_ctrl_c()
        return _run(sys.argv[1:] if words is None else words)
    except KeyboardInterrupt:
        return 130
    finally:
        _leave_quietly()


def _run(words):
    from deskonomy_host.errors import OperationError, UsageError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter still shows the rest
    try:
        from deskonomy_host.cli import app as commands

        return commands.run(words)
    except UsageError as error:
        return _complain(error, 2)
    except OperationError as error:
        return _complain(error, 1)
    except OSError as error:
        about = f"{error.filename}: " if error.filename else ""
        return _complain(f"{about}{error.strerror or error}", 1)
    except Exception as error:  # no traceback reaches a user, but the line says where to look
        import traceback

        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{os.path.basename(last.filename)}:{last.lineno}"
        return _complain(f"a mistake of ours, please report it: {type(error).__name__} at {where}: {error}", 1)


def _complain(what, status):
    line = " ".join(str(what).split())
    with contextlib.suppress(OSError):
        print(f"deskonomy: {line}", file=sys.stderr, flush=True)
    return status


def _end_like_ctrl_c():
    """A closed terminal and a polite kill end a command as Ctrl-C does, so that it cleans up after itself."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have it ignored in what they start with &
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: signal.raise_signal(signal.SIGINT))


def _leave_quietly():
    """Let neither Ctrl-C nor a closed pipe have a word in the interpreter's own end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
