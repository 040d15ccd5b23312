"""Disks that are full or locked, and files that vanish during a run: cities go on, and the log says what is missing."""

import asyncio
import contextlib
import itertools
import json
import os
import resource
import shutil
import sqlite3

import pytest
from deskonomy import status
from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy_host import logs
from deskonomy_host.errors import OperationError
from deskonomy_host.history import recording as recording_module
from deskonomy_host.history.reader import History
from deskonomy_host.history.recorder import Recorder
from deskonomy_host.history.recording import HistoryWriter, recording
from deskonomy_host.runtime import store
from deskonomy_host.runtime.store import Store
from deskonomy_host.telemetry import clock
from deskonomy_host.telemetry.events import NOTE, Event
from deskonomy_host.world import plan as world
from helpers.peers import wait_until


class Disk:
    """The disk below a recorder, which is full when the test says so: SQLite reports that as it does on a full disk."""

    def __init__(self, recorder):
        self._recorder = recorder

    def fill(self):
        self._limit(1)  # SQLite takes the present size for the limit

    def empty(self):
        self._limit(1_000_000)

    def _limit(self, pages):
        self._recorder._db.execute(f"PRAGMA max_page_count = {pages}")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "a.db"


def read_status(city):
    return json.loads(status.format_status(city, [("sensors", "{}")]))


def test_full_disk_is_reported_once_and_only_samples_of_that_time_are_missing(file, monkeypatch):
    monkeypatch.setattr(recording_module, "STATUSES_MAX", 20)
    city, lines = City("RIVERWOOD", 1), []
    with Recorder(file, keep=10_000) as recorder:
        disk, writer = Disk(recorder), HistoryWriter(recorder, lines.append)

        def run(begin, end):
            for second in range(begin, end):
                city.run(1)
                writer.add([read_status(city)], float(second))
                writer.write_waiting()

        run(1, 101)
        disk.fill()
        run(101, 401)
        writer.add_event(Event(400.0, "", NOTE, "while it was full", ""))
        assert len(lines) == 1 and "cannot be recorded: database or disk is full" in lines[0] and "go on" in lines[0]
        disk.empty()
        run(401, 501)
        assert lines[1:] == [f"the history is recorded again; it lacks {writer.dropped_count} samples"]
        assert writer.dropped_count > 100
    with History(file) as history:
        seconds = [int(time_s) for (time_s,) in history.query("SELECT time_s FROM samples ORDER BY sample")]
        assert set(range(1, 501)) - set(seconds) <= set(range(101, 401))
        assert len(seconds) == 500 - writer.dropped_count and seconds == sorted(seconds)
        assert history.query("SELECT count(*) FROM states WHERE tick = CAST(? AS INTEGER)", 500) == [(1,)]
        assert "while it was full" in [event.text for event in history.events()]


def test_sample_that_fails_leaves_nothing_and_is_recorded_later(file):
    city = City("RIVERWOOD", 1)
    with Recorder(file) as recorder:
        disk = Disk(recorder)
        recorder.record([read_status(city)], 1.0)
        disk.fill()
        failures = 0
        for _ in range(1000):  # until the pages that the file has are used up
            city.run(1)
            before = recorder._db.execute("SELECT count(*) FROM goods").fetchone()
            try:
                recorder.record([read_status(city)], 2.0 + city.tick)
            except sqlite3.OperationalError:
                failures += 1
                assert recorder._db.execute("SELECT count(*) FROM goods").fetchone() == before
                if failures == 3:
                    break
        disk.empty()
        recorder.record([read_status(city)], 2000.0)
        samples = recorder._db.execute("SELECT count(*) FROM samples").fetchone()[0]
    assert failures == 3
    with History(file) as history:
        assert history.samples == samples == history.query("SELECT count(*) FROM states")[0][0]
        assert history.at(2000.0)[1][0]["tick"] == city.tick


