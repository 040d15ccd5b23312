"""The store: the saved cities of a process, in one SQLite file in the directory of `--state`.

Here: the file, cities restored from it, and when all cities are saved to it: always in one transaction and at the same
tick, since merchants cross between them. Not here: a city as bytes (deskonomy/storage/), what a checkpoint means for
merchants in a ledger (deskonomy/roads/ledger.py).

Cities of an older format are saved in the current one. A copy of the old file is kept until a later start has restored
all cities from the current format. What a later version has saved is refused, and stays as it is.

The file is in WAL mode and fully synchronous: however the process ends, it holds the last complete checkpoint. The file
is locked for as long as the process lives.
"""

import asyncio
import contextlib
import os
import secrets
import sqlite3
import time
from array import array
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

from deskonomy.economy import kernel as k
from deskonomy.economy import layout
from deskonomy.economy.city import City
from deskonomy.economy.goods import CITY_RECIPES, Good
from deskonomy.errors import InvalidCheckpointError
from deskonomy.roads.ledger import Ledger
from deskonomy.roads.road import Road
from deskonomy.storage.decode import NewerFormatError, decode_city, read_format
from deskonomy.storage.encode import FORMAT, encode_city
from deskonomy.version import SOFTWARE

from deskonomy_host.errors import OperationError
from deskonomy_host.logs import STORE, log_event
from deskonomy_host.world.plan import CityPlan

FILE = "cities.sqlite"
OLD = "cities.old.sqlite"  # a copy of the file with cities of an older format
APPLICATION = 0x63697479  # SQLite's application_id: "city"
VERSION = 1  # SQLite's user_version: of the tables; each city has a format of its own
INTERVAL_S = 0.2  # checkpoints are at least this far apart,
IDLE_S = 60  # a checkpoint is taken after so long without one: a crash costs no more of a city without trade
_SHARE_MAX = 0.05  # and take at most this share of the time
_LOCK_WAIT_S = 1  # for another process to release the file

Rows = list[tuple[str, bytes]]
Marks = list[tuple[Ledger, Any]]


