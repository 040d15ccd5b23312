"""A history read back: its states and events over time, its series, its tables.

Here: opening a history read-only, also one that is still being written or whose run was killed. Not here: writing
(history.py), exports (history_export.py), pictures (plot.py).
"""

import json
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from deskonomy_host.errors import OperationError
from deskonomy_host.history import recorder as history
from deskonomy_host.telemetry import statistics as detail

_HEADER = b"SQLite format 3\0"
_PAGE_MIN = 512  # bytes; SQLite takes anything smaller for an empty database


class Event(NamedTuple):
    """Something that happened. time_s: seconds since 1970. city: its name or None. text: a sentence.

    kind: "note" for what a run told of; else "city", "road", "yield", "sensor", "reset" or "lost", seen in statuses.
    """

    time_s: float
    city: str | None
    kind: str
    text: str


class Prices(NamedTuple):
    """What one good did in one city, a list item a sample. Prices in coins, yields 1 for normal, merchants counted.

    span: how many samples as taken each stands for; `low`, `mean` and `high` are over all of those.
    """

    time_s: list[float]
    tick: list[int]
    span: list[int]
    low: list[float]
    mean: list[float]
    high: list[float]
    owned: list[float]
    yields: list[float]
    merchants: list[int]


class History:
    """`with History("file.db") as history`: a finished history, or one that is still growing. Raises OperationError.

    colours: {city: colour}, in the order in which the cities came. goods: names. samples: how many.
    begin_s, end_s: seconds since 1970.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._db = _opened(self.path)
        self.colours: dict[str, str] = dict(
            self._db.execute("SELECT name, ifnull(colour, 'white') FROM cities ORDER BY rowid")
        )
        self.samples, begin_s, end_s = self._db.execute(
            "SELECT count(*), min(time_s), max(time_s) FROM samples"
        ).fetchone()
        self.begin_s, self.end_s = begin_s or 0.0, end_s or 0.0
        self._births = {name: row for name, *row in self._db.execute("SELECT name, seed, locals FROM cities")}
        self._known_times = None
        self._series: dict[tuple[str, str], list] | None = None
        found = self._db.execute("SELECT value FROM about WHERE key = 'goods'").fetchone()
        self.goods: list[str] = json.loads(found[0]) if found else []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @property
    def cities(self) -> list[str]:
        """The names of all cities that were ever seen, in the order in which they came."""
        return list(self.colours)

    def query(self, sql: str, *words) -> list[tuple]:
        """The rows that any SELECT gives; the tables are history.TABLES. Raises sqlite3.Error."""
        return self._db.execute(sql, words).fetchall()

    def table(self, name: str) -> tuple[list[str], Iterator[tuple]]:
        """(column names, rows) of one of history.TABLES, in order of time."""
        order = {"samples": "sample", "events": "time_s", "cities": "rowid", "about": "key"}.get(name, "sample, city")
        cursor = self._db.execute(f"SELECT * FROM {name} ORDER BY {order}")
        return [column[0] for column in cursor.description], cursor

    def prices(self, city: str, good: str) -> Prices:
        """One good in one city over time."""
        if self._series is None:  # all at once, since the rows of one series lie far apart in the file
            self._series = {}
            for name, its_good, *row in self._db.execute(
                """SELECT city, good, time_s, tick, span, price_min_mills / 1000.0, price_mean_mills / 1000.0,
                     price_max_mills / 1000.0, owned_mills / 1000.0, yield_mills / 1000.0, merchants
                   FROM goods JOIN samples USING (sample) JOIN states USING (sample, city) ORDER BY sample"""
            ):
                self._series.setdefault((name, its_good), []).append(row)
        rows = self._series.get((city, good), ())
        return Prices(*(map(list, zip(*rows, strict=True)) if rows else ([] for _ in Prices._fields)))

    def sensors(self, city: str) -> dict[str, tuple[list[float], list[float]]]:
        """{sensor: (times in seconds, levels of 0 to 1)} of a board."""
        found: dict[str, tuple[list[float], list[float]]] = {}
        for name, time_s, level in self.query(
            "SELECT sensor, time_s, level FROM sensors JOIN samples USING (sample) WHERE city = ? ORDER BY sample", city
        ):
            times, levels = found.setdefault(name, ([], []))
            times.append(time_s)
            levels.append(level)
        return found

    def people(self, city: str) -> list[tuple[float, float]]:
        """(mean coins, mean leisure) of each local that was followed, over the last third of the history."""
        samples = [
            row[0] for row in self.query("SELECT DISTINCT sample FROM people WHERE city = ? ORDER BY sample", city)
        ]
        since = samples[len(samples) * 2 // 3] if samples else 0
        return self.query(
            """SELECT avg(money_mills) / 1000, avg(leisure) FROM people
               WHERE city = ? AND sample >= ? GROUP BY local ORDER BY local""",
            city,
            since,
        )

    def events(self) -> list[Event]:
        """All events, the oldest first."""
        return [Event(*row) for row in self.query("SELECT time_s, city, kind, text FROM events ORDER BY time_s, rowid")]

    def states(self) -> Iterator[tuple[float, list[dict]]]:
        """(time in seconds, status dicts as running cities give them) of each sample, the oldest first.

        What is written with every tenth sample only, roads and people, is as it was last known. A status with people
        has a "detail" as the dashboard has it: wealth, gini, leisure, under_way.
        """
        for sample, time_s in self._times():
            yield time_s, self._statuses(sample)

    def at(self, time_s: float) -> tuple[float, list[dict]]:
        """The same of the latest sample that is not after this time, or of the first one."""
        times = self._times()
        index = max(0, bisect_right(times, time_s, key=lambda row: row[1]) - 1)
        sample, taken_s = times[index]
        return taken_s, self._statuses(sample)

    def _times(self):
        """(sample, time) of all samples; kept, since a history that is played back does not change."""
        if self._known_times is None:
            self._known_times = self.query("SELECT sample, time_s FROM samples ORDER BY sample")
        return self._known_times

    def _statuses(self, sample):
        statuses = {}
        for city, tick, pace, *mills, used, free, rssi in self._of(sample, "states"):
            locals_mills, merchants_mills, ledger_mills, under_way_mills = mills
            seed, locals_ = self._births.get(city, (None, 0))
            purses = {"locals": locals_mills, "merchants": merchants_mills, "ledger": ledger_mills}
            purses["total"] = sum(purses.values())
            status = {"city": city, "tick": tick, "seed": seed, "price": {}, "owned": {}, "yield": {}, "sensors": {}}
            status |= {"merchants": {}, "locals": locals_, "money": {who: purses[who] / 1000 for who in purses}}
            status |= {"roads": {}, "ticks_per_s": pace or 0.0}
            status |= {} if used is None else {"heap": {"used": used, "free": free}}
            status |= {} if rssi is None else {"rssi": rssi}
            people = self._people_at(sample, city)
            statuses[city] = status | (_detail(people, under_way_mills) if people else {})
        order = {good: index for index, good in enumerate(self.goods)}
        for city, good, low, mean, high, owned, gives, merchants, made in sorted(
            self._of(sample, "goods"), key=lambda row: order[row[1]]
        ):
            status = statuses[city]
            status["price"][good] = {"min": low / 1000, "mean": mean / 1000, "max": high / 1000}
            status["owned"][good] = owned / 1000
            status["yield"][good] = gives / 1000
            status["merchants"][good] = merchants
            if made is not None:
                status.setdefault("made", {})[good] = made
        for city, name, raw, level in self._of(sample, "sensors"):
            statuses[city]["sensors"][name] = {"raw": raw, "level": level}
        for city, name, row in self._roads_at(sample):
            if city in statuses:
                statuses[city]["roads"][name] = row
        return [statuses[city] for city in self.colours if city in statuses]

    def _of(self, sample, table):
        """A table's rows of one sample, without their sample."""
        return [row[1:] for row in self._db.execute(f"SELECT * FROM {table} WHERE sample = ?", (sample,))]

    def _roads_at(self, sample):
        """(city, road, its part of a status) as last known."""
        for city, name, _, *row in self._db.execute(
            """SELECT city, road, max(sample), state, kind, sent, received, waiting, lost FROM roads
               WHERE sample BETWEEN ? AND ? GROUP BY city, road""",  # with max(), SQLite takes the others of its row
            (self._slow_before(sample), sample),
        ):
            yield city, name, dict(zip(("state", "kind", "sent", "received", "waiting", "lost"), row, strict=True))

    def _people_at(self, sample, city):
        """(mills, leisure) of each local that is followed, as last known."""
        return self.query(
            """SELECT money_mills, leisure FROM people WHERE city = ?2 AND sample =
                 (SELECT max(sample) FROM people WHERE sample BETWEEN ?3 AND ?1 AND city = ?2) ORDER BY local""",
            *(sample, city, self._slow_before(sample)),
        )

    def _slow_before(self, sample):
        """A sample so far back that everything has been written at least once since."""
        times = self._times()
        return times[max(0, bisect_left(times, (sample,)) - history.SLOW)][0]


