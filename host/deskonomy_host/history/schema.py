"""The tables of a history, and how a file is recognised.

Here: the tables and their columns, limits that writing and reading share, opening a file for reading. Not here: writing
(recorder.py), reading (reader.py).

A history is one SQLite file. Amounts are mills (1/1000 of a coin or of a unit), times are seconds since 1970.
"""

# pyright: strict
import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path
from urllib.parse import quote

from deskonomy.version import SOFTWARE

from deskonomy_host.errors import OperationError

APPLICATION_ID = 0x6465736B  # SQLite's application_id: "desk"
VERSION = 2  # SQLite's user_version. A history of 0.1.0 has 1: its events have neither type nor road
SLOW_SAMPLES = 10  # roads and residents are written with every tenth sample, because they change slowly or are large

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
    "events": "time_s REAL NOT NULL, city TEXT, kind TEXT NOT NULL, text TEXT NOT NULL, type TEXT, road TEXT",
    "about": "key TEXT PRIMARY KEY, value TEXT",
}
SAMPLE_TABLES = ("states", "goods", "sensors", "roads", "people")  # tables with rows for each sample
EVENT_COLUMNS_ADDED = ("type", "road")  # columns of events that version 0.1.0 does not write
_HEADER = b"SQLite format 3\0"
_PAGE_BYTES_MIN = 512  # SQLite takes a smaller file for an empty database


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Generator[None, None, None]:
    """Make the block one transaction, of which nothing stays if the block or the end of the transaction fails."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite itself has ended it after some failures
            db.execute("ROLLBACK")
        raise


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a history read-only, also one that is being written or whose run was killed.

    Raises:
        OperationError: the file cannot be read, is damaged, or is not a history that this version reads.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_PAGE_BYTES_MIN)
    except OSError as error:
        raise OperationError(f"cannot read {path}: {error.strerror}") from None
    if not head:
        raise OperationError(f"{path} is empty: no run has recorded anything in it")
    if not head.startswith(_HEADER):
        raise OperationError(f"{path} is not a history: record one with deskonomy run --history FILE.db")
    if len(head) < _PAGE_BYTES_MIN:
        raise OperationError(f"{path} is damaged or incomplete: it has {len(head)} bytes")
    # Without a -wal no process writes the file; "immutable" then works in a read-only folder, too.
    mode = "mode=ro" if path.with_name(path.name + "-wal").exists() else "immutable=1"
    try:
        db = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, isolation_level=None)
        application_id = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if application_id == APPLICATION_ID and 1 <= version <= VERSION:
            damage = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage == "ok":
                return db
            raise OperationError(f"{path} is damaged or incomplete: {damage}")
    except sqlite3.Error as error:
        raise OperationError(f"{path} is damaged or incomplete: {error}") from None
    if application_id != APPLICATION_ID:
        raise OperationError(f"{path} is a database of another program, not a history")
    later = "by a later deskonomy" if version > VERSION else "by no deskonomy"
    raise OperationError(
        f"{path} is a history of version {version}, {later}; deskonomy {SOFTWARE} reads versions 1 to {VERSION}"
    )
