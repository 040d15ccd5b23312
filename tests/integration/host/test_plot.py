"""Pictures of histories: their content, their files, and errors."""

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
    """Return the status of a city in which every good but beds costs 5."""
    prices = dict.fromkeys(GOODS, 5.0) | {"bed": bed}
    result = {
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
    return result | ({} if light is not None else {"detail": {"leisure": [[900.0, 3], [1100.0, 8]]}})


@pytest.fixture
def west(tmp_path):
    """RIVERWOOD, and a board that is dark from second 30 to 60; 100 samples in 99 seconds."""
    path = tmp_path / "west.db"
    with Recorder(path, {"RIVERWOOD": "green", "DESKTOWN": "#aa5500"}) as recorder:
        for second in range(100):
            light = 0.0 if 30 <= second < 60 else 0.75
            both = [status("RIVERWOOD", 20 * second, 50 - 0.3 * second), status("DESKTOWN", 20 * second, 40, light)]
            recorder.record(both, 5000.0 + second)
        recorder.note("the door opened", time_s=5045.5)
    return path


def test_road_event_is_listed_once_for_both_ends(tmp_path):
    with Recorder(tmp_path / "two.db") as recorder:
        for second in range(100):
            both = [status(city, second, 5) for city in ("RIVERWOOD", "SEASIDE")]
            for city, other in (both, both[::-1]):
                city["roads"] = {other["city"]: dict.fromkeys(("sent", "received", "waiting", "lost"), 0)}
                city["roads"][other["city"]] |= {"state": "up" if 40 < second < 70 else "down", "kind": "ours"}
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
    """Return the texts of a picture, which matplotlib writes as comments beside the glyphs."""
    return [comment.strip() for comment in re.findall(r"<!--(.*?)-->", svg.read_text(encoding="utf-8"), re.DOTALL)]


def test_picture_has_every_panel(west, tmp_path, deskonomy):
    done = deskonomy(f"plot {west} -o {tmp_path / 'all.svg'} --title", "A day in the west")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path / 'all.svg'}\n", "")
    ElementTree.parse(tmp_path / "all.svg")
    written = texts(tmp_path / "all.svg")
    for text in ("A day in the west", *GOODS, "RIVERWOOD", "DESKTOWN", "price, coins", "time, s", "merchants there"):
        assert text in written, text
    assert "leisure against wealth, a dot for each local" in written
    assert "DESKTOWN: readings of its sensors" in written
    assert any(text.endswith("45.5 s: the door opened") for text in written)
    assert {"0%", "50%", "100%"} <= set(written)


def test_picture_has_colours_of_cities(west, tmp_path):
    plot.plot([west], tmp_path / "prices.svg", ["prices"])
    drawn = (tmp_path / "prices.svg").read_text(encoding="utf-8")
    assert palette.NAMED["green"] in drawn
    assert "#aa5500" in drawn


def test_same_history_gives_same_file(west, tmp_path):
    first, second = (plot.plot([west], tmp_path / name).read_bytes() for name in ("first.svg", "second.svg"))
    assert first == second


def test_png_has_moderate_size(west, tmp_path, deskonomy):
    assert deskonomy(f"plot {west} -o {tmp_path / 'all.png'}").returncode == 0
    content = (tmp_path / "all.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert 10_000 < len(content) < 150_000


def test_panel_of_single_good(west, tmp_path, deskonomy):
    done = deskonomy(f"plot {west} -o {tmp_path / 'bed.svg'} --only prices --good bed --axis ticks")
    assert done.returncode == 0
    written = texts(tmp_path / "bed.svg")
    assert "bed" in written
    assert "ticks" in written
    assert not {"wood", "merchants there", "time, s"} & set(written)
    assert any(text.endswith("tick 910: the door opened") for text in written)


def test_two_histories_become_one_picture(west, east, tmp_path, deskonomy):
    assert deskonomy(f"plot {west} {east} -o {tmp_path / 'both.svg'} --only merchants").returncode == 0
    assert {"RIVERWOOD", "DESKTOWN", "SEASIDE"} <= set(texts(tmp_path / "both.svg"))
    with History(west) as first, History(east) as second:
        view = View([first, second])
        assert view.duration_s == 110
        assert view.at([5020]) == [20]
        assert len(set(view.colours.values())) == 3  # two of the cities are green in their files


def test_events_close_in_time_are_listed_together(west):
    with History(west) as history:
        view = View([history])
        assert view.events(boards_drawn=True) == [(45.5, "the door opened")]
        assert [text for _, text in view.events()] == [
            "DESKTOWN's light sensor reads 0%; DESKTOWN: the yield of wood is now 0",
            "the door opened",
            "DESKTOWN's light sensor reads 75%; DESKTOWN: the yield of wood is now 1.5",
        ]


def test_plot_without_data_fails(west, east, tmp_path):
    with pytest.raises(OperationError, match="contains nothing to draw of that"):
        plot.plot([east], tmp_path / "x.png", ["board"])
    with pytest.raises(OperationError, match="the histories contain no fur, only wood, chair, thread, bed"):
        plot.plot([west], tmp_path / "x.png", goods=["fur"])
    with pytest.raises(UsageError, match=r"ends in \.png or \.svg"):
        plot.plot([west], tmp_path / "x.gif")
    with pytest.raises(OperationError, match="cannot write"):
        plot.plot([west], tmp_path / "nowhere" / "x.svg")
    Recorder(tmp_path / "new.db").close()
    with pytest.raises(OperationError, match="contains nothing to draw"):
        plot.plot([tmp_path / "new.db"], tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


def test_plot_without_matplotlib_names_the_command(west, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(OperationError, match=r"pictures need matplotlib, .* pip install '.*\[plot\]'"):
        plot.plot([west], tmp_path / "x.png")


def test_fifty_cities_have_fifty_colours():
    colours = palette.assign_city_colours({f"CITY {number}": "green" for number in range(50)})
    assert len(set(colours.values())) == 50
    assert colours["CITY 0"] == palette.NAMED["green"]
    assert palette.assign_city_colours({"A": "bright_red", "B": "no colour"})["A"].startswith("#")


def test_page_has_same_colours():
    page = (REPO / "host/deskonomy_host/dashboard/page/colours.js").read_text(encoding="utf-8")
    assert json.dumps(list(palette.NAMED.values())) in page
    for good, colour in palette.GOODS.items():
        assert f'{good}: "{colour}"' in page
