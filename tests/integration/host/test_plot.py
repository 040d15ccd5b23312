"""Pictures of histories: that there is one, that it shows what it should, and what is said where there is none."""

import json
import re
from xml.etree import ElementTree

import pytest
from deskonomy_host import palette
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.history import plot
from deskonomy_host.history.plot import View
from deskonomy_host.history.reader import History
from deskonomy_host.history.recorder import Recorder
from helpers.repository import REPO

pytest.importorskip("matplotlib")

GOODS = ("wood", "chair", "thread", "bed")


def status(city, tick, bed, light=None):
    """A made-up status of a city where everything costs 5 but beds."""
    prices = dict.fromkeys(GOODS, 5.0) | {"bed": bed}
    made_up = {
        "city": city,
        "tick": tick,
        "locals": 2,
        "price": {good: {"min": price - 1, "mean": price, "max": price + 2} for good, price in prices.items()},
        "owned": dict.fromkeys(GOODS, 3.0),
        "yield": dict.fromkeys(GOODS, 1.0) | ({"wood": 2 * light} if light is not None else {}),
        "sensors": {} if light is None else {"light": {"raw": 100, "level": light}},
        "merchants": dict.fromkeys(GOODS, 1),
        "money": {"locals": 1000.0, "merchants": 500.0, "ledger": 0.0},
        "roads": {},
    }
    return made_up | ({} if light is not None else {"detail": {"leisure": [[900.0, 3], [1100.0, 8]]}})


@pytest.fixture
def west(tmp_path):
    """RIVERWOOD, and a board in whose middle minute the light went out; 100 samples in 99 seconds."""
    path = tmp_path / "west.db"
    with Recorder(path, {"RIVERWOOD": "green", "DESKTOWN": "#aa5500"}) as recorder:
        for second in range(100):
            light = 0.0 if 30 <= second < 60 else 0.75
            both = [status("RIVERWOOD", 20 * second, 50 - 0.3 * second), status("DESKTOWN", 20 * second, 40, light)]
            recorder.record(both, 5000.0 + second)
        recorder.note("somebody came in", time_s=5045.5)
    return path


def test_a_road_is_told_of_once(tmp_path):
    with Recorder(tmp_path / "two.db") as recorder:
        for second in range(100):
            both = [status(city, second, 5) for city in ("RIVERWOOD", "SEASIDE")]
            for one, other in (both, both[::-1]):
                one["roads"] = {other["city"]: dict.fromkeys(("sent", "received", "waiting", "lost"), 0)}
                one["roads"][other["city"]] |= {"state": "up" if 40 < second < 70 else "down", "kind": "ours"}
            recorder.record(both, second)
    with History(tmp_path / "two.db") as history:
        assert View([history]).events() == [
            (41, "road RIVERWOOD - SEASIDE open"),
            (70, "road RIVERWOOD - SEASIDE closed"),
        ]


@pytest.fixture
def east(tmp_path):
    path = tmp_path / "east.db"
    with Recorder(path, {"SEASIDE": "green"}) as recorder:
        for second in range(0, 100, 10):
            recorder.record([status("SEASIDE", 20 * second, 60)], 5020.0 + second)
    return path


def texts(svg):
    """All that is written in a picture, as matplotlib notes it beside the glyphs."""
    return [comment.strip() for comment in re.findall(r"<!--(.*?)-->", svg.read_text(encoding="utf-8"), re.DOTALL)]


def test_everything_in_one_picture(west, tmp_path, deskonomy):
    done = deskonomy(f"plot {west} -o {tmp_path / 'all.svg'} --title", "A day in the west")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path / 'all.svg'}\n", "")
    ElementTree.parse(tmp_path / "all.svg")
    written = texts(tmp_path / "all.svg")
    for text in ("A day in the west", *GOODS, "RIVERWOOD", "DESKTOWN", "price, coins", "time, s", "merchants there"):
        assert text in written, text
    assert "leisure against wealth, a dot a local" in written
    assert "DESKTOWN: what its sensors read" in written
    assert any(text.endswith("45.5 s: somebody came in") for text in written)
    assert {"0%", "50%", "100%"} <= set(written)