def test_locked_file_blocks_no_loop_and_loses_no_sample(file):
    """Another program holds the write lock for a while."""
    lines = []

    async def scenario():
        recorder = Recorder(file)
        city = City("RIVERWOOD", 1)
        async with recording(recorder, lambda: [read_status(city)]):
            with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
                await wait_until(lambda: other.execute("SELECT count(*) FROM samples").fetchone()[0])
                other.execute("BEGIN IMMEDIATE")
                await wait_until(lambda: [line for line in lines if "database is locked" in line])
                other.execute("COMMIT")
            await wait_until(lambda: "the history is recorded again" in lines)

    with logs.attach(logs.LineHandler(lines.append)):
        asyncio.run(scenario())
    assert len(lines) == 2
    with History(file) as history:
        times = [time_s for (time_s,) in history.query("SELECT time_s FROM samples ORDER BY sample")]
        assert max(after - before for before, after in itertools.pairwise(times)) < 1.5


def test_history_that_cannot_be_written_at_the_end_is_reported_and_no_error(file, monkeypatch):
    lines = []

    async def scenario():
        recorder = Recorder(file)
        city = City("RIVERWOOD", 1)
        async with recording(recorder, lambda: [read_status(city)]):
            await wait_until(lambda: recorder._count)
            monkeypatch.setattr(recorder, "record", raise_full)

    def raise_full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    with logs.attach(logs.LineHandler(lines.append)):
        asyncio.run(scenario())
    assert "cannot be recorded" in lines[0] and lines[-1].startswith("the history lacks its last")


def test_vanished_history_goes_on_in_new_file(tmp_path):
    folder = tmp_path / "histories"
    folder.mkdir()
    file, lines, city = folder / "a.db", [], City("RIVERWOOD", 1)
    with Recorder(file) as recorder:
        writer = HistoryWriter(recorder, lines.append)
        writer.add([read_status(city)], 1.0)
        assert writer.write_waiting()
        shutil.rmtree(folder)
        writer.add([read_status(city)], 2.0)
        assert writer.write_waiting()
    assert lines == [f"{file} has vanished: the history goes on in a new file"]
    with History(file) as history:
        assert history.samples == 1 and history.cities == ["RIVERWOOD"]
    assert os.listdir(folder) == ["a.db"]


def test_history_of_another_run_is_refused(start, deskonomy, file):
    running = start(f"run RIVERWOOD --json --history {file}")
    running.next()
    link = file.with_name("link.db")
    link.symlink_to(file)
    for name in (file, link):
        done = deskonomy(f"run SEASIDE --json --ticks 1 --history {name}")
        assert done.returncode == 1 and done.stderr.count("\n") == 1 and done.stdout == ""
        assert f"another run records {file}: end it, or name another file" in done.stderr
    running.end()
    assert not file.with_name("a.db-lock").exists()
    assert deskonomy(f"run RIVERWOOD --json --ticks 1 --history {file}").returncode == 0


def test_history_continues_after_system_clock_was_set_back(file, monkeypatch):
    for _ in range(2):
        with Recorder(file) as recorder:
            for _ in range(3):
                recorder.record([read_status(City("RIVERWOOD", 1))])
        monkeypatch.setattr(clock, "_START_S", clock._START_S - 3600)
    with History(file) as history:
        assert history.samples == 6 and history.end_s - history.begin_s < 60
        times = [time_s for (time_s,) in history.query("SELECT time_s FROM samples ORDER BY sample")]
        assert times == sorted(times)


def test_times_follow_monotonic_clock_when_system_clock_is_set(monkeypatch):
    before = clock.read_time_s()
    for leap_s in (-3600, 86_400):
        now = clock.time.time()
        monkeypatch.setattr(clock.time, "time", lambda now=now, leap_s=leap_s: now + leap_s)
        assert 0 <= clock.read_time_s() - before < 10


def test_vanished_state_directory_is_made_anew(tmp_path):
    folder, lines = tmp_path / "saved", []
    with logs.attach(logs.LineHandler(lines.append)):
        with Store(folder) as saved:
            cities = world.build_cities(world.plan_cities(["RIVERWOOD", "SEASIDE"]), restore=saved.restore_city)
            saved.adopt_cities(cities)
            saved.save()
            shutil.rmtree(folder)
            cities[0].run(10)
            saved.save()
            assert lines == [f"{folder / store.FILE} has vanished: the cities are saved in a new file"]
            saved.save()
            with pytest.raises(OperationError, match="another process runs the cities"):
                Store(folder)
        with Store(folder) as saved:
            plan = world.plan_cities(["RIVERWOOD", "SEASIDE"])
            assert [city.tick for city in world.build_cities(plan, restore=saved.restore_city)] == [10, 0]