def _detail(people, under_way_mills):
    """The "detail" of a status, of (mills, leisure) of people."""
    wealth = sorted(mills for mills, _ in people)
    leisure = [[mills / 1000, leisure] for mills, leisure in people]
    under_way = (under_way_mills or 0) / 1000
    spread = {
        "wealth": detail.quantiles(wealth),
        "gini": round(detail.gini(wealth), 3),
        "leisure": leisure,
        "under_way": under_way,
    }
    return {"detail": spread}


def _opened(path):
    """The database, checked. Raises OperationError."""
    try:
        with path.open("rb") as file:
            head = file.read(_PAGE_MIN)
    except OSError as error:
        raise OperationError(f"cannot read {path}: {error.strerror}") from None
    if not head:
        raise OperationError(f"{path} is empty: nothing was ever recorded in it")
    if not head.startswith(_HEADER):
        raise OperationError(f"{path} is no history: write one with deskonomy run --history FILE.db")
    if len(head) < _PAGE_MIN:
        raise OperationError(f"{path} is damaged or not all there: it has {len(head)} bytes")
    # Without a -wal there is nothing to share with a writer, and a folder that is read-only does not matter.
    mode = "mode=ro" if path.with_name(path.name + "-wal").exists() else "immutable=1"
    try:
        db = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, isolation_level=None)
        whose = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if whose == history.APPLICATION and version == history.VERSION:
            damage = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage == "ok":
                return db
            raise OperationError(f"{path} is damaged or not all there: {damage}")
    except sqlite3.Error as error:
        raise OperationError(f"{path} is damaged or not all there: {error}") from None
    if whose != history.APPLICATION:
        raise OperationError(f"{path} is another program's database, no history")
    raise OperationError(f"{path} is a history of version {version}; this deskonomy reads version {history.VERSION}")
