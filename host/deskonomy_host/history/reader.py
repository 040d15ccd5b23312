"""Reading a history: its statuses and events over time, its series, its tables.

Here: History, part of the library. Not here: the tables, opening a file (schema.py), writing (recorder.py), exports
(export.py), pictures (plot.py).
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

from deskonomy_host.history import schema
from deskonomy_host.telemetry import statistics


class Event(NamedTuple):
    """Something that happened.

    Attributes:
        time_s: seconds since 1970.
        city: the city; None for an event of no city.
        category: "note" for a note of the run; else "city", "road", "yield", "sensor", "reset" or "lost".
        text: one sentence.
        type: the type of the event, as telemetry/events.py names it; None in histories of version 0.1.0.
        road: the other city of a road event; None for other events, and in histories of version 0.1.0.
    """

    time_s: float
    city: str | None
    category: str
    text: str
    type: str | None = None
    road: str | None = None


class Prices(NamedTuple):
    """One good in one city over time; each list has an item for each sample.

    Attributes:
        time_s: seconds since 1970.
        tick: the city's tick.
        span: number of original samples that a sample stands for; low, mean and high are over all of them.
        low, mean, high: the locals' expected prices in coins.
        owned: mean stock of a local in units.
        yields: units that an act of making gives; 1 is normal.
        merchants: number of merchants that trade the good.
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
    """A history, complete or still growing; a context manager that closes the file.

    Attributes:
        path: the file.
        colours: {city: colour}, in the order in which the cities appeared.
        goods: names of goods.
        samples: number of samples.
        begin_s, end_s: times of the first and the last sample, seconds since 1970.
    """

    def __init__(self, path: str | Path) -> None:
        """Open the file read-only. Raises OperationError if it is not a readable history."""
        self.path = Path(path)
        self._db = schema.open_for_reading(self.path)
        self.colours: dict[str, str] = dict(
            self._db.execute("SELECT name, ifnull(colour, 'white') FROM cities ORDER BY rowid")
        )
        self.samples, begin_s, end_s = self._db.execute(
            "SELECT count(*), min(time_s), max(time_s) FROM samples"
        ).fetchone()
        self.begin_s, self.end_s = begin_s or 0.0, end_s or 0.0
        self._births = {name: row for name, *row in self._db.execute("SELECT name, seed, locals FROM cities")}
        self._known_times: list[tuple[int, float]] | None = None
        self._series: dict[tuple[str, str], list[tuple[Any, ...]]] | None = None
        columns = {row[1] for row in self._db.execute("PRAGMA table_info(events)")}
        self._has_event_types = columns.issuperset(schema.EVENT_COLUMNS_ADDED)
        found = self._db.execute("SELECT value FROM about WHERE key = 'goods'").fetchone()
        self.goods: list[str] = json.loads(found[0]) if found else []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @property
    def cities(self) -> list[str]:
        """The names of all recorded cities, in the order in which they appeared."""
        return list(self.colours)

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT over the tables of docs/history.md. Raises sqlite3.Error."""
        return self._db.execute(sql, values).fetchall()

    def table(self, name: str) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
        """Return (column names, rows) of a table, in order of time."""
        order = {"samples": "sample", "events": "time_s", "cities": "rowid", "about": "key"}.get(name, "sample, city")
        cursor = self._db.execute(f"SELECT * FROM {name} ORDER BY {order}")
        return [column[0] for column in cursor.description], cursor

    def prices(self, city: str, good: str) -> Prices:
        """Return one good in one city over time."""
        if self._series is None:  # all series at once, because the rows of one series lie far apart in the file
            self._series = {}
            for name, row_good, *row in self._db.execute(
                """SELECT city, good, time_s, tick, span, price_min_mills / 1000.0, price_mean_mills / 1000.0,
                     price_max_mills / 1000.0, owned_mills / 1000.0, yield_mills / 1000.0, merchants
                   FROM goods JOIN samples USING (sample) JOIN states USING (sample, city) ORDER BY sample"""
            ):
                self._series.setdefault((name, row_good), []).append(tuple(row))
        rows = self._series.get((city, good), ())
        return Prices(*(map(list, zip(*rows, strict=True)) if rows else ([] for _ in Prices._fields)))

    def sensors(self, city: str) -> dict[str, tuple[list[float], list[float]]]:
        """Return {sensor: (times in seconds since 1970, levels from 0 to 1)} of a city."""
        found: dict[str, tuple[list[float], list[float]]] = {}
        for name, time_s, level in self.query(
            "SELECT sensor, time_s, level FROM sensors JOIN samples USING (sample) WHERE city = ? ORDER BY sample", city
        ):
            times, levels = found.setdefault(name, ([], []))
            times.append(time_s)
            levels.append(level)
        return found

    def people(self, city: str) -> list[tuple[float, float]]:
        """Return (mean coins, mean leisure) of each recorded local, over the last third of the history."""
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
        """Return all events, the oldest first."""
        columns = "time_s, city, kind, text" + (", type, road" if self._has_event_types else "")
        return [Event(*row) for row in self.query(f"SELECT {columns} FROM events ORDER BY time_s, rowid")]

    def states(self) -> Iterator[tuple[float, list[dict[str, Any]]]]:
        """Yield (time in seconds since 1970, statuses) of each sample, the oldest first.

        Roads and residents, which are recorded with every tenth sample, are as last recorded. A status with residents
        has a "detail" as the dashboard shows it: wealth, gini, leisure, under_way.
        """
        for sample, time_s in self._times():
            yield time_s, self._statuses(sample)

    def at(self, time_s: float) -> tuple[float, list[dict[str, Any]]]:
        """Return (time, statuses) of the latest sample that is not after this time, or of the first sample."""
        times = self._times()
        index = max(0, bisect_right(times, time_s, key=lambda row: row[1]) - 1)
        sample, taken_s = times[index]
        return taken_s, self._statuses(sample)

    def _times(self) -> list[tuple[int, float]]:
        """Return (sample, time) of all samples; kept, because a history does not change during playback."""
        if self._known_times is None:
            rows = self.query("SELECT sample, time_s FROM samples ORDER BY sample")
            self._known_times = [(sample, time_s) for sample, time_s in rows]
        return self._known_times

    def _statuses(self, sample: int) -> list[dict[str, Any]]:
        statuses: dict[str, dict[str, Any]] = {}
        for city, tick, pace, *mills, used, free, rssi in self._rows(sample, "states"):
            locals_mills, merchants_mills, ledger_mills, under_way_mills = mills
            seed, locals_ = self._births.get(city, (None, 0))
            money = {"locals": locals_mills, "merchants": merchants_mills, "ledger": ledger_mills}
            money["total"] = sum(money.values())
            status = {"city": city, "tick": tick, "seed": seed, "price": {}, "owned": {}, "yield": {}, "sensors": {}}
            status |= {"merchants": {}, "locals": locals_, "money": {owner: money[owner] / 1000 for owner in money}}
            status |= {"roads": {}, "ticks_per_s": pace or 0.0}
            status |= {} if used is None else {"heap": {"used": used, "free": free}}
            status |= {} if rssi is None else {"rssi": rssi}
            people = self._people_at(sample, city)
            statuses[city] = status | (_detail(people, under_way_mills) if people else {})
        order = {good: index for index, good in enumerate(self.goods)}
        for city, good, low, mean, high, owned, yield_mills, merchants, made in sorted(
            self._rows(sample, "goods"), key=lambda row: order[row[1]]
        ):
            status = statuses[city]
            status["price"][good] = {"min": low / 1000, "mean": mean / 1000, "max": high / 1000}
            status["owned"][good] = owned / 1000
            status["yield"][good] = yield_mills / 1000
            status["merchants"][good] = merchants
            if made is not None:
                status.setdefault("made", {})[good] = made
        for city, name, raw, level in self._rows(sample, "sensors"):
            statuses[city]["sensors"][name] = {"raw": raw, "level": level}
        for city, name, row in self._roads_at(sample):
            if city in statuses:
                statuses[city]["roads"][name] = row
        return [statuses[city] for city in self.colours if city in statuses]

    def _rows(self, sample: int, table: str) -> list[tuple[Any, ...]]:
        """Return a table's rows of one sample, without the column `sample`."""
        return [row[1:] for row in self._db.execute(f"SELECT * FROM {table} WHERE sample = ?", (sample,))]

    def _roads_at(self, sample: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield (city, road, its part of a status) as last recorded."""
        for city, name, _, *row in self._db.execute(
            """SELECT city, road, max(sample), state, kind, sent, received, waiting, lost FROM roads
               WHERE sample BETWEEN ? AND ? GROUP BY city, road""",  # SQLite takes all columns from the row with max()
            (self._slow_before(sample), sample),
        ):
            yield city, name, dict(zip(("state", "kind", "sent", "received", "waiting", "lost"), row, strict=True))

    def _people_at(self, sample: int, city: str) -> list[tuple[int, int]]:
        """Return (mills, leisure) of each recorded local, as last recorded."""
        rows = self.query(
            """SELECT money_mills, leisure FROM people WHERE city = ?2 AND sample =
                 (SELECT max(sample) FROM people WHERE sample BETWEEN ?3 AND ?1 AND city = ?2) ORDER BY local""",
            *(sample, city, self._slow_before(sample)),
        )
        return [(mills, leisure) for mills, leisure in rows]

    def _slow_before(self, sample: int) -> int:
        """Return a sample so far back that everything has been recorded at least once since."""
        times = self._times()
        return times[max(0, bisect_left(times, (sample,)) - schema.SLOW_SAMPLES)][0]


def _detail(people: list[tuple[int, int]], under_way_mills: int | None) -> dict[str, Any]:
    """Return the "detail" of a status, from (mills, leisure) of its recorded locals."""
    wealth = sorted(mills for mills, _ in people)
    return {
        "detail": {
            "wealth": statistics.quantiles(wealth),
            "gini": round(statistics.gini(wealth), 3),
            "leisure": [[mills / 1000, leisure] for mills, leisure in people],
            "under_way": (under_way_mills or 0) / 1000,
        }
    }
