"""The dashboard in Chromium, for cities that a command runs: what a user sees of them, and what a user can change."""

import json
import re
import signal
import urllib.request

import pytest
from helpers.chromium import expect_demo, find_picture
from helpers.commands import PATIENCE_S
from helpers.ports import find_free_ports
from helpers.sources import read_dashboard_address
from playwright.sync_api import expect

HOSTS = "run RIVERWOOD SEASIDE --json --speed 50 --dashboard"


def event_log(page):
    return page.get_by_role("log", name="Events")


def choose(page, city):
    page.get_by_role("navigation", name="Cities").get_by_role("button", name=city).click()


def count_colours(picture):
    """Return the number of different colours on a picture's canvas: one if it is empty."""
    return picture.locator("canvas").first.evaluate(
        """canvas => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )


def price_of_wood(status):
    return status["price"]["wood"]["mean"]


@pytest.mark.usefixtures("micropython")
def test_demo_is_drawn_and_its_light_moves_yield_and_price(start, open_page):
    running = start("demo --no-day --json --dashboard")
    address = read_dashboard_address(running)
    running.until(lambda status: status["uptime_s"] >= 3, "DESKTOWN")

    page = open_page(address)
    expect_demo(page)
    assert count_colours(find_picture(page, "Price of wood")) > 20
    expect(page.get_by_role("button", name=re.compile(r"^DESKTOWN, \d+ merchants"))).to_be_visible()

    # The sensor moves the yield, and the yield the price, on the page as in the city.
    choose(page, "DESKTOWN")
    page.get_by_role("slider", name="Sensor light").fill("1")
    bright = running.until(lambda status: status["yield"]["wood"] > 1.9, "DESKTOWN")
    # An event is reported when the value has nearly come to rest.
    expect(event_log(page)).to_contain_text(re.compile(r"DESKTOWN's light sensor reads (9[5-9]|100)%"))
    expect(event_log(page)).to_contain_text(re.compile(r"DESKTOWN: the yield of wood is now (2|1\.99)"))
    running.until(lambda status: price_of_wood(status) < price_of_wood(bright) - 0.1, "DESKTOWN")
    expect(find_picture(page, "Sensor light: 100 %")).to_be_visible()
    for name in ("Yield: 2", "Production", "Price in this city"):
        expect(find_picture(page, name)).to_be_visible()
        assert count_colours(find_picture(page, name)) > 5
    machines = page.get_by_role("region", name="Machines").get_by_role("row", name="DESKTOWN")
    expect(machines).to_contain_text("KiB")
    expect(machines).to_contain_text("dBm")
    expect(machines).to_contain_text("hard")


def test_roads_and_yields_are_changed_on_the_page(start, open_page):
    running = start(HOSTS)
    page = open_page(read_dashboard_address(running))
    expect(event_log(page)).to_contain_text("RIVERWOOD has appeared")
    page.get_by_role("button", name="Close the road from RIVERWOOD to SEASIDE").click()
    running.until(lambda status: status["roads"]["SEASIDE"]["state"] == "down", "RIVERWOOD")
    running.until(lambda status: status["roads"]["RIVERWOOD"]["state"] == "down", "SEASIDE")
    expect(event_log(page)).to_contain_text("RIVERWOOD: the road to SEASIDE is closed")

    # The Alt key opens the road that the form names, as in the tutorial.
    page.get_by_label("Road to", exact=True).fill("SEASIDE")
    page.keyboard.press("Alt")
    running.until(lambda status: status["roads"]["SEASIDE"]["state"] == "up", "RIVERWOOD")
    expect(event_log(page)).to_contain_text("RIVERWOOD: the road to SEASIDE is open")

    choose(page, "SEASIDE")
    page.get_by_role("slider", name="Yield of bed").fill("2.5")
    running.until(lambda status: status["yield"]["bed"] == 2.5, "SEASIDE")
    expect(event_log(page)).to_contain_text("SEASIDE: the yield of bed is now 2.5")
    page.get_by_role("button", name="Let the sensors set the yield of bed").click()
    running.until(lambda status: status["yield"]["bed"] == 1, "SEASIDE")
    expect(event_log(page)).to_contain_text("SEASIDE: the yield of bed is now 1")


def test_road_to_another_run_and_school_are_opened_on_the_page(start, open_page):
    other, running = start("run WINTERHOLD --json"), start(HOSTS)
    address = other.next()["address"]
    page = open_page(read_dashboard_address(running))
    page.get_by_label("Road from", exact=True).select_option("SEASIDE")
    page.get_by_label("Road to", exact=True).fill(address)
    page.get_by_role("button", name="Open road").click()
    running.until(lambda status: status["roads"].get("WINTERHOLD", {}).get("state") == "up", "SEASIDE")
    roads = page.get_by_role("region", name="Roads")
    expect(roads.get_by_role("row", name=re.compile("SEASIDE WINTERHOLD ● open"))).to_be_visible()
    page.get_by_role("button", name="Close the road from SEASIDE to WINTERHOLD").click()
    running.until(lambda status: status["roads"]["WINTERHOLD"]["state"] == "down", "SEASIDE")
    expect(roads.get_by_role("row", name=re.compile("SEASIDE WINTERHOLD ○ closed"))).to_be_visible()

    page.get_by_role("button", name="Forget the road from SEASIDE to WINTERHOLD").click()
    running.until(lambda status: "WINTERHOLD" not in status["roads"], "SEASIDE")
    expect(page.get_by_text("SEASIDE has forgotten the road to WINTERHOLD; its merchants return.")).to_be_visible()
    expect(page.get_by_role("button", name="Forget the road")).to_have_count(0)  # none of those inside the run

    choose(page, "RIVERWOOD")
    page.get_by_label("Number of merchants").fill("7")
    page.get_by_label("Good that they trade").select_option("thread")
    page.get_by_role("button", name="Send merchants").click()
    running.until(lambda status: status["roads"].get("PythonCity", {}).get("received", 0) >= 7, "RIVERWOOD")
    expect(event_log(page)).to_contain_text("7 thread merchants of the Merchant School set out for RIVERWOOD")


def test_time_is_paused_stepped_and_sped_up_on_the_page(start, open_page):
    running = start(HOSTS)
    address = read_dashboard_address(running)
    page = open_page(address)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    # Not from the status lines: lines that are still unread are older than the pause.
    with urllib.request.urlopen(address.partition("#")[0] + "api/state", timeout=PATIENCE_S) as answer:
        before = {status["city"]: status["tick"] for status in json.load(answer)["cities"]}["RIVERWOOD"]
    page.get_by_role("button", name="Step").click()
    assert running.until(lambda status: status["tick"] > before, "RIVERWOOD")["tick"] == before + 1
    page.get_by_label("Speed").select_option("500")
    page.get_by_role("button", name="Resume").click()
    running.until(lambda status: status["ticks_per_s"] > 100, "RIVERWOOD")


def test_page_and_server_survive_restarts_of_each_other(start, open_page):
    [port] = find_free_ports(1)  # which no other test takes meanwhile
    running = start(f"{HOSTS} --dashboard-at 127.0.0.1:{port}")
    address = read_dashboard_address(running)
    page = open_page(address)
    price = find_picture(page, "Price of wood.*SEASIDE [0-9.]+ coins")
    expect(price).to_be_visible()
    page.reload()
    expect(price).to_be_visible()
    assert "token" not in page.url

    running.end(signal.SIGKILL)
    expect(page.get_by_role("alert")).to_contain_text("has not answered since")
    expect(price).to_be_visible()
    running = start(f"{HOSTS} --dashboard-at 127.0.0.1:{port}")
    assert read_dashboard_address(running) == address
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_role("slider", name="Yield of wood").fill("0.5")
    running.until(lambda status: status["yield"]["wood"] == 0.5, "RIVERWOOD")
    assert all("WebSocket" in complaint for complaint in page.complaints), page.complaints
    page.complaints = None


def test_chart_has_a_tooltip_and_zooms(start, open_page):
    running = start(HOSTS)
    page = open_page(read_dashboard_address(running))
    expect(event_log(page)).to_contain_text("RIVERWOOD has appeared")
    price = find_picture(page, "Price of bed")
    running.until(lambda status: status["tick"] > 200, "RIVERWOOD")
    page.get_by_role("button", name="10 min").click()
    price.scroll_into_view_if_needed()
    box = price.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    tip = page.locator(".tip:visible")
    expect(tip).to_contain_text("RIVERWOOD")
    expect(tip).to_contain_text("SEASIDE")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.5, steps=5)
    page.mouse.up()
    back = page.get_by_role("button", name="Back to now")
    expect(back).to_be_visible()
    back.click()
    expect(back).to_be_hidden()
    page.get_by_role("button", name="Zoom in").click()
    expect(back).to_be_visible()


def test_page_is_usable_by_keyboard(start, open_page):
    running = start(HOSTS)
    page = open_page(read_dashboard_address(running))
    expect(page.get_by_role("slider", name="Yield of wood")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the prices")).to_be_focused()
    city = page.get_by_role("navigation", name="Cities").get_by_role("button", name="SEASIDE")
    for _ in range(10):
        page.keyboard.press("Tab")
        if city.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(city).to_have_attribute("aria-pressed", "true")
    page.get_by_role("slider", name="Yield of thread").focus()
    page.keyboard.press("ArrowRight")
    running.until(lambda status: status["yield"]["thread"] == 1.05, "SEASIDE")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_fits_a_phone_in_both_colour_schemes(start, open_page, scheme):
    page = open_page(read_dashboard_address(start(HOSTS)), color_scheme=scheme)
    page.set_viewport_size({"width": 375, "height": 740})
    expect(find_picture(page, "Price of wood.*SEASIDE")).to_be_visible()
    # Charts follow the page's width one frame later. A function, because the page's policy forbids strings as code.
    page.wait_for_function("() => document.scrollingElement.scrollWidth <= innerWidth")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground))) < 384) == (scheme == "dark")


@pytest.mark.parametrize("processes", [1, 2])
def test_commands_work_with_any_number_of_processes(start, open_page, processes):
    running = start(f"{HOSTS} --processes {processes}")
    page = open_page(read_dashboard_address(running))
    page.get_by_role("button", name="Close the road from SEASIDE to RIVERWOOD").click()
    for city, other in (("RIVERWOOD", "SEASIDE"), ("SEASIDE", "RIVERWOOD")):
        running.until(lambda status, other=other: status["roads"][other]["state"] == "down", city)
    page.get_by_role("button", name="Open the road from SEASIDE to RIVERWOOD").click()
    for city, other in (("RIVERWOOD", "SEASIDE"), ("SEASIDE", "RIVERWOOD")):
        running.until(lambda status, other=other: status["roads"][other]["state"] == "up", city)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("How wealth is spread: RIVERWOOD Gini"))).to_be_visible()
