"""`deskonomy history`: a summary of a history; its tables as CSV and Parquet files.

Here: the summary and the exports. Not here: reading the file (reader.py).
"""

import csv
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deskonomy_host.errors import OperationError
from deskonomy_host.extras import find_missing
from deskonomy_host.history.reader import History
from deskonomy_host.history.schema import TABLES

EXPORTED = [name for name in TABLES if name != "about"]


def export_history(
    path: str | Path,
    csv_dir: str | None = None,
    parquet_dir: str | None = None,
    write_line: Callable[[str], object] = print,
) -> None:
    """Print a summary of a history, or export it to folders.

    Args:
        path: the history.
        csv_dir: a folder for CSV files; None for none.
        parquet_dir: a folder for Parquet files; None for none.
        write_line: called with each line of output.

    Raises:
        OperationError: the history is unreadable or empty, a folder cannot be written, or pyarrow is missing.
    """
    with History(path) as history:
        if not history.samples:
            raise OperationError(f"{path} contains no samples: its run ended before the first one")
        if csv_dir:
            write_line(f"{_to_csv(history, Path(csv_dir))} CSV files in {csv_dir}")
        if parquet_dir:
            write_line(f"{_to_parquet(history, Path(parquet_dir))} Parquet files in {parquet_dir}")
        if not csv_dir and not parquet_dir:
            for line in summary(history):
                write_line(line)


def summary(history: History) -> Iterator[str]:
    """Yield lines about a history: its time, its cities' first and last prices, its latest events."""
    size = history.path.stat().st_size
    begin = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(history.begin_s))
    yield f"{history.path}: {_duration(history.end_s - history.begin_s)} from {begin}"
    yield f"{history.samples:,} samples, {len(history.events()):,} events, {size / 1e6:,.1f} MB"
    for city in history.cities:
        first, last = history.query("SELECT min(tick), max(tick) FROM states WHERE city = ?", city)[0]
        yield f"{city}, ticks {first:,} to {last:,}; mean price at the beginning, at the end, lowest to highest:"
        for good in history.goods:
            prices = history.prices(city, good)
            if prices.mean:
                span = f"{min(prices.low):.2f} to {max(prices.high):.2f}"
                yield f"  {good:<10}{prices.mean[0]:>9.2f}{prices.mean[-1]:>9.2f}   {span}"
    events = history.events()
    for event in events[-10:]:
        time_text = _duration(max(0, event.time_s - history.begin_s))
        yield f"  {time_text:>8}  {event.text}"


def _to_csv(history: History, folder: Path) -> int:
    """Write the tables as CSV files, and return their number."""
    for name, columns, rows in _tables(history, folder):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(rows)
    return len(EXPORTED)


def _to_parquet(history: History, folder: Path) -> int:
    """Write the tables as Parquet files, and return their number."""
    missing = find_missing("parquet")
    if missing:
        raise OperationError(missing)
    import pyarrow
    from pyarrow import parquet

    types = {"INTEGER": pyarrow.int64(), "REAL": pyarrow.float64(), "TEXT": pyarrow.string()}
    for name, columns, rows in _tables(history, folder):
        declared = dict(column.split()[:2] for column in TABLES[name].split(", PRIMARY")[0].split(", "))
        schema = pyarrow.schema([(column, types[declared[column]]) for column in columns])
        by_column = list(zip(*rows, strict=True)) or [()] * len(columns)
        table = pyarrow.table(dict(zip(columns, by_column, strict=True)), schema=schema)
        parquet.write_table(table, folder / f"{name}.parquet")
    return len(EXPORTED)


def _tables(history: History, folder: Path) -> Iterator[tuple[str, list[str], Iterator[tuple[Any, ...]]]]:
    """Make the folder, and yield (name, columns, rows) of each table."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OperationError(f"cannot write to {folder}: {error.strerror}") from None
    for name in EXPORTED:
        yield name, *history.table(name)


def _duration(seconds: float) -> str:
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"
