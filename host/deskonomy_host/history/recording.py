"""Recording a running history: samples are taken in the loop of the cities, and written by a thread of its own.

Here: when samples are taken, the queue of those that wait, and what happens while they cannot be written: the run goes
on, the log says so once, and says so again when it is over. Not here: how a sample is written (recorder.py).

No tick waits for the disk. Samples that cannot be written wait; only if too many wait, the oldest are dropped.
"""

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from functools import partial

from deskonomy_host.aio import OnFailure, background
from deskonomy_host.errors import OperationError, describe_bug
from deskonomy_host.history.recorder import Recorder, Statuses
from deskonomy_host.logs import HISTORY, LOGGER, log_event
from deskonomy_host.telemetry.events import Event

EVENTS_MAX = 1000  # that wait
STATUSES_MAX = 600  # that wait: some minutes of samples of three cities, and a sample at least
_SAMPLE_TICKS = 100  # a fast run is sampled every 100 ticks,
_WAIT_MIN_S = 0.05  # but at most 20 times a second
_RETRY_S = 0.5
_END_S = 10.0  # for the disk to take the last sample
# Failures that come from a sample and not from the disk: the next sample may do better.
_SAMPLE_ERRORS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.DataError)


class HistoryWriter:
    """The samples that wait to be written, and what the log is told of them.

    One thread adds, another one writes.

    Attributes:
        dropped_count: samples that were dropped because they could not be written in time.
    """

    def __init__(self, recorder: Recorder, report: Callable[[str], object]) -> None:
        """Create a writer; report: called with a sentence for the log, in the thread that writes."""
        self.dropped_count = 0
        self._recorder = recorder
        self._report = report
        self._samples: deque[tuple[float, Statuses]] = deque()  # the oldest first
        self._events: deque[Event] = deque(maxlen=EVENTS_MAX)
        self._lock = threading.Lock()  # of the two above
        self._failure: Exception | None = None
        self._reported_drops = 0
        self._renewals = recorder.renewal_count

    def add(self, statuses: Statuses, time_s: float | None = None) -> None:
        """Add a sample; time_s: seconds since 1970, None for now."""
        with self._lock:
            while self._samples and (len(self._samples) + 1) * len(statuses) > STATUSES_MAX:
                self._samples.popleft()
                self.dropped_count += 1
            self._samples.append((self._recorder.now_s() if time_s is None else time_s, statuses))

    def add_event(self, event: Event) -> None:
        """Add an event, which is written with the next sample."""
        with self._lock:
            self._events.append(event._replace(time_s=event.time_s + self._recorder.shift_s))

    def write_waiting(self) -> bool:
        """Write the samples that wait, and return whether all of them are written. Raises what is a bug."""
        while self._samples:
            with self._lock:
                sample, events = self._samples.popleft(), list(self._events)
                self._events.clear()
            try:
                self._recorder.record(sample[1], sample[0], events)
            except _SAMPLE_ERRORS:
                raise
            except (OperationError, OSError, sqlite3.Error) as error:
                with self._lock:
                    self._samples.appendleft(sample)
                    self._events.extendleft(reversed(events))
                self._report_failure(error)
                return False
            self._report_success()
        return True

    def report_end(self) -> None:
        """Report the samples that could not be written before the end."""
        if self._samples or self.dropped_count > self._reported_drops:
            missing = len(self._samples) + self.dropped_count - self._reported_drops
            reason = f": {self._failure}" if self._failure else ", because the disk is too slow"
            self._report(f"the history lacks its last {missing} samples{reason}")

    def _report_failure(self, error: Exception) -> None:
        if not self._failure:
            self._report(f"the history cannot be recorded: {error}; the cities go on, and so does it when it can")
        self._failure = error

    def _report_success(self) -> None:
        if self._recorder.renewal_count != self._renewals:
            self._renewals = self._recorder.renewal_count
            self._report(f"{self._recorder.path} has vanished: the history goes on in a new file")
        missing = self.dropped_count - self._reported_drops
        if self._failure or missing:
            self._report(f"the history is recorded again{f'; it lacks {missing} samples' if missing else ''}")
        self._reported_drops += missing
        self._failure = None


class _WriterThread:
    """The thread that writes, until end()."""

    def __init__(self, writer: HistoryWriter, close: Callable[[], None]) -> None:
        self._writer = writer
        self._close = close
        self._wake = threading.Event()
        self._is_ending = False
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Write what waits now."""
        self._wake.set()

    async def end(self) -> None:
        """Write what waits and close the history, if the disk does that in time."""
        self._is_ending = True
        self.wake()
        end_s = time.monotonic() + _END_S
        wait_s = 0.001
        while self._thread.is_alive() and time.monotonic() < end_s:
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, 0.05)
        await asyncio.sleep(0)  # for what the thread reports

    def _run(self) -> None:
        is_written = True
        while not self._is_ending:
            self._wake.wait(None if is_written else _RETRY_S)
            self._wake.clear()
            is_written = self._write()
        self._write()
        self._writer.report_end()
        with contextlib.suppress(sqlite3.Error):
            self._close()

    def _write(self) -> bool:
        try:
            return self._writer.write_waiting()
        except Exception as error:
            LOGGER.exception("a sample of the history is lost: %s", describe_bug(error))
            return False


@contextlib.asynccontextmanager
async def recording(recorder: Recorder, read: Callable[[], Statuses]) -> AsyncIterator[HistoryWriter]:
    """Record what read() returns: a sample a second, up to 20 of a fast run, and the last one at the end.

    The recorder is closed at the end.
    """
    loop = asyncio.get_running_loop()

    def report(text: str) -> None:
        with contextlib.suppress(RuntimeError):  # the disk has answered after the end of the loop
            loop.call_soon_threadsafe(log_event, HISTORY, text)

    writer = HistoryWriter(recorder, report)
    thread = _WriterThread(writer, recorder.close)
    try:
        take = partial(_take_samples, writer, read, thread.wake)
        async with background(take, "recording the history", OnFailure.RESTART):
            yield writer
    finally:
        try:
            writer.add(read())
        finally:
            await thread.end()


async def _take_samples(writer: HistoryWriter, read: Callable[[], Statuses], wake: Callable[[], None]) -> None:
    wait_s = _WAIT_MIN_S
    while True:
        statuses = read()
        writer.add(statuses)
        wake()
        pace = max((status.get("ticks_per_s") or 0 for status in statuses), default=0)
        wait_s = min(1, max(_WAIT_MIN_S, _SAMPLE_TICKS / pace if pace else 2 * wait_s))
        await asyncio.sleep(wait_s)
