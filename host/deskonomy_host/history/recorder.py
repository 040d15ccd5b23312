"""Recording a history: the statuses of running cities, sample by sample, in one SQLite file that stays small.

Here: writing the tables. Not here: when samples are taken, and what happens if they cannot be written (recording.py),
the tables (schema.py), reading a history (reader.py), its summary and exports (export.py), pictures (plot.py).

One sample is one transaction and the file is in WAL mode, so that after a kill every sample is there but the one that
was being written.

Older samples are merged (telemetry/thinning.py): the latest KEEP samples stay as they were taken; of older ones two
become one, and again KEEP of those stay before two become one of four, and so on. A merged sample has the lowest and
the highest price of its time and the mean of the means; all else is as it was at its end. At one sample a second an
hour has at most 3 times KEEP samples, a day 8 times, a year 16 times: for three cities with four goods 2.5 MB, 15 MB,
35 MB.
"""

import copy
import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from deskonomy_host.errors import OperationError
from deskonomy_host.history import schema
from deskonomy_host.history.lock import HistoryLock
from deskonomy_host.telemetry.clock import read_time_s
from deskonomy_host.telemetry.events import NOTE, Event, EventDetector
from deskonomy_host.telemetry.thinning import Thinning

KEEP = 600  # samples of each age: ten minutes of seconds, then twenty minutes of pairs of seconds ...
EVENTS_MAX = 10_000  # the latest ones are kept
LOCALS_MAX = 50  # locals of a city that are recorded
_LATER_S = 0.001  # from the last sample of a run to the first of the next one, if no more is known
_LOCK_WAIT_S = 1.0  # for another program that writes the file
_MEMORY = ("_detector", "_roads", "_cities", "_goods", "_count", "_next", "_samples", "_thinning")  # see _copy_memory()

Statuses = Sequence[Mapping[str, Any]]


