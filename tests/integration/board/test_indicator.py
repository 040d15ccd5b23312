"""The board's own light: what a good costs, or that something is wrong."""

import asyncio
from itertools import pairwise

import pytest
from deskonomy.errors import ConfigError
from deskonomy_board import config
from helpers.commands import PATIENCE_S

HOME = [["HOME", ""]]
THERE = {"air": {"networks": {"HOME": ""}}, "quiet_ms": 0}
LED = {"kind": "led", "pin": 2}
NEOPIXEL = {"kind": "neopixel", "pin": 48, "good": "wood"}
BRIGHT = 24
DARK = (0, [[0, 0, 0]])


def lights(told, pin):
    """[(from s, what the pin shows)], each until the next."""
    return [(at_s, more) for at_s, what, more in told if what == "pin%d" % pin]


def flashes(shown):
    """How long each flash was lit, in seconds, and how long after the one before it began."""
    lit = [(at_s, after_s - at_s) for (at_s, value), (after_s, _) in pairwise(shown) if value not in DARK]
    return [length for _, length in lit], [after - before for (before, _), (after, _) in pairwise(lit)]


def level(colour):
    """How dear a NeoPixel says it is, in thousandths; it is as bright as always."""
    [[red, green, blue]] = colour
    assert blue == 0 and BRIGHT - 1 <= red + green <= BRIGHT
    return red * 1000 // BRIGHT


def test_an_led_shows_what_is_cheap_and_what_is_dear(leap):
    prices = [(60, {"price_mills": 4000}), (120, {"price_mills": 2000}), (180, {"price_mills": 1000})]
    told = leap(240, *prices, wifi=HOME, indicator=LED, begin={**THERE, "price_mills": 3000})
    shown = lights(told, 2)
    for begin_s, end_s, lit_s in ((10, 60, 1.0), (62, 120, 1.9), (122, 180, 0.1), (182, 240, 0.1)):
        lit, apart = flashes([one for one in shown if begin_s <= one[0] < end_s])
        assert all(abs(length - lit_s) < 0.01 for length in lit), (begin_s, lit)
        assert all(abs(gap - 2) < 0.01 for gap in apart) and len(lit) > 20


def test_between_cheap_and_dear_by_what_was_seen_since_the_start(leap):
    prices = [(20, {"price_mills": 5000}), (40, {"price_mills": 2000})]
    lit, _ = flashes(lights(leap(100, *prices, wifi=HOME, indicator=LED, begin=THERE), 2)[-10:])
    assert all(abs(length - (0.1 + 1.8 * 0.25)) < 0.01 for length in lit), lit


@pytest.mark.parametrize("light", [LED, NEOPIXEL])
def test_without_wifi_it_flashes_five_times_a_second(leap, light):
    gone = {"air": {"networks": {}}}
    told = leap(90, (30, gone), (60, THERE), wifi=HOME, indicator=light, begin=THERE)
    shown = lights(told, light["pin"])
    lit, apart = flashes([one for one in shown if 32.1 < one[0] < 60])
    assert len(lit) > 130 and all(abs(length - 0.1) < 0.01 for length in lit)
    assert all(abs(gap - 0.2) < 0.01 for gap in apart)
    assert len([at_s for at_s, _ in shown if at_s > 80]) < 12, "the Wi-Fi is back"


def test_a_neopixel_goes_from_green_to_red_and_is_blue_without_wifi(leap):
    prices = [(20, {"price_mills": 5000}), (40, {"price_mills": 2000}), (60, {"air": {"networks": {}}})]
    shown = lights(leap(90, *prices, wifi=HOME, indicator=NEOPIXEL, begin=THERE), 48)
    levels = {end_s: level([more for at_s, more in shown if at_s < end_s][-1]) for end_s in (20, 40, 60)}
    assert levels[20] == 500 and levels[40] == 1000 and 200 <= levels[60] <= 250
    colours = {str(more) for at_s, more in shown if at_s > 63}
    assert colours == {"[[0, 0, 0]]", "[[0, 0, %d]]" % BRIGHT}
    assert all(0 <= part <= BRIGHT for _, [colour] in shown for part in colour), "these lights are bright on a desk"


@pytest.mark.parametrize(
    "light, works",
    [
        (None, True),
        (LED, True),
        (NEOPIXEL, True),
        ({"kind": "lamp", "pin": 2}, False),
        ({"kind": "led"}, False),
        ({"kind": "led", "pin": 2, "good": "gold"}, False),
        ("led", False),
    ],
)
def test_what_config_json_may_say(light, works):
    settings = {"city": "OAKHAM", "indicator": light}
    if works:
        assert config.check(settings)["indicator"] == light
    else:
        with pytest.raises(ConfigError, match=r'"indicator" must be .*"led" or "neopixel"'):
            config.check(settings)


@pytest.mark.parametrize("kind", ["led", "neopixel"])
def test_a_pin_that_can_be_no_light_is_said_and_the_city_goes_on(desk, kind):
    desk.starts({"indicator": {"kind": kind, "pin": 34}})
    desk.wait_for("no light on pin 34: pin can only be input")
    desk.wait_for('{"city": "DESKTOWN"', times=3)


def wait_until(desk, light, is_there):
    """Wait until is_there(all that the light has shown meanwhile, as texts)."""

    async def look():
        seen = set()
        async with asyncio.timeout(PATIENCE_S):
            while not is_there(seen):
                seen.add(str(desk.machine.driven(light["pin"])))
                seen.discard("None")
                await asyncio.sleep(0.01)

    desk.run(look())


@pytest.mark.parametrize("light", [LED, NEOPIXEL])
def test_the_light_of_a_whole_board(desk, light):
    desk.starts({"indicator": light, "speed": 1000})
    desk.wait_for("lets in")
    wait_until(desk, light, lambda seen: len(seen) == 2)


def test_a_sensor_that_fails_is_trouble_and_no_network_to_be_on_is_none(desk):
    blue, wire = str([[0, 0, BRIGHT]]), {"28ff641e8c160432": "91014b467fff0c1070"}
    sensor = {"name": "cellar", "kind": "ds18b20", "pin": 4, "low": 0, "high": 3000, "good": "bed", "yield": [0, 2]}
    desk.machine.pins["4"] = wire
    desk.starts({"indicator": NEOPIXEL, "wifi": [], "sensors": [sensor]})
    desk.wait_for('"raw": 2506')
    assert str(desk.machine.driven(NEOPIXEL["pin"])) != blue
    desk.machine.pins["4"] = {}
    desk.air()
    desk.wait_for("sensor cellar: ")
    wait_until(desk, NEOPIXEL, lambda seen: blue in seen)
    desk.machine.pins["4"] = wire
    desk.air()
    desk.wait_for("sensor cellar is back")
    wait_until(desk, NEOPIXEL, lambda seen: seen - {blue, str([[0, 0, 0]])})
