"""A history: what running cities showed, second by second, in one SQLite file that stays small.

Here: the file's tables, and writing them. Not here: reading a history back (history_reader.py), its summary and its
exports (history_export.py), pictures of it (plot.py).

Amounts are mills (1/1000 of a coin or of a unit), times are seconds since 1970. One sample is one transaction and the
file is in WAL mode, so that a run that is killed leaves every sample but the one that was being written.

How it stays small: the latest KEEP samples stay as they were taken. Of older ones two become one, and again KEEP of
those stay before two become one of four, and so on. A merged sample has the lowest and the highest price of its time
and the mean of the means; all else is as it was at its end. So an hour at one sample a second has at most 3 times KEEP
samples, a day 8 times, a year 16 times: for three cities with four goods 2.5 MB, 15 MB, 35 MB.
"""

import asyncio
import contextlib
import json
import sqlite3
import time
from collections import deque
from pathlib import Path

from deskonomy_host.aio import background
from deskonomy_host.errors import OperationError
from deskonomy_host.telemetry.events import Observer

KEEP = 600  # samples of each age: ten minutes of seconds, then twenty minutes of pairs of seconds ...
EVENTS_MAX = 10_000  # the latest
SLOW = 10  # what changes slowly, or takes much room, is written with every tenth sample
PEOPLE_MAX = 50  # locals of a city who are followed
APPLICATION = 0x6465736B  # SQLite's application_id: "desk"
VERSION = 1

TABLES = {
    "cities": "name TEXT PRIMARY KEY, colour TEXT, seed INTEGER, locals INTEGER",
    "samples": "sample INTEGER PRIMARY KEY, time_s REAL NOT NULL, span INTEGER NOT NULL",
    "states": "sample INTEGER, city TEXT, tick INTEGER, ticks_per_s REAL, locals_mills INTEGER, "
    "merchants_mills INTEGER, ledger_mills INTEGER, under_way_mills INTEGER, heap_used INTEGER, heap_free INTEGER, "
    "rssi INTEGER, PRIMARY KEY (sample, city)",
    "goods": "sample INTEGER, city TEXT, good TEXT, price_min_mills INTEGER, price_mean_mills INTEGER, "
    "price_max_mills INTEGER, owned_mills INTEGER, yield_mills INTEGER, merchants INTEGER, made INTEGER, "
    "PRIMARY KEY (sample, city, good)",
    "sensors": "sample INTEGER, city TEXT, sensor TEXT, raw REAL, level REAL, PRIMARY KEY (sample, city, sensor)",
    "roads": "sample INTEGER, city TEXT, road TEXT, state TEXT, kind TEXT, sent INTEGER, received INTEGER, "
    "waiting INTEGER, lost INTEGER, PRIMARY KEY (sample, city, road)",
    "people": "sample INTEGER, city TEXT, local INTEGER, money_mills INTEGER, leisure INTEGER, "
    "PRIMARY KEY (sample, city, local)",
    "events": "time_s REAL NOT NULL, city TEXT, kind TEXT NOT NULL, text TEXT NOT NULL",
    "about": "key TEXT PRIMARY KEY, value TEXT",
}
_TICKS = 100  # a sample so often where time passes fast,
_WAIT_MIN_S = 0.05  # but no oftener than this
_BY_SAMPLE = ("states", "goods", "sensors", "roads", "people")