class Store:
    """The saved cities in a directory, which is made if it is missing; open until close().

    Attributes:
        path: the SQLite file.
    """

    def __init__(self, directory: str | Path):
        """Open the store and lock it. Raises OperationError."""
        self.path = Path(directory) / FILE
        self._cities: Sequence[City] = ()
        self._ledgers: list[Ledger] = []  # of the cities
        self._crossings = 0  # of merchants on local roads, at the last checkpoint
        self._has_failed = False
        self._is_renewed = False  # the file has vanished and was made anew, which is not reported yet
        self._writer = ThreadPoolExecutor(1)  # one thread, so that checkpoints are written in their order
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = self._connect()
            try:
                self._saved = self._open_database()
                self._identity = os.stat(self.path)
            except BaseException:
                self._db.close()
                raise
        except OSError as error:
            raise OperationError(f"cannot keep cities in {directory}: {error.strerror}") from None
        except sqlite3.Error as error:
            if "locked" in str(error):
                raise OperationError(
                    f"another process runs the cities of {directory}: end it, or choose another"
                ) from None
            raise OperationError(
                f"{self.path} cannot be used: {error}; move it away to start with new cities"
            ) from None

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=_LOCK_WAIT_S)

    def _open_database(self) -> dict[str, bytes]:
        """Lock the file and return the saved cities, {name: bytes}."""
        db = self._db
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        identity = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
        is_empty = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not is_empty:
            self._check_identity(*identity)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("BEGIN IMMEDIATE")  # locks the file until the process ends
        if is_empty:
            db.execute(f"PRAGMA application_id = {APPLICATION}")
            db.execute(f"PRAGMA user_version = {VERSION}")
            db.execute("CREATE TABLE cities (name TEXT PRIMARY KEY, data BLOB NOT NULL)")
        db.execute("COMMIT")
        return dict(db.execute("SELECT name, data FROM cities"))

    def _check_identity(self, application: int, version: int) -> None:
        if application != APPLICATION or version < 1:
            raise OperationError(f"{self.path} holds no cities that deskonomy has saved")
        if version > VERSION:
            raise OperationError(
                f"{self.path} is of version {version}, by a later deskonomy; deskonomy {SOFTWARE} reads version "
                f"{VERSION}; run the later one, or choose another directory"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and release its lock."""
        self._writer.submit(self._db.close).result()
        self._writer.shutdown()

    # Restoring.

    def restore_city(self, plan: CityPlan, goods: tuple[Good, ...], engine: Any) -> City | None:
        """Return the saved city of a plan; None if there is none.

        Raises:
            OperationError: its bytes are damaged, of a newer format, or of a city with other goods.
        """
        if plan.name not in self._saved:
            return None
        try:
            city = decode_city(self._saved[plan.name], plan.name, goods, engine=engine)
        except NewerFormatError as error:
            raise OperationError(
                f"{self.path}: the saved {plan.name} is {error}; run the later one, or choose another directory"
            ) from None
        except InvalidCheckpointError as error:
            raise OperationError(
                f"{self.path}: the saved {plan.name} is {error}; move the file away to start with new cities"
            ) from None
        log_event(STORE, f"{plan.name} goes on from tick {city.tick}", plan.name)
        if _read_rules(city.state) != _read_rules(_create_planned_state(plan, goods)):
            log_event(STORE, f"{plan.name} keeps the goods and recipes that it was saved with", plan.name)
        return city

    def adopt_cities(self, cities: Sequence[City]) -> None:
        """Take these cities, all of the process, as those to save from now on.

        Raises:
            OperationError: the file also holds other cities, or holds cities of an older format and cannot be copied.
        """
        others = sorted(set(self._saved) - {city.name for city in cities})
        if others:
            raise OperationError(
                f"{self.path.parent} also holds {', '.join(others)}: run all of them, or choose another"
            )
        if any(read_format(data) < FORMAT for data in self._saved.values()):
            self._keep_old_file()
        elif self._saved:
            self.path.with_name(OLD).unlink(missing_ok=True)
        self._cities = cities
        self._ledgers = []
        self._saved = {}
        for city in cities:
            ledger = city.ledger = city.ledger or Ledger(secrets.randbits(30), False)
            self._ledgers.append(ledger)
            for name, road in list(city.roads.items()):
                if road not in city.local_roads and name not in ledger.roads:
                    _dissolve_road(city, road)
        self._crossings = self._count_crossings()

    def _keep_old_file(self) -> None:
        """Copy the file to OLD, before cities of the current format take the place of those in it."""
        old = self.path.with_name(OLD)
        part = old.with_suffix(".part")
        try:
            part.unlink(missing_ok=True)
            with contextlib.closing(sqlite3.connect(part)) as copy:
                self._db.backup(copy)
            part.replace(old)
        except (OSError, sqlite3.Error) as error:
            raise OperationError(
                f"{self.path} is of an older version of deskonomy, and cannot be copied to {old}: {error}"
            ) from None
        log_event(
            STORE, f"an older version has saved the cities; a copy of its file is kept as {old} until the next start"
        )

    # Saving.

    async def run_checkpoints(self) -> None:
        """Save the cities whenever a merchant has crossed a road, and after IDLE_S without that, without an end."""
        wait_s = INTERVAL_S
        saved_s = time.monotonic()
        while True:
            await asyncio.sleep(wait_s)
            if self._has_failed or self._has_changed() or time.monotonic() - saved_s >= IDLE_S:
                start_s = saved_s = time.monotonic()
                rows, marks = self._begin_checkpoint()
                wait_s = max(INTERVAL_S, (time.monotonic() - start_s) / _SHARE_MAX)
                try:
                    await asyncio.get_running_loop().run_in_executor(self._writer, self._write, rows)
                except (OperationError, OSError, sqlite3.Error) as error:
                    self._report_failure(error)
                else:
                    self._report_success()
                    _commit_checkpoint(marks)

    def save(self) -> None:
        """Save the cities as they are now. Raises OperationError."""
        rows, marks = self._begin_checkpoint()
        try:
            self._writer.submit(self._write, rows).result()
        except (OSError, sqlite3.Error) as error:
            raise OperationError(f"the cities cannot be saved to {self.path}: {error}") from None
        self._report_success()
        _commit_checkpoint(marks)

    def _has_changed(self) -> bool:
        """Return whether a merchant has crossed a road since the last checkpoint."""
        return any(ledger.dirty for ledger in self._ledgers) or self._count_crossings() != self._crossings

    def _begin_checkpoint(self) -> tuple[Rows, Marks]:
        """Return the rows to write, and each ledger with its mark of this moment."""
        self._crossings = self._count_crossings()
        rows = [(city.name, encode_city(city)) for city in self._cities]
        return rows, [(ledger, ledger.begin_checkpoint()) for ledger in self._ledgers]

    def _write(self, rows: Rows) -> None:
        """Write all cities. Raises OperationError, OSError, sqlite3.Error; then the file holds what it held before."""
        self._follow_file()
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            db.executemany("INSERT OR REPLACE INTO cities VALUES (?, ?)", rows)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:  # SQLite itself has ended it after some failures
                db.execute("ROLLBACK")
            raise

    def _follow_file(self) -> None:
        """Make the file anew if it has vanished: SQLite would go on writing to the old one, which no restart finds.

        A new file is complete after one checkpoint, because each holds all cities.

        Raises:
            OperationError, OSError, sqlite3.Error: it cannot be made, or another file is in its place.
        """
        try:
            if os.path.samestat(self._identity, os.stat(self.path)):
                return
        except FileNotFoundError:
            pass
        self._db.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._db = self._connect()
        try:
            if self._open_database():
                raise OperationError(f"{self.path} has been replaced by other saved cities")
            self._identity = os.stat(self.path)
        except BaseException:
            self._db.close()  # no file stays locked to which nothing is written
            raise
        self._is_renewed = True

    def _report_failure(self, error: Exception) -> None:
        """Log a failure to save, once until it is over."""
        if not self._has_failed:
            log_event(
                STORE, f"the cities cannot be saved: {error}; merchants that leave the process wait until they can"
            )
        self._has_failed = True

    def _report_success(self) -> None:
        if self._is_renewed:
            log_event(STORE, f"{self.path} has vanished: the cities are saved in a new file")
        if self._has_failed:
            log_event(STORE, "the cities are saved again")
        self._has_failed = self._is_renewed = False

    def _count_crossings(self) -> int:
        """Return how many merchants have entered or left local roads."""
        return sum(road.sent + road.received for city in self._cities for road in city.local_roads)


def _commit_checkpoint(marks: Marks) -> None:
    for ledger, mark in marks:
        ledger.commit_checkpoint(mark)


def _dissolve_road(city: City, road: Road) -> None:
    """Admit the merchants of a saved local road that the plan no longer has, and close it."""
    road.return_unsent()
    while (merchant := road.take()) is not None:
        city.admit(merchant)
    city.close_road(road.name)


def _create_planned_state(plan: CityPlan, goods: tuple[Good, ...]) -> "array[int]":
    """Return the state array of a city of this plan, without residents."""
    state = layout.create_state(len(goods), 0, 1, 0)
    recipes = CITY_RECIPES.get(plan.name, {}) if plan.recipes is None else plan.recipes
    layout.write_goods(state, goods, recipes)
    return state


def _read_rules(state: "array[int]") -> list[tuple[int, ...]]:
    """Return for each good of a state array: the stock that halves its value, how it breaks, its materials."""
    rows = range(state[k.AT_GOODS], state[k.AT_PRICES], state[k.GOOD_SIZE])
    return [
        (state[row + k.HALF], state[row + k.BREAKS], *state[row + k.NEEDS : row + state[k.GOOD_SIZE]]) for row in rows
    ]
