"""Histories: recorded by a run, also one that is killed; read back, exported, played back; invalid files."""

import contextlib
import csv
import json
import lzma
import os
import sqlite3
import urllib.request

import pytest
from deskonomy import status
from deskonomy.economy.city import City
from deskonomy.roads.local import connect
from deskonomy_host.apps.playback import HistoryPlayer
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.history import export
from deskonomy_host.history.reader import History
from deskonomy_host.history.recorder import EVENTS_MAX, KEEP, LOCALS_MAX, Recorder
from deskonomy_host.history.schema import SLOW_SAMPLES
from deskonomy_host.telemetry.events import NOTE, Event
from deskonomy_host.telemetry.statistics import CityStatistics
from helpers.commands import PATIENCE_S
from helpers.ports import find_free_ports
from helpers.repository import REPO


class TwoCities:
    """Two cities with a road between them."""

    def __init__(self):
        self.cities = City("RIVERWOOD", 1), City("SEASIDE", 2)
        self._detail = CityStatistics()
        connect(*self.cities)

    def run(self, ticks):
        for _ in range(ticks):
            for city in self.cities:
                city.run(1)

    def read(self):
        """Return their statuses, as if each had a light sensor."""
        sensors = [("sensors", '{"light": {"raw": 3, "level": 0.5}}')]
        return [
            json.loads(status.format_status(city, sensors)) | {"detail": self._detail(city)} for city in self.cities
        ]


def write(path, samples=30, keep=KEEP, ticks=10):
    """Record two cities, a sample each second; return the recorded [(time_s, statuses)]."""
    two = TwoCities()
    recorded = []
    with Recorder(path, {"RIVERWOOD": "green", "SEASIDE": "#1188aa"}, keep) as recorder:
        for second in range(samples):
            two.run(ticks)
            recorded.append((1000.0 + second, two.read()))
            recorder.record(recorded[-1][1], recorded[-1][0])
    return recorded


@pytest.fixture
def file(tmp_path):
    return tmp_path / "two.db"


def without(status, *keys):
    return {key: value for key, value in status.items() if key not in keys}


def test_recorded_statuses_are_read_back(file):
    recorded = write(file)
    with History(file) as history:
        assert (history.samples, history.begin_s, history.end_s) == (30, 1000, 1029)
        assert history.colours == {"RIVERWOOD": "green", "SEASIDE": "#1188aa"}
        assert history.goods == ["wood", "chair", "thread", "bed"]
        for index, ((time_s, then), (read_s, read)) in enumerate(zip(recorded, history.states(), strict=True)):
            assert time_s == read_s
            assert history.at(time_s + 0.5) == (read_s, read)
            for expected, found in zip(then, read, strict=True):
                # Digest and version are not recorded; roads and residents are recorded with every tenth sample.
                slow = "roads", "detail", "money"
                assert expected["money"].items() >= found["money"].items() >= {("total", expected["money"]["total"])}
                assert without(found, "ticks_per_s", *slow) == without(expected, "digest", "version", *slow)
                assert found["roads"].keys() == expected["roads"].keys()
                if index % SLOW_SAMPLES == 0:
                    assert {**expected["detail"], **found["detail"]} == expected["detail"]
                    for name, road in found["roads"].items():
                        assert {**expected["roads"][name], **road} == expected["roads"][name]
        prices = history.prices("SEASIDE", "bed")
        assert prices.time_s[-1] == 1029
        assert prices.mean[-1] == recorded[-1][1][1]["price"]["bed"]["mean"]
        assert prices.low <= prices.mean <= prices.high
        assert history.sensors("SEASIDE")["light"][1] == [0.5] * 30
        assert len(history.people("RIVERWOOD")) == 20


def test_failed_sensor_leaves_gap(file):
    two = TwoCities()
    with Recorder(file, {}) as recorder:
        for second in range(3):
            states = two.read()
            if second == 1:
                states[0]["sensors"]["light"] = {"error": "no answer (19)"}
            recorder.record(states, 1000.0 + second)
    with History(file) as history:
        assert history.sensors("RIVERWOOD")["light"] == ([1000, 1002], [0.5, 0.5])
        assert history.sensors("SEASIDE")["light"][0] == [1000, 1001, 1002]


