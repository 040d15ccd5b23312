"""The views of the page, for cities whose statuses a test sets: none, watched ones, fifty; and their accessibility."""

import re
import threading
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from deskonomy_host.telemetry.timeseries import TimeSeries
from helpers.commands import PATIENCE_S
from helpers.sources import FakeSource, make_status, read_dashboard_address
from playwright.sync_api import expect

BOARD = {
    "heap": {"used": 60_000, "free": 52_000},
    "rssi": -61,
    "uptime_s": 4000,
    "reset": "power",
    "sensors": {"light": {"raw": 2050, "level": 0.5}},
}
DETAIL = {
    "wealth": [800.0, 1000.0, 1400.0],
    "gini": 0.125,
    "leisure": [[800.0, 3], [1000.0, 0], [1400.0, 9]],
    "under_way": 12.5,
    "travelled": {"PINE": {"bed": 3}},
    "arrived": {"PINE": {"bed": 1}},
}


def test_page_without_cities_explains_how_to_start_one(serve_source, open_page):
    source = FakeSource()
    page = open_page(serve_source(source))
    expect(page.get_by_role("heading", name="No city yet")).to_be_visible()
    expect(page.get_by_role("heading", name="Prices")).to_be_hidden()
    source.statuses = [make_status("OAK")]
    expect(page.get_by_role("img", name=re.compile("Price of wood.*OAK"))).to_be_visible()
    expect(page.get_by_role("heading", name="No city yet")).to_be_hidden()


def test_every_view_shows_its_values(serve_source, open_page):
    source = FakeSource(make_status("OAK", roads=["PINE"], detail=DETAIL), make_status("PINE", roads=["OAK"], **BOARD))
    page = open_page(serve_source(source))
    merchants = page.get_by_role("region", name="Merchants")
    expect(merchants.get_by_role("row", name=re.compile("OAK 0 2 0 8 10"))).to_be_visible()
    for city in ("OAK", "PINE"):
        expect(page.get_by_role("button", name=f"{city}, 10 merchants")).to_be_visible()
    expect(page.get_by_role("img", name="Leisure against wealth: OAK")).to_be_visible()
    expect(page.get_by_role("img", name="How wealth is spread: OAK Gini 0.13")).to_be_visible()
    money = page.get_by_role("region", name="Money")
    expect(money.get_by_role("row", name="All 40,000.00 20,000.00 0.00 12.50 60,012.50")).to_be_visible()
    expect(page.get_by_text("60,012.50 coins, unchanged since")).to_be_visible()
    source.statuses = [
        source.statuses[0],
        make_status("PINE", 2, **BOARD) | {"money": dict(source.statuses[1]["money"], total=29990.0)},
    ]
    expect(page.get_by_text(re.compile(r"60,002.50 coins, −10.00 since"))).to_be_visible()
    roads = page.get_by_role("region", name="Roads")
    expect(roads.get_by_role("row", name=re.compile("OAK PINE ● open in-process 0 0 0 0"))).to_be_visible()
    board = page.get_by_role("region", name="Machines").get_by_role("row", name="PINE board")
    for text in ("59 of 109 KiB", "-61 dBm", "66 min", "power", "20.0"):
        expect(board).to_contain_text(text)
    source.statuses = [source.statuses[0]]
    expect(page.get_by_role("log", name="Events")).to_contain_text("PINE no longer answers")


def test_merchants_move_on_the_map(serve_source, open_page):
    source = FakeSource(make_status("OAK", roads=["PINE"], detail=DETAIL), make_status("PINE", roads=["OAK"]))
    page = open_page(serve_source(source))
    expect(page.get_by_role("button", name="OAK, 10 merchants")).to_be_visible()
    travellers = page.locator(".traveller")
    expect(travellers).to_have_count(0)
    # A dot moves for so short a time that only the page itself can count both.
    page.evaluate(
        """() => {
            window.most = 0;
            const count = () => (most = Math.max(most, document.querySelectorAll(".traveller").length));
            new MutationObserver(count).observe(document.body, { childList: true, subtree: true });
        }"""
    )
    source.statuses[0]["detail"] = DETAIL | {"travelled": {"PINE": {"bed": 5}}}
    page.wait_for_function("() => most >= 2")
    expect(travellers).to_have_count(0)
    assert page.evaluate("most") == 2