def test_colours_are_those_of_the_cities(west, tmp_path):
    plot.plot([west], tmp_path / "prices.svg", ["prices"])
    drawn = (tmp_path / "prices.svg").read_text(encoding="utf-8")
    assert palette.NAMED["green"] in drawn
    assert "#aa5500" in drawn


def test_the_same_history_is_the_same_file(west, tmp_path):
    one, other = (plot.plot([west], tmp_path / name).read_bytes() for name in ("one.svg", "other.svg"))
    assert one == other


def test_a_png(west, tmp_path, deskonomy):
    assert deskonomy(f"plot {west} -o {tmp_path / 'all.png'}").returncode == 0
    content = (tmp_path / "all.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert 10_000 < len(content) < 150_000


def test_one_panel_of_one_good(west, tmp_path, deskonomy):
    done = deskonomy(f"plot {west} -o {tmp_path / 'bed.svg'} --only prices --good bed --axis ticks")
    assert done.returncode == 0
    written = texts(tmp_path / "bed.svg")
    assert "bed" in written
    assert "ticks" in written
    assert not {"wood", "merchants there", "time, s"} & set(written)
    assert any(text.endswith("tick 910: somebody came in") for text in written)


def test_histories_of_two_machines_are_one_picture(west, east, tmp_path, deskonomy):
    assert deskonomy(f"plot {west} {east} -o {tmp_path / 'both.svg'} --only merchants").returncode == 0
    assert {"RIVERWOOD", "DESKTOWN", "SEASIDE"} <= set(texts(tmp_path / "both.svg"))
    with History(west) as one, History(east) as other:
        view = View([one, other])
        assert view.duration_s == 110
        assert view.at([5020]) == [20]
        assert len(set(view.colours.values())) == 3  # two of the cities wanted green


def test_events_are_told_once_and_near_ones_together(west):
    with History(west) as history:
        view = View([history])
        assert view.events(boards_drawn=True) == [(45.5, "somebody came in")]
        assert [text for _, text in view.events()] == [
            "DESKTOWN's light sensor reads 0%; DESKTOWN: one act of making wood now gives 0",
            "somebody came in",
            "DESKTOWN's light sensor reads 75%; DESKTOWN: one act of making wood now gives 1.5",
        ]


def test_what_cannot_be_drawn(west, east, tmp_path):
    with pytest.raises(OperationError, match="nothing in there to draw of that"):
        plot.plot([east], tmp_path / "x.png", ["board"])
    with pytest.raises(OperationError, match="there is no fur in there, only wood, chair, thread, bed"):
        plot.plot([west], tmp_path / "x.png", goods=["fur"])
    with pytest.raises(UsageError, match=r"ends in \.png or \.svg"):
        plot.plot([west], tmp_path / "x.gif")
    with pytest.raises(OperationError, match="cannot write"):
        plot.plot([west], tmp_path / "nowhere" / "x.svg")
    Recorder(tmp_path / "new.db").close()
    with pytest.raises(OperationError, match="nothing in there to draw"):
        plot.plot([tmp_path / "new.db"], tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


def test_without_matplotlib_it_says_what_to_type(west, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(OperationError, match=r"pictures need matplotlib; type: pip install 'deskonomy\[plot\]'"):
        plot.plot([west], tmp_path / "x.png")


def test_fifty_cities_have_fifty_colours():
    colours = palette.of_cities({f"CITY {number}": "green" for number in range(50)})
    assert len(set(colours.values())) == 50
    assert colours["CITY 0"] == palette.NAMED["green"]
    assert palette.of_cities({"A": "bright_red", "B": "no colour"})["A"].startswith("#")


def test_the_page_has_the_same_colours():
    page = (REPO / "host/deskonomy_host/dashboard/page/colours.js").read_text(encoding="utf-8")
    assert json.dumps(list(palette.NAMED.values())) in page
    for good, colour in palette.GOODS.items():
        assert f'{good}: "{colour}"' in page