class Recorder:
    """Writes a history from `with` to its end; goes on with a file that is one. Raises OperationError for any other.

    path: the file. colours: {city: colour} as world files have them. keep: see KEEP.
    """

    def __init__(self, path, colours=None, keep=KEEP):
        self.path = Path(path)
        self._colours = colours or {}
        self._keep = keep
        self._observer = Observer()
        self._roads = {}  # (city, its road): (state, kind) as last written
        self._cities = set()
        self._goods = []  # in the order in which they came
        self._count = 0  # samples taken by this recorder
        try:
            self._open()
        except sqlite3.Error as error:
            raise OperationError(f"cannot write a history to {self.path}: {error}") from None

    def _open(self):
        new = not self.path.exists() or self.path.stat().st_size == 0
        if not new:
            from deskonomy_host.history.reader import History

            History(self.path).close()  # raises Failed if it is none
        self._db = db = sqlite3.connect(self.path, isolation_level=None)
        db.execute("BEGIN")
        for name, columns in TABLES.items():
            with_key = " WITHOUT ROWID" if name in _BY_SAMPLE else ""
            db.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns}){with_key}")
        db.execute(f"PRAGMA application_id = {APPLICATION}")
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        self._next = db.execute("SELECT ifnull(max(sample), 0) + 1 FROM samples").fetchone()[0]
        for (goods,) in db.execute("SELECT value FROM about WHERE key = 'goods'"):
            self._goods = json.loads(goods)
        self._ages = {}  # span: the samples that stand for so many, the oldest first
        for sample, span in db.execute("SELECT sample, span FROM samples ORDER BY sample"):
            self._ages.setdefault(span, deque()).append(sample)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """All is written; the file is whole without its -wal."""
        self._db.close()

    def record(self, statuses, time_s=None):
        """Write a sample. statuses: status dicts; those with a "detail" have people to follow."""
        time_s = time.time() if time_s is None else time_s
        sample = self._next
        slow = self._count % SLOW == 0
        db = self._db
        db.execute("BEGIN")
        db.execute("INSERT INTO samples VALUES (?, ?, 1)", (sample, time_s))
        for status in statuses:
            self._record(sample, status, slow)
        for status in statuses if slow else ():
            db.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?)", _people(sample, status))
        for event in self._observer.observe(time_s, statuses):
            db.execute("INSERT INTO events VALUES (:time, :city, :kind, :text)", event)
        self._ages.setdefault(1, deque()).append(sample)
        self._thin(1)
        if slow:
            db.execute(
                "DELETE FROM events WHERE rowid <= (SELECT max(rowid) FROM events) - ?",
                (EVENTS_MAX,),
            )
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        self._next += 1
        self._count += 1

    def note(self, text, city=None, kind="note", time_s=None):
        """Write down that something happened."""
        time_s = time.time() if time_s is None else time_s
        self._db.execute("INSERT INTO events VALUES (?, ?, ?, ?)", (time_s, city, kind, text))

    def _record(self, sample, status, slow):
        db, city = self._db, status["city"]
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
            f"INSERT INTO states VALUES ({_marks(11)})",
            (
                *(sample, city, status["tick"], status.get("ticks_per_s")),
                *(_mills(money[who]) for who in ("locals", "merchants", "ledger")),
                _mills(status.get("detail", {}).get("under_way", 0)),
                *(heap.get("used"), heap.get("free"), status.get("rssi")),
            ),
        )
        db.executemany(
            f"INSERT INTO goods VALUES ({_marks(10)})",
            [
                (
                    *(sample, city, good),
                    *(_mills(price[what]) for what in ("min", "mean", "max")),
                    *(_mills(status["owned"][good]), _mills(status["yield"][good]), status["merchants"].get(good, 0)),
                    status.get("made", {}).get(good),
                )
                for good, price in status["price"].items()
            ],
        )
        db.executemany(
            f"INSERT INTO sensors VALUES ({_marks(5)})",
            [
                (sample, city, name, read["raw"], read["level"])
                for name, read in status.get("sensors", {}).items()
                if "level" in read
            ],
        )
        columns = ("state", "kind", "sent", "received", "waiting", "lost")
        db.executemany(
            f"INSERT INTO roads VALUES ({_marks(9)})",
            [
                (sample, city, name, *(road[column] for column in columns))
                for name, road in status["roads"].items()
                if slow or self._roads.get((city, name)) != (road["state"], road["kind"])
            ],
        )
        self._roads |= {(city, name): (road["state"], road["kind"]) for name, road in status["roads"].items()}

    def _thin(self, span):
        """Merge the two oldest samples of this span where there are too many, and so on with the next span."""
        ages = self._ages[span]
        while len(ages) > self._keep + 1:
            gone, kept = ages.popleft(), ages.popleft()
            self._merge(gone, kept)
            self._db.execute("UPDATE samples SET span = ? WHERE sample = ?", (2 * span, kept))
            self._ages.setdefault(2 * span, deque()).append(kept)
            self._thin(2 * span)

    def _merge(self, gone, kept):
        db, pair = self._db, {"gone": gone, "kept": kept}
        db.execute(
            """UPDATE goods SET price_min_mills = min(goods.price_min_mills, other.price_min_mills),
                 price_mean_mills = (goods.price_mean_mills + other.price_mean_mills) / 2,
                 price_max_mills = max(goods.price_max_mills, other.price_max_mills)
               FROM goods AS other
               WHERE goods.sample = :kept AND other.sample = :gone
                 AND other.city = goods.city AND other.good = goods.good""",
            pair,
        )
        for table in ("roads", "people"):
            db.execute(f"UPDATE OR IGNORE {table} SET sample = :kept WHERE sample = :gone", pair)
        for table in ("samples", *_BY_SAMPLE):
            db.execute(f"DELETE FROM {table} WHERE sample = :gone", {"gone": gone})


def _people(sample, status):
    """Rows of money and leisure of up to PEOPLE_MAX locals, the same ones each time."""
    people = status.get("detail", {}).get("leisure", [])
    step = -(-len(people) // PEOPLE_MAX) or 1
    return [
        (sample, status["city"], index, _mills(people[index][0]), people[index][1])
        for index in range(0, len(people), step)
    ]


def _mills(amount):
    return round(amount * 1000)


def _marks(count):
    return ", ".join("?" * count)


@contextlib.asynccontextmanager
async def recording(recorder, read):
    """Record what read() gives (status dicts): a sample a second, up to 20 of a fast run, the last one at the end."""
    try:
        async with background(_record_on(recorder, read)):
            yield
    finally:
        recorder.record(read())


async def _record_on(recorder, read):
    wait_s = _WAIT_MIN_S
    while True:
        statuses = read()
        recorder.record(statuses)
        pace = max((status.get("ticks_per_s") or 0 for status in statuses), default=0)
        wait_s = min(1, max(_WAIT_MIN_S, _TICKS / pace if pace else 2 * wait_s))
        await asyncio.sleep(wait_s)
