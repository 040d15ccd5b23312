"""The log of the host: records of the logger "deskonomy", each with the type of its event and its city.

Here: writing records, the core's log as records, attaching handlers for the time of a run, records of another process.
Every text is one line of printable characters, whatever a peer has sent. Not here: the handlers of the dashboard
(telemetry/log_events.py), what the terminal prints (terminal/display.py).

The extra attributes of a record are `event`, a constant of deskonomy/events.py or one of those below, and `city`, a
name or "". No handler and no program parses a message. Terminals print a record as one line without its traceback;
the environment variable DESKONOMY_LOG names a file that gets everything.
"""

import asyncio
import contextlib
import errno
import logging
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator
from typing import Any

from deskonomy.events import BUG, CONNECTIONS_FULL
from deskonomy.text import escape

from deskonomy_host.errors import OperationError, describe_bug
from deskonomy_host.output import GIVE_UP_S, Output

NOTE = "note"
STORY = "story"  # a turn of the demo's story
SCHOOL = "school"  # merchants of the Merchant School
STORE = "store"  # cities saved or restored
HISTORY = "history"  # samples that a history lacks
ENGINE = "engine"  # how the kernel is compiled
OUTPUT = "output"  # lines that a terminal or a pipe did not take
WATCH = "watch"  # a machine that a dashboard watches does not answer
LOG_FILE = "DESKONOMY_LOG"  # environment variable: a file that gets every record, with tracebacks

LOGGER = logging.getLogger("deskonomy")
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)
_DESCRIPTORS_LOG_S = 60.0
_descriptors_logged_s = float("-inf")
_ERROR_NUMBER = re.compile(r"\[Errno -?\d+\] ")  # before the system's own words for an error, which say more
_FORMAT = "%(asctime)s %(levelname)s %(message)s"


def _escape_text(record: logging.LogRecord) -> bool:
    """Make the text of a record safe: it may contain what a peer has sent, and terminals obey control characters."""
    record.msg, record.args = escape(" ".join(record.getMessage().split())), None
    return True


LOGGER.addFilter(_escape_text)


def log_event(event: str, text: str, city: str = "") -> None:
    """Write one record: the type of event, one sentence for a person, and the city that it is about."""
    LOGGER.info("%s", text, extra={"event": event, "city": city})


def make_core_log(city: str) -> Callable[[str, str], None]:
    """Return a function log(event, text), as the core takes it, that writes records of this city.

    A record of BUG has the traceback of the exception that is being handled.
    """

    def log(event: str, text: str) -> None:
        error = sys.exception() if event == BUG else None
        level = logging.ERROR if event == BUG else logging.INFO
        text = _ERROR_NUMBER.sub("", text)
        LOGGER.log(level, "%s", text, extra={"event": event, "city": city}, exc_info=error)

    return log


def get_event(record: logging.LogRecord) -> str:
    """Return the type of a record's event; BUG or NOTE for a record that was written without one."""
    return getattr(record, "event", BUG if record.exc_info or record.exc_text else NOTE)


class LineHandler(logging.Handler):
    """A handler that passes on each record as one line of text, for a terminal."""

    def __init__(self, write: Callable[[str], object]) -> None:
        """Create a handler; write: called with each line."""
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on a record."""
        self._write(record.getMessage())


class _FileHandler(logging.Handler):
    """A handler that appends each record to a file; it waits neither for a full disk nor for the reader of a pipe."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._file = open(path, "a", encoding="utf-8", errors="replace")  # noqa: SIM115 - open for as long as the handler
        self._output = Output(self._file)

    def emit(self, record: logging.LogRecord) -> None:
        """Append a record."""
        with contextlib.suppress(OSError):  # of a pipe that is closed
            self._output.write(self.format(record) + "\n", can_drop=True)

    def close(self) -> None:
        """Wait a moment until everything is written; the file is closed with the last reference to it."""
        self._output.wait(GIVE_UP_S)
        super().close()


def keep_events(handler: logging.Handler, events: Collection[str] | None) -> logging.Handler:
    """Return the handler, which from now on takes only records with events of these types; None for all."""
    if events is not None:
        handler.addFilter(lambda record: get_event(record) in events)
    return handler


@contextlib.contextmanager
def attach(*handlers: logging.Handler) -> Iterator[None]:
    """Add handlers to the logger until the end of the block."""
    level = LOGGER.level
    LOGGER.setLevel(logging.INFO)
    for handler in handlers:
        LOGGER.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            LOGGER.removeHandler(handler)
            handler.close()
        LOGGER.setLevel(level)


def make_file_handlers() -> list[logging.Handler]:
    """Return the handler of the log file that DESKONOMY_LOG names; an empty list without one.

    Raises:
        OperationError: the file cannot be written.
    """
    path = os.environ.get(LOG_FILE)
    if not path:
        return []
    try:
        handler = _FileHandler(path)
    except OSError as error:
        raise OperationError(f"cannot write the log {path}, which {LOG_FILE} names: {error.strerror}") from None
    handler.setFormatter(logging.Formatter(_FORMAT))
    return [handler]


def watch_loop() -> None:
    """From now on log what asyncio reports of the running loop, such as an exception in a connection's task."""
    asyncio.get_running_loop().set_exception_handler(_log_loop_error)


def _log_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in _NO_DESCRIPTORS:
        _log_descriptors(loop.time())
        return
    text = describe_bug(error) if error else context["message"]
    LOGGER.error("%s", text, extra={"event": BUG, "city": ""}, exc_info=error)


def _log_descriptors(now_s: float) -> None:
    """Log that no descriptor is left, once a minute: asyncio reports it often, and tries again by itself."""
    global _descriptors_logged_s
    if now_s - _descriptors_logged_s >= _DESCRIPTORS_LOG_S:
        _descriptors_logged_s = now_s
        text = "no file descriptor is left for another connection; those that wait are accepted when there are some"
        log_event(CONNECTIONS_FULL, text)


def pack_record(record: logging.LogRecord) -> dict[str, Any]:
    """Return a record as a dict that can be pickled; a traceback becomes text."""
    trace = record.exc_text
    if record.exc_info and not trace:
        trace = logging.Formatter().formatException(record.exc_info)
    fields = {"name": record.name, "levelno": record.levelno, "levelname": record.levelname, "exc_text": trace}
    return fields | {"msg": record.getMessage(), "event": get_event(record), "city": getattr(record, "city", "")}


def handle_packed(fields: dict[str, Any]) -> None:
    """Pass the record of another process to the handlers of this one."""
    LOGGER.handle(logging.makeLogRecord(fields))
