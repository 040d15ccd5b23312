"""terminal/layout.py and terminal/display.py: frames, drawn on consoles of fixed sizes."""

import io
import json
import re

import pytest
import segno
from deskonomy import status
from deskonomy.economy.city import City
from deskonomy.roads.local import connect
from deskonomy_host.terminal import display, layout
from deskonomy_host.terminal.code import draw_code
from deskonomy_host.terminal.display import Live
from rich.console import Console

NAMES = ["DESKTOWN", "RIVERWOOD", "SEASIDE", "WINTERHOLD", "PORTSVILLE", "A", "B", "C", "D", "E"]
COLOURS = dict.fromkeys(NAMES, "green")
SENSORS = {"light": {"raw": 2210, "level": 0.54}}
DARK = {"light": {"good": "wood", "error": "no answer (TIMEOUT)"}, "soil": {"good": "bed"}}


def world(count, ticks=60):
    """Return (statuses of `count` connected cities, their trends); the first city is a board with a sensor."""
    cities = [City(name, number) for number, name in enumerate(NAMES[:count])]
    for number, city in enumerate(cities):
        for other in cities[:number]:
            connect(city, other)
    trends = layout.Trends()
    for _ in range(ticks):
        for city in cities:
            city.run(1)
        statuses = [json.loads(status.format_status(city, [("sensors", "{}")], 20.0)) for city in cities]
        trends.sample(statuses)
    statuses[0]["sensors"] = SENSORS
    statuses[0]["yield"]["wood"] = 1.08
    return statuses, trends


def drawn(lines, width):
    """Return the lines that a terminal of this width displays."""
    console = Console(width=width, height=100, file=io.StringIO(), force_terminal=True, color_system=None)
    for line in lines:
        console.print(line, no_wrap=True, crop=True, overflow="crop")
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("count", [1, 2, 3, 10])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 24), (20, 6), (132, 43), (160, 50), (230, 60), (80, 3)])
def test_frame_fits_terminal_of_any_size(count, width, height):
    statuses, trends = world(count, 5)
    lines = layout.frame(statuses, COLOURS, trends, width, height, ["0:01 something happened" * 9] * 9, "a hint " * 40)
    assert len(lines) <= height
    assert max(line.cell_len for line in lines) <= width
    screen = drawn(lines, width)
    assert len(screen) == len(lines)
    if height > 12:
        assert all(any(status["city"] in line for line in screen) for status in statuses)


def test_sensor_without_reading_shows_its_error():
    statuses, trends = world(1)
    statuses[0]["sensors"] = DARK
    text = "\n".join(drawn(layout.frame(statuses, COLOURS, trends, 80, 24, [], ""), 80))
    assert "light     no answer (TIMEOUT)" in text and "soil      no reading yet" in text
    assert "light no answer (TIMEOUT), soil ?" in layout.plain_line(statuses[0])


def test_three_cities_fit_in_full_into_80_by_24():
    statuses, trends = world(3)
    screen = drawn(layout.frame(statuses, COLOURS, trends, 80, 24, ["0:01 older", "0:02 newer"], "Ctrl-C ends"), 80)
    text = "\n".join(screen)
    assert screen[0] == " deskonomy  ·  3 cities  ·  60 locals  ·  30 merchants  ·  20 ticks a second"
    assert screen[1].split() == ["▌DESKTOWN", "low", "mean", "high", "trend", "stock", "merchants", "yield"]
    wood = statuses[0]["price"]["wood"]
    for number in wood.values():
        assert f"{number:.2f}" in screen[2]
    assert screen[2].startswith("▌ wood") and screen[2].endswith("×1.08") and set(screen[2]) & set("▁▂▃▄▅▆▇█")
    assert screen[6] == "▌ light     ███████████░░░░░░░░░  54%   reads 2210"
    road = statuses[0]["roads"]["RIVERWOOD"]
    assert f"⇄ RIVERWOOD in-process →{road['sent']} ←{road['received']}" in screen[7]
    assert text.count("▌ bed") == 3
    assert screen[-2:] == [" 0:02 newer", " Ctrl-C ends"]
    # Each number is right-aligned under its heading.
    for head, cell in (
        ("mean", f"{wood['mean']:.2f}"),
        ("stock", f"{statuses[0]['owned']['wood']:.1f}"),
        ("yield", "×1.08"),
    ):
        assert screen[1].index(head) + len(head) == f"{screen[2]} ".index(f" {cell} ") + 1 + len(cell)


def test_road_that_is_down_shows_waiting_and_lost_merchants():
    statuses, trends = world(2, 2)
    statuses[1]["roads"]["DESKTOWN"].update({"state": "down", "kind": "ours", "waiting": 3, "lost": 2})
    screen = "\n".join(drawn(layout.frame(statuses, COLOURS, trends, 80, 24), 80))
    assert "✕ DESKTOWN ours, down →0 ←0 3 waiting 2 lost" in screen


