"""A board's own page in Chromium, and the same board watched by a run: both read its /api/state."""

import json
import re
import socket
import time
import urllib.request

import pytest
from deskonomy_host.boards.spec import catalog
from helpers.commands import PATIENCE_S
from helpers.sources import read_dashboard_address
from playwright.sync_api import expect

GOODS = ("wood", "chair", "thread", "bed")
# A thermometer that is not wired.
THERMOMETER = {"name": "warmth", "kind": "ds18b20", "pin": 15, "low": 0, "high": 4000, "good": "bed", "yield": [0, 2]}


@pytest.fixture
def board(micropython, start, tmp_path):
    """Return a simulated board with a page, as a running command; .page is the page's port, .city the city's."""
    with socket.socket() as page_socket, socket.socket() as city_socket:
        for sock in (page_socket, city_socket):
            sock.bind(("127.0.0.1", 0))
        page, port = page_socket.getsockname()[1], city_socket.getsockname()[1]
    config = catalog.load_board("SIMULATED").config
    config |= {"page": page, "port": port, "speed": 200, "sensors": [*config["sensors"], THERMOMETER]}
    flash = tmp_path / "flash"
    flash.mkdir()
    (flash / "config.json").write_text(json.dumps(config))
    running = start(f"board sim --dir {flash} --sensor light=0.75 --json")
    running.page, running.city = page, port
    running.next()
    return running


def read_table(page, name):
    """Return the rows of the table below this heading, each as the texts of its cells."""
    rows = page.get_by_role("heading", name=name).locator("xpath=following-sibling::table[1]").locator("tbody tr")
    return [row.get_by_role("cell").all_inner_texts() for row in rows.all()]


def test_board_page_shows_prices_sensors_and_roads_and_survives_its_board(board, start, open_page):
    trading = start(f"run RIVERWOOD --json --speed 200 --connect 127.0.0.1:{board.city}")
    trading.until(lambda status: status["roads"].get("DESKTOWN", {}).get("state") == "up")
    page = open_page(f"http://127.0.0.1:{board.page}/")
    expect(page.get_by_role("heading", name="DESKTOWN")).to_be_visible()
    expect(page).to_have_title("DESKTOWN")
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^tick [\d,]+, up \d+ s, last reset: hard$"))
    expect(page.get_by_role("row", name=re.compile("^RIVERWOOD up ours "))).to_be_visible()
    expect(page.get_by_role("cell", name=re.compile("^no "))).to_be_visible()

    prices = read_table(page, "Prices")
    assert [row[0] for row in prices] == list(GOODS)
    for _, low, mean, high, *_ in prices:
        assert 0 < float(low) <= float(mean) <= float(high)
    assert sum(int(row[5]) for row in prices) > 0, "merchants"
    [light, warmth] = sorted(read_table(page, "Sensors"))
    assert light[:2] == ["light", "2,975"] and 0.7 < float(light[2]) < 0.8
    assert warmth[0] == "warmth" and warmth[2].startswith("no ")
    [road] = read_table(page, "Roads")
    assert road[:3] == ["RIVERWOOD", "up", "ours"]

    # There is one line for each good, and it grows with each answer.
    lines = page.get_by_role("img", name="mean price lately")
    expect(lines).to_have_count(len(GOODS))
    expect(lines.first.locator("polyline")).to_have_attribute("points", re.compile(r"^0,[\d.]+ 1,[\d.]+ 2,[\d.]+"))
    # In one call, because every answer of the board draws the picture anew.
    assert page.evaluate("document.querySelector('svg').getBoundingClientRect().width") > 50

    phone = open_page(f"http://127.0.0.1:{board.page}/", color_scheme="dark")
    phone.set_viewport_size({"width": 375, "height": 740})
    expect(phone.get_by_role("cell", name="RIVERWOOD")).to_be_visible()
    assert phone.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0
    assert phone.evaluate("tables.scrollWidth - tables.clientWidth") <= 0
    assert ink_brightness(page) < 100 and ink_brightness(phone) > 600

    # Without its board, the page tries again and shows its latest data.
    board.end()
    for opened in (page, phone):
        expect(opened.get_by_role("status")).to_have_text("No answer from the board; trying again ...")
        assert len(read_table(opened, "Prices")) == len(GOODS)
        assert all("net::ERR_" in complaint for complaint in opened.complaints), opened.complaints
        opened.complaints = None


def ink_brightness(page):
    """Return the brightness of the text: 0 for black, 765 for white."""
    ink = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
    return sum(map(int, re.findall(r"\d+", ink)))


def test_run_watches_a_board_until_it_ends(board, start, open_page):
    running = start(f"run RIVERWOOD --json --watch 127.0.0.1:{board.page}")
    address = read_dashboard_address(running)

    def read_cities():
        with urllib.request.urlopen(address.partition("#")[0] + "api/state", timeout=PATIENCE_S) as answer:
            cities = {city["city"]: city for city in json.load(answer)["cities"]}
        return cities if "error" in cities.get("DESKTOWN", {}).get("sensors", {}).get("warmth", {}) else None

    deadline_s = time.monotonic() + PATIENCE_S
    while not (cities := read_cities()):
        assert time.monotonic() < deadline_s, "the board's status never came"
        time.sleep(0.05)
    desktown = cities["DESKTOWN"]
    assert set(desktown["price"]) == set(GOODS) and desktown["reset"] == "hard"
    assert desktown["sensors"]["light"]["raw"] == 2975
    page = open_page(address)
    page.get_by_role("navigation", name="Cities").get_by_role("button", name="DESKTOWN").click()
    expect(page.get_by_role("img", name=re.compile("^Price of wood.*DESKTOWN [0-9.]+ coins"))).to_be_visible()
    machines = page.get_by_role("region", name="Machines").get_by_role("row", name="DESKTOWN")
    expect(machines).to_contain_text("dBm")
    board.end()
    expect(page.get_by_role("log", name="Events")).to_contain_text("DESKTOWN no longer answers")
