"""The saved cities of a process: one SQLite file in the directory of `--state`.

Here: the file, what is restored from it, and when all cities are saved to it, always in one transaction and at the same
tick, since merchants cross between them. Not here: a city as bytes (deskonomy/checkpoint.py), whom a checkpoint lets go
(deskonomy/ledger.py).

The file is in WAL mode and fully synchronous: whatever ends the process, it holds the last checkpoint that was done. It
is locked as long as the process lives.
"""

import asyncio
import secrets
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deskonomy.economy import kernel as k
from deskonomy.economy import layout as birth
from deskonomy.economy.goods import CITY_RECIPES
from deskonomy.errors import InvalidCheckpointError
from deskonomy.roads.ledger import Ledger
from deskonomy.storage.decode import thaw
from deskonomy.storage.encode import freeze

from deskonomy_host.errors import OperationError

FILE = "cities.sqlite"
APPLICATION = 0x63697479  # SQLite's application_id: "city"
VERSION = 1
INTERVAL_S = 0.2  # checkpoints are at least so far apart,
_SHARE = 0.05  # and take no more of the time than this


class State:
    """The saved cities in a directory, made if missing, from here to close(). Raises OperationError.

    log: called with each line that tells what happened.
    """

    def __init__(self, directory, log=print):
        self.path = Path(directory) / FILE
        self._log = log
        self._cities = []
        self._crossings = 0  # within this process, as of the last checkpoint
        self._failed = False
        self._writer = ThreadPoolExecutor(1)  # one thread, so that nothing is written over what is newer
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=1)
            try:
                self._saved = self._open()
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
            raise OperationError(f"{self.path} cannot be used: {error}; move it away to begin anew") from None

    def _open(self):
        """The saved cities, {name: bytes}."""
        db = self._db
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        found = [db.execute(f"PRAGMA {what}").fetchone()[0] for what in ("application_id", "user_version")]
        empty = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not empty and found != [APPLICATION, VERSION]:
            raise OperationError(f"{self.path} holds no cities that this version of deskonomy has saved")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("BEGIN IMMEDIATE")  # from here on it is locked
        if empty:
            db.execute(f"PRAGMA application_id = {APPLICATION}")
            db.execute(f"PRAGMA user_version = {VERSION}")
            db.execute("CREATE TABLE cities (name TEXT PRIMARY KEY, data BLOB NOT NULL)")
        db.execute("COMMIT")
        return dict(db.execute("SELECT name, data FROM cities"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Let go of the file."""
        self._writer.submit(self._db.close).result()
        self._writer.shutdown()

    # From the file.

    def city(self, plan, goods, engine):
        """The saved City of a world.CityPlan, None if there is none. Raises OperationError."""
        if plan.name not in self._saved:
            return None
        try:
            city = thaw(self._saved[plan.name], plan.name, goods, engine=engine)
        except InvalidCheckpointError as error:
            raise OperationError(
                f"{self.path}: the saved {plan.name} is {error}; move the file away to begin anew"
            ) from None
        self._log(f"{plan.name} goes on from tick {city.tick}")
        if _rules(city.words) != _rules(_planned(plan, goods)):
            self._log(f"{plan.name} keeps the goods and recipes that it was saved with")
        return city

    def adopt(self, cities):
        """From now on these City objects, all of the process, are what is saved. Raises OperationError."""
        others = sorted(set(self._saved) - {city.name for city in cities})
        if others:
            raise OperationError(
                f"{self.path.parent} also holds {', '.join(others)}: run all of them, or choose another"
            )
        self._cities = cities
        self._saved = {}
        for city in cities:
            if city.ledger is None:
                city.ledger = Ledger(secrets.randbits(30), False)
            for name, road in list(city.roads.items()):
                if road not in city.lanes and name not in city.ledger.roads:
                    _let_in(city, road)
        self._crossings = self._count()

    # To the file.

    async def keep(self):
        """Save the cities for ever, as often as somebody crosses a border."""
        wait_s = INTERVAL_S
        while True:
            await asyncio.sleep(wait_s)
            if self._failed or any(city.ledger.crossed for city in self._cities) or self._count() != self._crossings:
                start = time.monotonic()
                rows, marks = self._take()
                wait_s = max(INTERVAL_S, (time.monotonic() - start) / _SHARE)
                try:
                    await asyncio.get_running_loop().run_in_executor(self._writer, self._write, rows)
                except sqlite3.Error as error:
                    if not self._failed:
                        self._log(f"the cities cannot be saved: {error}; who leaves by wire waits until they can")
                    self._failed = True
                else:
                    if self._failed:
                        self._log("the cities are saved again")
                    self._failed = False
                    _release(marks)

    def save(self):
        """Save the cities as they are now. Raises OperationError."""
        rows, marks = self._take()
        try:
            self._writer.submit(self._write, rows).result()
        except sqlite3.Error as error:
            raise OperationError(f"the cities cannot be saved to {self.path}: {error}") from None
        _release(marks)

    def _take(self):
        """All that has to be written, and each ledger with its mark of this moment."""
        self._crossings = self._count()
        rows = [(city.name, freeze(city)) for city in self._cities]
        return rows, [(city.ledger, city.ledger.mark()) for city in self._cities]

    def _write(self, rows):
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR REPLACE INTO cities VALUES (?, ?)", rows)

    def _count(self):
        """How many merchants have entered or left a road within this process."""
        return sum(lane.sent + lane.received for city in self._cities for lane in city.lanes)


def _release(marks):
    for ledger, mark in marks:
        ledger.release(mark)


def _let_in(city, road):
    """Whoever is on a road of this process that is no more enters, or comes home."""
    road.turn_back()
    while road.inbound:
        city.admit(road.take())
    city.close_road(road.name)


def _planned(plan, goods):
    """The array of a city of this plan, with nobody in it."""
    words = birth.lay_out(len(goods), 0, 1, 0)
    recipes = CITY_RECIPES.get(plan.name, {}) if plan.recipes is None else plan.recipes
    birth.write_goods(words, goods, recipes)
    return words


def _rules(words):
    """What a city's goods are made of and how they wear."""
    rows = range(words[k.AT_GOODS], words[k.AT_PRICES], words[k.GOOD_WORDS])
    return [
        (words[row + k.HALF], words[row + k.BREAKS], *words[row + k.NEEDS : row + words[k.GOOD_WORDS]]) for row in rows
    ]
