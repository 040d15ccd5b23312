"""Two cities, their history and their saved state on a disk that fills and empties, second by second of simulated time.

Here: disks, the schedule, and what must hold. Not here: the command (run.py), real processes and threads
(tests/integration/host/test_disk.py).
"""

import contextlib
import json
import os
import random
import subprocess
import time
from pathlib import Path
from typing import Self

from deskonomy import status
from deskonomy_host import logs
from deskonomy_host.errors import OperationError
from deskonomy_host.history.reader import History
from deskonomy_host.history.recorder import Recorder
from deskonomy_host.history.recording import HistoryWriter
from deskonomy_host.runtime.store import Store
from deskonomy_host.world import plan as world

NAMES = ("RIVERWOOD", "SEASIDE")
TICKS_PER_S = 2
_SAVE_S = 30  # between two checkpoints
_ROOM_S = (600, 5400)  # how long there is room, and how long there is none
_FULL_S = (8, 1800)
_DISK_BYTES = 48_000_000  # three times what a day takes


class LimitedPages:
    """A stand-in for a small disk: SQLite takes no page more than its files have, and says that the disk is full."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.recorder: Recorder | None = None
        self.store: Store | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        pass

    def fill(self) -> None:
        """Leave no room."""
        self._limit(1)  # the present number of pages counts, if it is larger

    def empty(self) -> None:
        """Make room again."""
        self._limit(10_000_000)

    def _limit(self, pages: int) -> None:
        for user in (self.recorder, self.store):
            assert user and user._db
            user._db.execute(f"PRAGMA max_page_count = {pages}")


class TemporaryDisk(LimitedPages):
    """A tmpfs, filled by a file of zeros."""

    @staticmethod
    def is_possible() -> bool:
        """Return whether this user may mount a file system."""
        return hasattr(os, "geteuid") and os.geteuid() == 0 and Path("/proc/filesystems").exists()

    def __enter__(self) -> Self:
        command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "none", str(self.folder)]
        subprocess.run(command, check=True)
        return self

    def __exit__(self, *failure: object) -> None:
        subprocess.run(["umount", str(self.folder)], check=True)

    def fill(self) -> None:
        """Write zeros until there is no room."""
        with contextlib.suppress(OSError), (self.folder / "zeros").open("wb", buffering=0) as file:
            while file.write(bytes(65536)):
                pass

    def empty(self) -> None:
        """Remove the zeros."""
        (self.folder / "zeros").unlink()


def make_schedule(seconds: int, dice: random.Random) -> dict[int, bool]:
    """Return {second: whether the disk is full from then on}."""
    schedule: dict[int, bool] = {}
    now = dice.randint(*_ROOM_S) // 8
    while now < seconds:
        schedule[now] = True
        now += dice.randint(*_FULL_S)
        schedule[min(now, seconds - 1)] = False
        now += dice.randint(*_ROOM_S)
    return schedule


def run_day(disk: LimitedPages, seconds: int, seed: int) -> str:
    """Run the cities for so many seconds of simulated time, and return one line with what was found.

    Raises:
        AssertionError: A sample is lost that the disk had room for, a city has stopped, or the log is wrong.
    """
    schedule = make_schedule(seconds, random.Random(seed))
    history, lines = disk.folder / "day.db", []
    is_full, full_s, full_count, dropped_then, wait_max_s, unsaved_count = False, 0, 0, 0, 0.0, 0
    with (
        logs.attach(logs.LineHandler(lines.append)),
        Store(disk.folder / "saved") as store,
        Recorder(history) as recorder,
    ):
        disk.recorder, disk.store = recorder, store
        cities = world.build_cities(world.plan_cities(NAMES), restore=store.restore_city)
        store.adopt_cities(cities)
        writer = HistoryWriter(recorder, lines.append)
        for second in range(seconds):
            if second in schedule:
                is_full = schedule[second]
                if is_full:
                    dropped_then = writer.dropped_count
                    full_count += 1
                    disk.fill()
                else:
                    disk.empty()
            full_s += is_full
            for _ in range(TICKS_PER_S):
                for city in cities:
                    city.run(1)
            statuses = [json.loads(status.format_status(city, [("sensors", "{}")])) for city in cities]
            dropped_before, begin_s = writer.dropped_count, time.perf_counter()
            writer.add(statuses, float(second))
            wait_max_s = max(wait_max_s, time.perf_counter() - begin_s)
            is_written = writer.write_waiting()
            assert is_full or is_written, f"second {second}: there is room, and the sample is not written: {lines[-1]}"
            # When there is room again, the oldest sample of the full time may still give way to this one.
            is_after = second in schedule or is_full
            assert is_after or writer.dropped_count == dropped_before, f"second {second}: a sample is dropped"
            if second % _SAVE_S == 0 or second == seconds - 1:
                try:
                    store.save()
                except OperationError:
                    assert is_full, f"second {second}: there is room, and the cities are not saved"
                    unsaved_count += 1
            if second in schedule and not is_full and writer.dropped_count > dropped_then:
                missing = writer.dropped_count - dropped_then
                assert lines[-1].endswith(f"it lacks {missing} samples"), lines[-1]
        writer.report_end()
        digests = [city.digest() for city in cities]
        assert [city.tick for city in cities] == [seconds * TICKS_PER_S] * len(cities), "a city has stopped"
    failures = [line for line in lines if "cannot be recorded" in line]
    assert len(failures) == len([line for line in lines if "is recorded again" in line]) <= full_count
    with History(history) as finished:
        spans = finished.query("SELECT sum(span), max(time_s) FROM samples")[0]
        assert spans == (seconds - writer.dropped_count, seconds - 1), f"samples and last second: {spans}"
    with Store(disk.folder / "saved") as store:
        restored = world.build_cities(world.plan_cities(NAMES), restore=store.restore_city)
        assert [city.digest() for city in restored] == digests, "the saved cities are not the latest ones"
    return (
        f"{seconds / 3600:g} hours, {seconds * TICKS_PER_S} ticks of each city; the disk was full {full_count} times, "
        f"{full_s} s in all; {seconds - writer.dropped_count} samples are recorded, {writer.dropped_count} of the full "
        f"times are missing, as the log says in {len(failures)} pairs of lines; no other sample is missing; "
        f"{unsaved_count} checkpoints were refused, the last one is complete; adding a sample took at most "
        f"{wait_max_s * 1000:.1f} ms"
    )