def test_old_samples_are_merged_in_pairs(file):
    keep, samples = 20, 700
    recorded = write(file, samples, keep, ticks=1)
    with History(file) as history:
        spans = dict(history.query("SELECT span, count(*) FROM samples GROUP BY span"))
        assert sum(span * count for span, count in spans.items()) == samples
        assert all(count <= keep + 1 for count in spans.values())
        assert sorted(spans) == [1, 2, 4, 8, 16, 32]
        prices = history.prices("RIVERWOOD", "wood")
        everything = [then[0]["price"]["wood"] for _, then in recorded]
        begin = 0
        for index, span in enumerate(prices.span):
            merged = everything[begin : begin + span]
            assert prices.time_s[index] == recorded[begin + span - 1][0]
            assert prices.low[index] == min(price["min"] for price in merged)
            assert prices.high[index] == max(price["max"] for price in merged)
            mean = sum(price["mean"] for price in merged) / span
            assert prices.mean[index] == pytest.approx(mean, abs=0.006)  # a mill at most is cut off at each merging
            begin += span
        assert len(history.query("SELECT DISTINCT sample FROM people EXCEPT SELECT sample FROM samples")) == 0
        for _, read in history.states():
            assert read[0]["roads"]["SEASIDE"]["state"] == "up"


def test_history_size_is_bounded(file):
    """The bound that history/recorder.py states: at most KEEP samples of each age, and their bytes."""
    samples, keep = 3000, 50
    write(file, samples, keep, ticks=1)
    with History(file) as history:
        ages = (samples // keep).bit_length() + 1
        assert history.samples <= ages * (keep + 1)
        goods, cities, roads, people = (history.query(f"SELECT count(*) FROM {table}")[0][0] for table in
                                        ("goods", "states", "roads", "people"))  # fmt: skip
        assert people <= history.samples * LOCALS_MAX * 2
    stated = 60 * goods + 80 * cities + 60 * roads + 30 * people + 50 * history.samples + 200_000
    assert os.path.getsize(file) < stated


def test_number_of_events_is_bounded(file):
    two = TwoCities()
    with Recorder(file) as recorder:
        for number in range(EVENTS_MAX + 5):
            recorder.note(f"number {number}", time_s=number)
        recorder.record(two.read())
    with History(file) as history:
        events = history.events()
        assert len(events) == EVENTS_MAX
        assert "number 0" not in [event.text for event in events]


def test_changes_become_events(file):
    two = TwoCities()
    with Recorder(file) as recorder:
        recorder.record(two.read(), time_s=1)
        two.cities[0].set_yield("wood", 250, override=True)
        two.cities[0].roads["SEASIDE"].state = "down"
        for second in (2, 3, 4):
            recorder.record(two.read(), time_s=second)
        recorder.note("the cat sat on the board", "SEASIDE", time_s=5)
    with History(file) as history:
        events = [(event.time_s, event.city, event.category, event.text) for event in history.events()]
    assert events == [
        (1, "RIVERWOOD", "city", "RIVERWOOD has appeared at tick 0"),
        (1, "SEASIDE", "city", "SEASIDE has appeared at tick 0"),
        (2, "RIVERWOOD", "road", "RIVERWOOD: the road to SEASIDE is closed"),
        (3, "RIVERWOOD", "yield", "RIVERWOOD: the yield of wood is now 0.25"),
        (5, "SEASIDE", "note", "the cat sat on the board"),
    ]


def test_second_run_continues_file(file):
    write(file, 25, keep=10)
    two = TwoCities()
    with Recorder(file, keep=10) as recorder:
        for second in range(25):
            recorder.record(two.read(), 2000 + second)
    with History(file) as history:
        assert history.end_s == 2024
        spans = dict(history.query("SELECT span, count(*) FROM samples GROUP BY span"))
        assert sum(span * count for span, count in spans.items()) == 50
        assert history.colours["RIVERWOOD"] == "green"


def test_history_is_readable_while_it_is_written(file):
    two = TwoCities()
    with Recorder(file) as recorder:
        recorder.record(two.read())
        with History(file) as history:
            assert history.samples == 1
        recorder.record(two.read())
        with History(file) as history:
            assert history.samples == 2


def test_summary_lists_cities_and_events(file, deskonomy):
    write(file)
    done = deskonomy(f"history {file}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{file}: 29 s from ")
    assert "30 samples, 2 events" in done.stdout
    assert "SEASIDE, ticks 10 to 300" in done.stdout


def test_csv_export_has_every_row(file, tmp_path, deskonomy):
    recorded = write(file)
    done = deskonomy(f"history {file} --csv {tmp_path / 'out'}")
    assert done.stdout == f"8 CSV files in {tmp_path / 'out'}\n"
    with (tmp_path / "out" / "goods.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert len(rows) == 30 * 2 * 4
    last = next(row for row in reversed(rows) if (row["city"], row["good"]) == ("SEASIDE", "bed"))
    assert int(last["price_mean_mills"]) == round(recorded[-1][1][1]["price"]["bed"]["mean"] * 1000)


def test_parquet_export_has_every_row(file, tmp_path, deskonomy):
    parquet = pytest.importorskip("pyarrow.parquet")
    recorded = write(file)
    done = deskonomy(f"history {file} --parquet {tmp_path / 'out'}")
    assert done.stdout == f"8 Parquet files in {tmp_path / 'out'}\n"
    table = parquet.read_table(tmp_path / "out" / "goods.parquet")
    assert table.num_rows == 30 * 2 * 4
    assert table.column("price_mean_mills").to_pylist()[-4] == recorded[-1][1][1]["price"]["bed"]["mean"] * 1000
    assert parquet.read_table(tmp_path / "out" / "sensors.parquet").schema.field("level").type == "double"


def make_absent(path):
    pass


def make_empty(path):
    path.write_bytes(b"")


def make_foreign(path):
    path.write_bytes(b"time,price\n1,2\n" * 100)


def make_of_another_program(path):
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE notes (text)")
    db.close()


def make_truncated(path):
    write(path)
    path.write_bytes(path.read_bytes()[:20_000])


def make_cut_in_its_head(path):
    write(path)
    path.write_bytes(path.read_bytes()[:50])


def make_damaged(path):
    write(path, 200)
    content = bytearray(path.read_bytes())
    content[4096:40_000] = bytes(len(content[4096:40_000]))
    path.write_bytes(content)


def make_newer(path):
    write(path)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 3")


def make_folder(path):
    path.mkdir()


INVALID_FILES = {
    make_absent: "cannot read {}: No such file or directory",
    make_empty: "{} is empty: no run has recorded anything in it",
    make_foreign: "{} is not a history: record one with deskonomy run --history FILE.db",
    make_of_another_program: "{} is a database of another program, not a history",
    make_truncated: "{} is damaged or incomplete: ",
    make_cut_in_its_head: "{} is damaged or incomplete: ",
    make_damaged: "{} is damaged or incomplete: ",
    make_newer: "{} is a history of version 3, by a later deskonomy; deskonomy",
    make_folder: "cannot read {}: Is a directory",
}


@pytest.mark.parametrize("make", INVALID_FILES, ids=lambda make: make.__name__.removeprefix("make_"))
@pytest.mark.parametrize("command", ["history {}", "plot {} -o {}.png"])
def test_invalid_history_fails_with_one_line(make, command, file, deskonomy):
    make(file)
    done = deskonomy(command.format(file, file))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("deskonomy: " + INVALID_FILES[make].format(file))


@pytest.mark.parametrize("make, message", [(make_foreign, "is not a history"), (make_newer, "by a later deskonomy")])
def test_recorder_does_not_write_into_other_file(file, make, message):
    make(file)
    before = file.read_bytes()
    with pytest.raises(OperationError, match=message):
        Recorder(file)
    assert file.read_bytes() == before


def test_history_without_samples_is_rejected(file):
    Recorder(file).close()
    with pytest.raises(OperationError, match="contains no samples"):
        export.export_history(file)


def test_export_into_impossible_folder_fails(file):
    write(file, 2)
    with pytest.raises(OperationError, match="cannot write to"):
        export.export_history(file, csv_dir=file / "inside")


def test_run_records_history(file, deskonomy):
    done = deskonomy(f"run RIVERWOOD SEASIDE --ticks 2000 --speed 2000 --json --history {file}")
    assert (done.returncode, done.stderr.count("listens")) == (0, 2)
    ends = {row["city"]: row for row in map(json.loads, done.stdout.splitlines())}
    with History(file) as history:
        assert history.colours == {"RIVERWOOD": "green", "SEASIDE": "cyan"}
        *_, (_, last) = history.states()
        assert history.samples >= 3  # a busy machine takes few samples
        for found in last:
            expected = ends[found["city"]]
            assert found["tick"] == 2000
            assert found["price"] == expected["price"]
            assert expected["money"].items() >= found["money"].items() >= {("total", expected["money"]["total"])}
        assert len(history.people("SEASIDE")) == 20
    assert not file.with_name("two.db-wal").exists()


def test_killed_run_leaves_readable_history(file, start, deskonomy):
    running = start(f"run RIVERWOOD SEASIDE --speed 1000 --json --history {file}")
    running.until(lambda status: status["tick"] > 500)
    running.process.kill()
    running.process.wait()
    with History(file) as history:
        assert history.samples >= 1
        assert [len(read) for _, read in history.states()] == [2] * history.samples
    assert deskonomy(f"history {file}").returncode == 0
    # The next run continues it.
    assert deskonomy(f"run RIVERWOOD SEASIDE --ticks 10 --json --history {file}").returncode == 0
    with History(file) as again:
        assert again.samples > history.samples


def test_run_rejects_history_in_other_file(file, deskonomy):
    make_foreign(file)
    done = deskonomy(f"run RIVERWOOD --ticks 10 --history {file}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"deskonomy: {file} is not a history: record one with deskonomy run --history FILE.db\n"
    done = deskonomy(f"run RIVERWOOD --ticks 10 --history {file}/in.db")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"deskonomy: cannot write a history to {file}/in.db: ")


def test_history_is_played_back(file):
    recorded = write(file)
    clock = [0.0]
    with Recorder(file) as recorder:
        recorder.note("the cat sat on the board", "SEASIDE", time_s=1010.5)
    with History(file) as history:
        played = HistoryPlayer(history, lambda: clock[0])
        assert (played.origin, played.now_s()) == ("two.db", 1000)
        assert played.clock() == {"paused": False, "ticks_per_s": 10, "from": 1000, "to": 1029}
        clock[0] = 11.2
        assert [found["tick"] for found in played.read()] == [120, 120]
        assert played.read()[0]["price"] == recorded[11][1][0]["price"]
        assert played.take_events() == [Event(1010.5, "SEASIDE", NOTE, "the cat sat on the board")]
        assert played.take_events() == []
        played.pause(True)
        clock[0] = 20
        assert played.now_s() == 1011.2
        played.step(10)
        assert played.now_s() == pytest.approx(1012.2)
        played.seek(1005)
        played.pause(False)
        played.speed(40)
        clock[0] = 22
        assert played.now_s() == pytest.approx(1013)
        clock[0] = 100
        assert (played.now_s(), played.clock()["paused"]) == (1029, True)
        assert played.pause(False)["paused"] is False
        assert played.now_s() == 1000
        for wrong in (lambda: played.seek("x"), lambda: played.speed(0), lambda: played.pause(1)):
            with pytest.raises(UsageError):
                wrong()


def test_dashboard_plays_history(file, start, deskonomy):
    write(file)
    [port] = find_free_ports(1)
    running = start(f"history {file} --dashboard-at 127.0.0.1:{port}")
    address = running.process.stdout.readline().strip()
    assert address.startswith(f"http://127.0.0.1:{port}/#token=")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/state", timeout=PATIENCE_S) as answer:
        assert [status["city"] for status in json.load(answer)["cities"]] == ["RIVERWOOD", "SEASIDE"]
    assert running.end() == (130, "", "")
    make_foreign(file)
    done = deskonomy(f"history {file} --dashboard")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_demo_records_history(file, start, micropython):
    running = start(f"demo --json --no-dashboard --history {file}")
    running.until(lambda status: status["tick"] > 100, "DESKTOWN")
    assert running.end()[0] == 130
    with History(file) as history:
        assert history.colours == {"RIVERWOOD": "green", "SEASIDE": "cyan", "DESKTOWN": "yellow"}
        assert set(history.sensors("DESKTOWN")) == {"light"}
        assert any(event.text.startswith("Night on DESKTOWN") for event in history.events())
        assert history.people("RIVERWOOD")
        *_, (_, last) = history.states()
        assert last[2]["heap"]["free"] > 0


@pytest.fixture
def recorded_by_0_1_0(tmp_path):
    """A history that version 0.1.0 recorded, and the facts that were noted with it."""
    folder = REPO / "tests" / "data" / "0.1.0"
    path = tmp_path / "old.db"
    path.write_bytes(lzma.decompress((folder / "history.db.xz").read_bytes()))
    return path, json.loads((folder / "history.json").read_text(encoding="utf-8"))


def test_history_of_0_1_0_is_read(recorded_by_0_1_0):
    path, facts = recorded_by_0_1_0
    with History(path) as history:
        assert (history.samples, history.cities, history.goods) == (facts["samples"], facts["cities"], facts["goods"])
        assert history.colours == facts["colours"]
        assert len(history.events()) == facts["rows"]["events"]
        for city, goods in facts["last_prices"].items():
            for good, expected in goods.items():
                prices = history.prices(city, good)
                last = {"low": prices.low[-1], "mean": prices.mean[-1], "high": prices.high[-1]}
                last |= {"yield": prices.yields[-1], "merchants": prices.merchants[-1], "owned": prices.owned[-1]}
                assert last == expected


def test_history_of_0_1_0_is_continued(recorded_by_0_1_0):
    path, facts = recorded_by_0_1_0
    two = TwoCities()
    with Recorder(path) as recorder:
        for second in range(3):
            recorder.record(two.read(), facts["end_s"] + 1 + second)
        recorder.note("continued", time_s=facts["end_s"] + 2)
    with History(path) as history:
        assert history.samples == facts["samples"] + 3
        assert history.events()[-1].text == "continued"
        assert len(history.events()) > facts["rows"]["events"]


def test_history_of_0_1_0_is_played_back(recorded_by_0_1_0):
    path, facts = recorded_by_0_1_0
    with History(path) as history:
        player = HistoryPlayer(history, lambda: 0.0)
        player.seek(facts["end_s"])
        assert [found["city"] for found in player.read()] == facts["cities"]