def test_ten_cities_take_one_line_each():
    statuses, trends = world(10)
    screen = drawn(layout.frame(statuses, COLOURS, trends, 80, 24, (), "hint"), 80)
    rows = [line for line in screen if line.startswith("▌")]
    assert len(rows) == 10 and all("wood" in row and "bed" in row and "⇄ 9" in row for row in rows)
    screen = drawn(layout.frame(statuses, COLOURS, trends, 80, 8, (), "hint"), 80)
    assert " and 5 more cities: make the window higher" in screen


def trend_of(prices):
    trends = layout.Trends()
    for price in prices:
        trends.sample([{"city": "A", "price": {"wood": {"mean": price}}}])
    return trends


def test_trend_of_recorded_prices():
    assert layout.Trends().spark("A", "wood", 10) == ""
    assert trend_of([1, 2, 3, 4, 5, 6, 7, 8]).spark("A", "wood", 10) == "▁▂▃▄▅▆▇█"
    assert set(trend_of([5.0, 5.001, 4.999] * 3).spark("A", "wood", 10)) <= set("▄▅")  # a small change is a flat line
    assert trend_of([0, 0, 0]).spark("A", "wood", 10) == "▅▅▅"
    for count in (9, 10, 11, 119, 120, 121, 5000):
        assert 5 <= len(trend_of(range(1, count + 1)).spark("A", "wood", 10)) <= 10
    assert trend_of([1.0] * 5).direction("A", "wood") == 0
    assert trend_of([1.0] * 20 + [1.02]).direction("A", "wood") == 1
    assert trend_of([1.0] * 20 + [0.98]).direction("A", "wood") == -1
    assert trend_of([1.0] + [2.0] * 11).direction("A", "wood") == 0  # it rose more than ten seconds ago


def test_plain_line_names_prices_sensors_and_roads():
    statuses, _ = world(2, 1)
    statuses[0]["price"]["bed"]["mean"] = 123456.0
    line = layout.plain_line(statuses[0])
    assert line.startswith("DESKTOWN tick 1: wood ") and "\n" not in line
    assert "(yield 1.08)" in line and "bed 123k" in line and "light 54%" in line
    assert line.endswith("10 merchants, RIVERWOOD up 0 out 0 in")


def test_live_display_leaves_its_last_frame():
    statuses, _ = world(2, 1)
    out = io.StringIO()
    console = Console(width=80, height=24, file=out, force_terminal=True, color_system=None)
    with Live(console, COLOURS, "a hint") as live:
        live.note("something happened")
        live.draw(statuses)
    during, after = out.getvalue().split("\x1b[?1049l")
    assert "a hint" in during and "a hint" not in after and "▌RIVERWOOD" in after
    for part in (during, after):
        assert re.search(r"\d:\d\d something happened", part)


ADDRESS = "http://192.168.178.123:8055/#token=v4pN8A3gp9TwoVSAOPzSvQ"


def test_code_of_address_has_every_module():
    lines = [line.plain for line in draw_code(ADDRESS)]
    modules = [[half in halves for half in line] for line in lines for halves in ("▀█", "▄█")]
    expected = [[bool(module) for module in row] for row in segno.make_qr(ADDRESS, error="l").matrix_iter(border=2)]
    assert modules[: len(expected)] == expected and not any(map(any, modules[len(expected) :]))
    assert all(line.style == "black on white" for line in draw_code(ADDRESS))


@pytest.mark.parametrize(("width", "height"), [(40, 24), (80, 24), (132, 60)])
def test_live_view_shows_whole_address_and_code_for_other_machines(width, height, monkeypatch):
    statuses, _ = world(2, 1)
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=True, color_system=None)
    live = Live(console, COLOURS, "a hint")
    code = draw_code(ADDRESS)[1].plain

    def draw():
        live._statuses = statuses
        return drawn(live._frame(height, live._hint), width)

    live.dashboard(ADDRESS, False)
    assert ADDRESS in "".join(line.strip() for line in draw()) and not any(code in line for line in draw())
    live.dashboard(ADDRESS, True)
    lines = draw()
    assert len(lines) <= height and ADDRESS in "".join(line.strip() for line in lines)
    assert any(code in line for line in lines)
    monkeypatch.setattr(display, "CODE_S", -1)
    live.dashboard(ADDRESS, True)
    assert not any(code in line for line in draw())


def test_code_takes_place_of_cities_where_both_do_not_fit_and_never_cuts_itself():
    statuses, trends = world(10, 5)
    code = draw_code(ADDRESS)
    lines = layout.frame(statuses, COLOURS, trends, 80, 24, (), ADDRESS, code)
    assert len(lines) <= 24 and lines[: len(code)] == code
    lines = layout.frame(statuses, COLOURS, trends, 30, 24, (), ADDRESS, code)
    assert len(lines) <= 24 and code[1] not in lines
