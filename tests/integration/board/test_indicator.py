"""The board's own light: the price of a good, or trouble."""

import asyncio
from itertools import pairwise

import pytest
from deskonomy.errors import ConfigError
from deskonomy_board import config
from helpers.commands import PATIENCE_S

HOME = [["HOME", ""]]
CONNECTED = {"air": {"networks": {"HOME": ""}}, "quiet_ms": 0}
LED = {"kind": "led", "pin": 2}
NEOPIXEL = {"kind": "neopixel", "pin": 48, "good": "wood"}
BRIGHTNESS = 24
DARK = (0, [[0, 0, 0]])


def select_light(records, pin):
    """Return [(from s, value of the pin)], each until the next."""
    return [(at_s, detail) for at_s, event, detail in records if event == "pin%d" % pin]


def measure_flashes(values):
    """Return the lengths of the flashes, and the times from the begin of a flash to the begin of the next, in s."""
    lit = [(at_s, after_s - at_s) for (at_s, value), (after_s, _) in pairwise(values) if value not in DARK]
    return [length for _, length in lit], [after - before for (before, _), (after, _) in pairwise(lit)]


def read_level(colour):
    """Return the level of a NeoPixel's colour in thousandths; its brightness is always the same."""
    [[red, green, blue]] = colour
    assert blue == 0 and BRIGHTNESS - 1 <= red + green <= BRIGHTNESS
    return red * 1000 // BRIGHTNESS


def test_led_flashes_short_for_cheap_and_long_for_dear(leap):
    prices = [(60, {"price_mills": 4000}), (120, {"price_mills": 2000}), (180, {"price_mills": 1000})]
    records = leap(240, *prices, wifi=HOME, indicator=LED, begin={**CONNECTED, "price_mills": 3000})
    values = select_light(records, 2)
    for begin_s, end_s, lit_s in ((10, 60, 1.0), (62, 120, 1.9), (122, 180, 0.1), (182, 240, 0.1)):
        lit, apart = measure_flashes([value for value in values if begin_s <= value[0] < end_s])
        assert all(abs(length - lit_s) < 0.01 for length in lit), (begin_s, lit)
        assert all(abs(gap - 2) < 0.01 for gap in apart) and len(lit) > 20


def test_level_is_relative_to_prices_since_the_start(leap):
    prices = [(20, {"price_mills": 5000}), (40, {"price_mills": 2000})]
    lit, _ = measure_flashes(select_light(leap(100, *prices, wifi=HOME, indicator=LED, begin=CONNECTED), 2)[-10:])
    assert all(abs(length - (0.1 + 1.8 * 0.25)) < 0.01 for length in lit), lit


@pytest.mark.parametrize("light", [LED, NEOPIXEL])
def test_light_flashes_five_times_a_second_without_wifi(leap, light):
    lost = {"air": {"networks": {}}}
    records = leap(90, (30, lost), (60, CONNECTED), wifi=HOME, indicator=light, begin=CONNECTED)
    values = select_light(records, light["pin"])
    lit, apart = measure_flashes([value for value in values if 32.1 < value[0] < 60])
    assert len(lit) > 130 and all(abs(length - 0.1) < 0.01 for length in lit)
    assert all(abs(gap - 0.2) < 0.01 for gap in apart)
    assert len([at_s for at_s, _ in values if at_s > 80]) < 12, "the Wi-Fi is back"


def test_neopixel_goes_from_green_to_red_and_is_blue_without_wifi(leap):
    prices = [(20, {"price_mills": 5000}), (40, {"price_mills": 2000}), (60, {"air": {"networks": {}}})]
    values = select_light(leap(90, *prices, wifi=HOME, indicator=NEOPIXEL, begin=CONNECTED), 48)
    levels = {end_s: read_level([value for at_s, value in values if at_s < end_s][-1]) for end_s in (20, 40, 60)}
    assert levels[20] == 500 and levels[40] == 1000 and 200 <= levels[60] <= 250
    colours = {str(value) for at_s, value in values if at_s > 63}
    assert colours == {"[[0, 0, 0]]", "[[0, 0, %d]]" % BRIGHTNESS}
    assert all(0 <= part <= BRIGHTNESS for _, [colour] in values for part in colour), "a NeoPixel is bright on a desk"


@pytest.mark.parametrize(
    "light, is_valid",
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
def test_indicator_in_config_is_checked(light, is_valid):
    settings = {"city": "OAKHAM", "indicator": light}
    if is_valid:
        assert config.check_settings(settings)["indicator"] == light
    else:
        with pytest.raises(ConfigError, match=r'"indicator" must be .*"led" or "neopixel"'):
            config.check_settings(settings)


@pytest.mark.parametrize("kind", ["led", "neopixel"])
def test_unsuitable_pin_is_reported_and_the_city_goes_on(desk, kind):
    desk.restart({"indicator": {"kind": kind, "pin": 34}})
    desk.wait_for("no light on pin 34: pin can only be input")
    desk.wait_for('{"city": "DESKTOWN"', times=3)


def wait_for_light(desk, light, predicate):
    """Wait until predicate(every value of the light meanwhile, as texts)."""

    async def look():
        seen = set()
        async with asyncio.timeout(PATIENCE_S):
            while not predicate(seen):
                seen.add(str(desk.machine.read_output(light["pin"])))
                seen.discard("None")
                await asyncio.sleep(0.01)

    desk.run(look())


@pytest.mark.parametrize("light", [LED, NEOPIXEL])
def test_light_of_a_whole_board_changes(desk, light):
    desk.restart({"indicator": light, "speed": 1000})
    desk.wait_for(" listens on ")
    wait_for_light(desk, light, lambda seen: len(seen) == 2)


def test_failed_sensor_is_trouble_and_absence_of_networks_is_not(desk):
    blue, wire = str([[0, 0, BRIGHTNESS]]), {"28ff641e8c160432": "91014b467fff0c1070"}
    sensor = {"name": "cellar", "kind": "ds18b20", "pin": 4, "low": 0, "high": 3000, "good": "bed", "yield": [0, 2]}
    desk.machine.pins["4"] = wire
    desk.restart({"indicator": NEOPIXEL, "wifi": [], "sensors": [sensor]})
    desk.wait_for('"raw": 2506')
    assert str(desk.machine.read_output(NEOPIXEL["pin"])) != blue
    desk.machine.pins["4"] = {}
    desk.change_air()
    desk.wait_for("sensor cellar: ")
    wait_for_light(desk, NEOPIXEL, lambda seen: blue in seen)
    desk.machine.pins["4"] = wire
    desk.change_air()
    desk.wait_for("sensor cellar is back")
    wait_for_light(desk, NEOPIXEL, lambda seen: seen - {blue, str([[0, 0, 0]])})