def test_cities_of_another_run_are_watched_until_they_end(start, open_page):
    other = start("run WINTERHOLD --json --dashboard --dashboard-at 127.0.0.1:8155")
    watched = re.search(r"//([^/]+)/", read_dashboard_address(other))[1]
    running = start(f"run RIVERWOOD --json --watch {watched}")
    page = open_page(read_dashboard_address(running))
    cities = page.get_by_role("navigation", name="Cities")
    expect(cities.get_by_role("button", name="WINTERHOLD host, watched")).to_be_visible()
    expect(cities.get_by_role("button", name="RIVERWOOD host")).to_be_visible()
    expect(page.get_by_role("slider", name="Yield of wood")).to_be_visible()
    cities.get_by_role("button", name="WINTERHOLD").click()
    expect(page.get_by_text("runs on another machine")).to_be_visible()
    expect(page.get_by_role("slider")).to_have_count(0)
    other.end()
    expect(page.get_by_role("log", name="Events")).to_contain_text("WINTERHOLD no longer answers")
    expect(cities.get_by_role("button", name="WINTERHOLD")).to_have_count(0)


def test_fifty_cities_are_drawn_in_bounded_memory(serve_source, open_page):
    names = [f"CITY{index:02}" for index in range(50)]
    source = FakeSource(
        *[make_status(name, roads=[other for other in names if other != name], detail=DETAIL) for name in names]
    )
    page = open_page(serve_source(source))
    expect(page.get_by_role("status").first).to_contain_text("50 cities")
    expect(page.get_by_role("img", name=re.compile("Price of wood"))).to_be_visible()
    expect(page.get_by_role("button", name="CITY49, 10 merchants")).to_be_visible()
    # The past of an hour, taken as fast as the page can, has a bound.
    rows, numbers = page.evaluate(
        """async () => {
            const { store, takeNow } = await import("./store.js");
            const message = { kind: "now", cities: store.cities, events: [] };
            const rows = Object.fromEntries(store.cities.map(({ status }) => [status.city,
                Object.fromEntries(Object.keys(store.columns[status.city]).map((name) => [name, 1.5]))]));
            for (let at = 1; at <= 7200; at++) takeNow({ ...message, rows, time: store.time + 0.5 });
            const columns = Object.values(store.columns).flatMap(Object.values);
            return [store.times.length, Math.max(...columns.map((values) => values.length))];
        }"""
    )
    assert rows == numbers < 700


def test_page_keeps_the_same_rows_as_the_server(serve_source, open_page):
    series = TimeSeries(recent=5, older=3)
    samples = [{"A": {"x.min": at % 7, "x.max": at % 11, "x": float(at)}} for at in range(500)]
    for at, sample in enumerate(samples[:123]):
        series.add(float(at), sample)
    columns = {metric: list(values) for metric, values in series.columns["A"].items()}
    thinning = {"recent": 5, "older": 3, "counts": list(series.thinning.counts)}
    hello = {"times": list(series.times), "events": [], "thinning": thinning}
    for at, sample in enumerate(samples[123:], 123):
        series.add(float(at), sample)
    page = open_page(serve_source(FakeSource()))
    # A copy of the module, because the page's own gets messages of its server.
    page_times, page_columns = page.evaluate(
        """async ([hello, columns, samples]) => {
            const { store, takeHello, takePast, takeNow } = await import("./store.js?copy");
            takeHello(hello);
            takePast({ city: "A", columns });
            samples.forEach((rows, at) => takeNow({ time: 123 + at, cities: [], rows, events: [] }));
            return [store.times, store.columns];
        }""",
        [hello, columns, samples[123:]],
    )
    assert page_times == list(series.times)
    assert page_columns == {"A": {metric: list(values) for metric, values in series.columns["A"].items()}}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 375])
def test_page_has_no_accessibility_violation(serve_source, open_page, scheme, width):
    source = FakeSource(make_status("OAK", roads=["PINE"], detail=DETAIL), make_status("PINE", roads=["OAK"], **BOARD))
    page = open_page(serve_source(source), color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    expect(page.get_by_role("img", name=re.compile("Price of wood.*PINE"))).to_be_visible()
    expect(page.get_by_role("button", name="PINE, 10 merchants")).to_be_visible()
    found = Axe().run(page).response["violations"]
    violations = [(item["impact"], item["id"], [node["html"][:200] for node in item["nodes"]]) for item in found]
    assert [item for item in violations if item[0] in ("serious", "critical", "moderate")] == []


def test_history_is_played_and_sought(serve_source, open_page):
    source = FakeSource(make_status("OAK"))
    source.time_s, source.pace = 1000.0, {"paused": True, "ticks_per_s": 20, "from": 1000.0, "to": 1600.0}

    sought = threading.Event()

    def seek(time_s):
        source.time_s = time_s
        sought.set()
        return source.pace

    source.commands = {"pause": lambda paused: source.pace, "seek": seek}
    page = open_page(serve_source(source))
    expect(page.get_by_text("This is a history")).to_be_visible()
    page.get_by_role("slider", name="Time in the history").fill("1400")
    assert sought.wait(PATIENCE_S)
    assert source.time_s == 1400
    expect(page.get_by_role("group", name="Time", exact=True)).to_contain_text(
        time.strftime(":%M:%S", time.localtime(1400))
    )
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.get_by_role("button", name="Step")).to_be_hidden()