def test_state_directory_that_cannot_be_made_anew_is_reported_until_it_can(tmp_path):
    folder, lines = tmp_path / "saved", []

    async def scenario():
        with Store(folder) as saved:
            (city,) = world.build_cities(world.plan_cities(["RIVERWOOD"]), restore=saved.restore_city)
            saved.adopt_cities([city])
            road = city.ledger.ensure_road("ELSEWHERE", 100)
            city.open_road(road)
            task = asyncio.create_task(saved.run_checkpoints())
            shutil.rmtree(folder)
            folder.write_text("in the way")
            road.send(Merchant("chair"))
            await wait_until(lambda: len(lines) == 1)
            assert "the cities cannot be saved" in lines[0] and road.saved_sequence == 0
            folder.unlink()
            await wait_until(lambda: road.saved_sequence == 1)
            task.cancel()

    with logs.attach(logs.LineHandler(lines.append)):
        asyncio.run(scenario())
    assert len(lines) == 3 and "in a new file" in lines[1] and lines[2] == "the cities are saved again"


def test_state_that_was_replaced_is_not_overwritten(tmp_path):
    folder = tmp_path / "saved"
    for name in ("RIVERWOOD", "SEASIDE"):
        with Store(tmp_path / name) as saved:
            saved.adopt_cities(world.build_cities(world.plan_cities([name])))
            saved.save()
    shutil.copytree(tmp_path / "RIVERWOOD", folder)
    with Store(folder) as saved:
        saved.adopt_cities(world.build_cities(world.plan_cities(["RIVERWOOD"]), restore=saved.restore_city))
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "SEASIDE", folder)
        for _ in range(2):
            with pytest.raises(OperationError, match="has been replaced by other saved cities"):
                saved.save()
    with Store(folder) as saved:
        assert list(saved._saved) == ["SEASIDE"]


def test_run_outlasts_a_disk_that_takes_no_byte_for_a_while(start, tmp_path):
    """The history and the cities of a real process; its limit of file size stands in for the disk."""
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux sets the limits of another process")
    running = start(
        f"run RIVERWOOD SEASIDE --json --speed 400 --history {tmp_path}/a.db --state {tmp_path}/saved --no-dashboard"
    )
    running.next()
    _, most = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (0, most))
    err = read_until(running, "the history cannot be recorded: ", "the cities cannot be saved: ")
    tick = running.until(lambda status: True)["tick"]
    running.until(lambda status: status["tick"] > tick + 400)  # time goes on meanwhile
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (most, most))
    err += read_until(running, "the history is recorded again", "the cities are saved again")
    status, _, rest = running.end()
    assert status == 130
    for text in ("the history cannot", "the history is", "the cities cannot", "the cities are"):
        assert len([line for line in [*err, *rest.splitlines()] if line.startswith(text)]) == 1
    with History(tmp_path / "a.db") as history:
        times = [time_s for (time_s,) in history.query("SELECT time_s FROM samples ORDER BY sample")]
        assert max(after - before for before, after in itertools.pairwise(times)) < 1.5  # no sample is missing


def read_until(running, *beginnings):
    """Return the lines of a command's stderr up to those that begin with these texts."""
    lines, missing = [], set(beginnings)
    while missing:
        lines.append(running.process.stderr.readline())
        missing -= {text for text in missing if lines[-1].startswith(text)}
    return lines


def test_log_file_on_full_disk_ends_no_run_and_prints_no_traceback(environment, deskonomy):
    if not os.path.exists("/dev/full"):
        pytest.skip("only Linux has a device that is always full")
    environment["DESKONOMY_LOG"] = "/dev/full"
    done = deskonomy("run RIVERWOOD --json --ticks 5")
    assert done.returncode == 0 and "Traceback" not in done.stderr