class Recorder:
    """Writes a history, inside `with`; goes on with a file that already is one.

    It may be used by one thread after another.

    Attributes:
        path: the file.
        renewal_count: how often the file has vanished and was made anew.
        shift_s: what now_s() adds to the time, so that a history goes on after its last sample even if the system's
            clock was set back in between.
    """

    def __init__(self, path: str | Path, colours: Mapping[str, str] | None = None, keep: int = KEEP) -> None:
        """Open or create the file.

        Args:
            path: the file.
            colours: {city: colour}, as world files state them.
            keep: samples of each age.

        Raises:
            OperationError: the file cannot be written, is not a history, or another run records it.
        """
        self.path = Path(path)
        self.renewal_count = 0
        self.shift_s = 0.0
        self._colours = colours or {}
        self._keep = keep
        self._detector = EventDetector()
        self._roads: dict[tuple[str, str], tuple[str, str]] = {}  # {(city, its road): (state, kind)} as last written
        self._cities: set[str] = set()
        self._goods: list[str] = []  # in the order in which they appeared
        self._count = 0  # samples taken by this recorder since it opened the file
        self._db: sqlite3.Connection | None = None
        self._lock: HistoryLock | None = None
        try:
            self._db = self._open()
        except sqlite3.Error as error:
            raise OperationError(f"cannot write a history to {self.path}: {error}") from None
        except OSError as error:
            raise OperationError(f"cannot write a history to {self.path}: {error.strerror}") from None

    def _open(self) -> sqlite3.Connection:
        """Lock and open the file. Raises OperationError, OSError, sqlite3.Error; nothing is open or locked then."""
        self._lock = HistoryLock(self.path)
        db = None
        try:
            if self.path.exists() and self.path.stat().st_size > 0:
                schema.open_for_reading(self.path).close()  # raises if the file is not a history
            db = sqlite3.connect(self.path, _LOCK_WAIT_S, isolation_level=None, check_same_thread=False)
            self._prepare(db)
            self._identity = os.stat(self.path)
            return db
        except BaseException:
            self._close(db)
            raise

    def _close(self, db: sqlite3.Connection | None) -> None:
        if db:
            db.close()
        if self._lock:
            self._lock.release()
            self._lock = None

    def _prepare(self, db: sqlite3.Connection) -> None:
        """Make the tables that the file lacks, and read what recording goes on from."""
        with schema.transaction(db):
            for name, columns in schema.TABLES.items():
                with_key = " WITHOUT ROWID" if name in schema.SAMPLE_TABLES else ""
                db.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns}){with_key}")
            columns = {row[1] for row in db.execute("PRAGMA table_info(events)")}
            for column in schema.EVENT_COLUMNS_ADDED:
                if column not in columns:
                    db.execute(f"ALTER TABLE events ADD COLUMN {column} TEXT")
            db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {schema.VERSION}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        self._next = db.execute("SELECT ifnull(max(sample), 0) + 1 FROM samples").fetchone()[0]
        for (goods,) in db.execute("SELECT value FROM about WHERE key = 'goods'"):
            self._goods = json.loads(goods)
        rows = db.execute("SELECT sample, span FROM samples ORDER BY sample").fetchall()
        self._samples = [sample for sample, _ in rows]  # the oldest first
        ages = [span.bit_length() - 1 for _, span in rows]
        counts = [ages.count(age) for age in range(max(ages, default=0) + 1)]
        self._thinning = Thinning(self._keep, self._keep, counts)
        last_s = db.execute("SELECT max(time_s) FROM samples").fetchone()[0]
        self.shift_s = max(0.0, last_s + _LATER_S - read_time_s()) if last_s else 0.0
        self._roads, self._cities, self._count = {}, set(), 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Write everything; the file is complete without its -wal."""
        db, self._db = self._db, None
        self._close(db)

    def now_s(self) -> float:
        """Return the time of a sample that is taken now, in seconds since 1970, after those in the file."""
        return read_time_s() + self.shift_s

    def record(self, statuses: Statuses, time_s: float | None = None, events: Sequence[Event] = ()) -> None:
        """Write a sample; if that fails, nothing of it is written, and it may be recorded again.

        Args:
            statuses: the statuses; those with a "detail" have residents to record.
            time_s: seconds since 1970; None for now.
            events: to be written with it, besides those that the statuses show.

        Raises:
            OperationError, OSError, sqlite3.Error: the file cannot be written now.
        """
        db = self._follow_file()
        before = self._copy_memory()
        try:
            with schema.transaction(db):
                self._record(self.now_s() if time_s is None else time_s, statuses)
                for event in events:
                    self.record_event(event)
        except BaseException:
            self._restore_memory(before)
            raise

    def _record(self, time_s: float, statuses: Statuses) -> None:
        sample = self._next
        is_slow = self._count % schema.SLOW_SAMPLES == 0
        db = self._open_database()
        db.execute("INSERT INTO samples VALUES (?, ?, 1)", (sample, time_s))
        for status in statuses:
            self._record_city(sample, status, is_slow)
        for status in statuses if is_slow else ():
            db.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?)", _people_rows(sample, status))
        for event in self._detector.detect(time_s, statuses):  # type: ignore[arg-type] - a status is a Status
            self.record_event(event)
        self._samples.append(sample)
        for row in self._thinning.add():
            self._merge(self._samples.pop(row), self._samples[row])
        if is_slow:
            db.execute("DELETE FROM events WHERE rowid <= (SELECT max(rowid) FROM events) - ?", (EVENTS_MAX,))
        self._next += 1
        self._count += 1

    def _open_database(self) -> sqlite3.Connection:
        assert self._db is not None, "the history is closed"
        return self._db

    def _follow_file(self) -> sqlite3.Connection:
        """Return the open file; a new one if it has vanished, because SQLite would go on writing to the old one.

        Raises:
            OperationError, OSError, sqlite3.Error: there is none, and none can be made.
        """
        try:
            if self._db and os.path.samestat(self._identity, os.stat(self.path)):
                return self._db
        except FileNotFoundError:
            pass
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._db = self._open()
        self.renewal_count += 1
        return self._db

    def _copy_memory(self) -> dict[str, Any]:
        """Return copies of all attributes that recording a sample changes."""
        return {name: copy.copy(getattr(self, name)) for name in _MEMORY} | {
            "_detector": self._detector.copy(),
            "_thinning": copy.deepcopy(self._thinning),
        }

    def _restore_memory(self, before: Mapping[str, Any]) -> None:
        for name, value in before.items():
            setattr(self, name, value)

    def record_event(self, event: Event) -> None:
        """Write an event."""
        self._open_database().execute(
            "INSERT INTO events (time_s, city, kind, text, type, road) VALUES (?, ?, ?, ?, ?, ?)",
            (event.time_s, event.city or None, event.category, event.text, event.type, event.road or None),
        )

    def note(self, text: str, city: str = "", time_s: float | None = None) -> None:
        """Write a note: one sentence about what happened."""
        self.record_event(Event(self.now_s() if time_s is None else time_s, city, NOTE, text))

    def _record_city(self, sample: int, status: Mapping[str, Any], is_slow: bool) -> None:
        db, city = self._open_database(), status["city"]
        if city not in self._cities:
            self._cities.add(city)
            db.execute(
                """INSERT INTO cities VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                     colour = ifnull(excluded.colour, colour), seed = excluded.seed, locals = excluded.locals""",
                (city, self._colours.get(city), status.get("seed"), status["locals"]),
            )
        for good in status["price"]:
            if good not in self._goods:
                self._goods.append(good)
                db.execute("INSERT OR REPLACE INTO about VALUES ('goods', ?)", (json.dumps(self._goods),))
        money, heap = status["money"], status.get("heap") or {}
        db.execute(
            f"INSERT INTO states VALUES ({_placeholders(11)})",
            (
                *(sample, city, status["tick"], status.get("ticks_per_s")),
                *(_mills(money[owner]) for owner in ("locals", "merchants", "ledger")),
                _mills(status.get("detail", {}).get("under_way", 0) + money.get("waiting_to_enter", 0)),
                *(heap.get("used"), heap.get("free"), status.get("rssi")),
            ),
        )
        db.executemany(f"INSERT INTO goods VALUES ({_placeholders(10)})", _good_rows(sample, status))
        db.executemany(
            f"INSERT INTO sensors VALUES ({_placeholders(5)})",
            [
                (sample, city, name, sensor["raw"], sensor["level"])
                for name, sensor in status.get("sensors", {}).items()
                if "level" in sensor
            ],
        )
        columns = ("state", "kind", "sent", "received", "waiting", "lost")
        db.executemany(
            f"INSERT INTO roads VALUES ({_placeholders(9)})",
            [
                (sample, city, name, *(road[column] for column in columns))
                for name, road in status["roads"].items()
                if is_slow or self._roads.get((city, name)) != (road["state"], road["kind"])
            ],
        )
        self._roads |= {(city, name): (road["state"], road["kind"]) for name, road in status["roads"].items()}

    def _merge(self, removed: int, kept: int) -> None:
        """Merge a sample into the one that follows it."""
        db, pair = self._open_database(), {"removed": removed, "kept": kept}
        db.execute(
            """UPDATE goods SET price_min_mills = min(goods.price_min_mills, other.price_min_mills),
                 price_mean_mills = (goods.price_mean_mills + other.price_mean_mills) / 2,
                 price_max_mills = max(goods.price_max_mills, other.price_max_mills)
               FROM goods AS other
               WHERE goods.sample = :kept AND other.sample = :removed
                 AND other.city = goods.city AND other.good = goods.good""",
            pair,
        )
        for table in ("roads", "people"):
            db.execute(f"UPDATE OR IGNORE {table} SET sample = :kept WHERE sample = :removed", pair)
        for table in ("samples", *schema.SAMPLE_TABLES):
            db.execute(f"DELETE FROM {table} WHERE sample = :removed", {"removed": removed})
        db.execute("UPDATE samples SET span = 2 * span WHERE sample = :kept", {"kept": kept})


def _good_rows(sample: int, status: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (
            *(sample, status["city"], good),
            *(_mills(price[statistic]) for statistic in ("min", "mean", "max")),
            *(_mills(status["owned"][good]), _mills(status["yield"][good]), status["merchants"].get(good, 0)),
            status.get("made", {}).get(good),
        )
        for good, price in status["price"].items()
    ]


def _people_rows(sample: int, status: Mapping[str, Any]) -> list[tuple[int, str, int, int, int]]:
    """Return rows of money and leisure of up to LOCALS_MAX locals, the same ones each time."""
    people = status.get("detail", {}).get("leisure", [])
    step = -(-len(people) // LOCALS_MAX) or 1
    return [
        (sample, status["city"], index, _mills(people[index][0]), people[index][1])
        for index in range(0, len(people), step)
    ]


def _mills(amount: float) -> int:
    return round(amount * 1000)


def _placeholders(count: int) -> str:
    return ", ".join("?" * count)
