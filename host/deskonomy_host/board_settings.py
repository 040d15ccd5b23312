"""What people say of a board: its name, Wi-Fi, sensors, light and page; typed, asked for, or in a TOML file.

Here: from their words to what config.json says, what is typical of each kind of sensor, and a Wrong in their own words
for what makes no sense. Not here: the rules of a config.json (firmware/board/config.py), what a chip's pins can do
(boards.py), when all of this is done (board_setup.py).
"""

import json
import os
import sys
import tomllib
from dataclasses import dataclass, field, replace

import typer
from deskonomy.goods import GOODS

from . import boards, words
from .errors import Failed, Wrong

PASSWORD = "DESKONOMY_WIFI_PASSWORD"  # the environment's
_SENSOR = "soil adc pin=33 good=thread"
_INDICATOR = "led pin=2 good=wood"
_TEXTS = ("name", "kind", "good", "pull", "reads", "rom")  # settings that are text, whatever they look like
_CITY = {"city": "CITY"}  # what every config.json says
# What each kind reads where there is little of it and where there is much, and how to show it both.
_TYPICAL = {
    "adc": (200, 3900, "cover it, then give it light (or let it be dry, then wet)"),
    "bh1750": (0, 1000, "cover it, then give it light"),
    "button": (0, 3, ""),
    "digital": (0, 1, ""),
    "mcu": (3000, 7000, "let the board rest, then warm it"),
    "rssi": (-90, -40, "carry the board away from the Wi-Fi, then near to it"),
    "touch": (600, 200, "leave it alone, then touch it"),
    "temperature": (1500, 3000, "cool it, then warm it with your hand"),
    "humidity": (3000, 7000, "leave it alone, then breathe on it"),
    "pressure": (98_000, 103_000, "carry it downstairs, then up"),
}
_SEVERAL = ("bme280", "dht11", "dht22")  # kinds that have to be told what they shall read


def typical(sensor):
    """(low, high, how to show it both) of a sensor as config.json describes it; of an unknown kind (0, 1, "")."""
    what = "temperature" if sensor.get("kind") == "ds18b20" else sensor.get("reads", sensor.get("kind"))
    return _TYPICAL.get(str(what), (0, 1, ""))


def filled(sensor):
    """A sensor that leaves things out, with what is typical of its kind."""
    usual = {"good": GOODS[0].name}
    if sensor.get("kind") in _SEVERAL:
        usual["reads"] = "temperature"
    if "yield" not in sensor and "recipe" not in sensor:
        usual["yield"] = [0.0, 2.0]
    low, high, _ = typical({**usual, **sensor})
    return {"name": sensor.get("kind"), **usual, "low": low, "high": high, **sensor}


# Words that are typed.


def sensor(word):
    """What config.json says of a sensor that is typed as "NAME KIND SETTING=VALUE ...". Raises Wrong."""
    found = filled(_settings("--sensor", word, ("name", "kind"), _SENSOR))
    boards.check({**_CITY, "sensors": [found]}, "--sensor '%s'" % word)
    return found


def indicator(word):
    """What config.json says of a board's own light that is typed as "KIND pin=N good=GOOD"; {} for "off"."""
    if word == "off":
        return {}
    found = _settings("--indicator", word, ("kind",), _INDICATOR)
    boards.check({**_CITY, "indicator": found}, "--indicator '%s'" % word)
    return found


def page(word):
    """The port of a board's own page; 0 for "off"."""
    return 0 if word == "off" else words.whole("--page", 1, 65535, "80 (or off)")(word)


def _settings(what, word, first, example):
    """{setting: value} of a few bare words, which are these settings, and then SETTING=VALUE."""
    bare, rest = word.split()[: len(first)], word.split()[len(first) :]
    if len(bare) < len(first) or any("=" in one for one in bare) or not all("=" in one for one in rest):
        shape = " ".join([*map(str.upper, first), "SETTING=VALUE ..."])
        raise Wrong('%s takes "%s", such as "%s", not "%s"' % (what, shape, example, word))
    pairs = [one.partition("=") for one in rest]
    return {**dict(zip(first, bare, strict=True)), **{key: _value(key, text) for key, _, text in pairs}}


def _value(key, text):
    """A number or a list, if it is one; whatever it should not be the firmware's rules find."""
    if key in _TEXTS:
        return text
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        return json.loads(text)
    except ValueError:
        return text


@dataclass
class Typed:
    """What is typed or asked; None, or nothing, for what shall stay. wifi: names of networks. light: a pin.

    page: 0 for none. indicator: {} for none.
    """

    name: str | None = None
    wifi: list[str] = field(default_factory=list)
    light: int | None = None
    sensors: list[dict] = field(default_factory=list)
    page: int | None = None
    indicator: dict | None = None
    watchdog: bool | None = None

    def into(self, config, kind, known):
        """A config.json that says this too, of a board of this kind. Asks for passwords; raises Wrong.

        known: {network: password} of what the board has been told before.
        """
        if self.wifi and sys.stdin.isatty():
            known = {}  # whoever types a network's name may say its password anew
        made = {**config, "wifi": _networks(self.wifi or config.get("wifi", []), known)}
        given = [*([] if self.light is None else [{**kind.light, "pin": self.light}]), *self.sensors]
        _tell_apart(given)
        taken = {one[key] for one in given for key in ("name", "good")}
        made["sensors"] = [one for one in config.get("sensors", []) if not {one["name"], one["good"]} & taken] + given
        for one in made["sensors"]:
            _fitting(one, kind)
        if self.name:
            made["city"] = self.name
        if self.page is not None:
            made["page"] = self.page or None
        if self.indicator is not None:
            made["indicator"] = self.indicator or None
        if self.watchdog is not None:
            made["watchdog"] = self.watchdog
        return made


def _tell_apart(sensors):
    """Raises Wrong for sensors that would be in each other's way."""
    seen = {}
    for one in sensors:
        ways = [("name", one["name"]), *((way, one["good"]) for way in ("yield", "recipe") if way in one)]
        for way, whose in ways:
            other = seen.setdefault((way, whose), one)
            if other is not one and way == "name":
                raise Wrong("two sensors are called %s: call one of them something else" % whose)
            if other is not one:
                names = (other["name"], one["name"], way, whose)
                raise Wrong("%s and %s both decide the %s of %s: give one of them another good" % names)


# A file.


def read(file):
    """What a TOML file says that config.json shall say; sensors may leave out what is usual, networks their password.

    Raises Failed if it cannot be read, Wrong for what makes no sense.
    """
    try:
        with open(file, "rb") as source:
            found = tomllib.load(source)
    except OSError as error:
        raise Failed("cannot read %s: %s" % (file, error.strerror)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Wrong("%s is not TOML: %s" % (file, error)) from None
    networks, sensors = found.get("wifi"), found.get("sensors")
    if isinstance(sensors, list):
        found["sensors"] = [filled(one) if isinstance(one, dict) else one for one in sensors]
    checked = {**_CITY, **found}
    if isinstance(networks, list):
        checked["wifi"] = [[one, ""] if isinstance(one, str) else one for one in networks]
    boards.check(checked, file)
    _tell_apart(found.get("sensors", []))
    return found


def sound(config, say=print):
    """What of a board's own config.json can be used; say() is called with what cannot, and begins anew."""
    kept = {}
    for key, value in config.items():
        try:
            boards.check({**_CITY, key: value})
            kept[key] = value
        except Failed as error:
            say("  %s; it begins anew" % error)
    return kept


# What is asked.


def ask(typed, config, kind):
    """The same with what somebody answers at the terminal."""
    name = typed.name or _until_right("The city's name", _name, default=config["city"])
    known = [network for network, _ in config.get("wifi", [])]
    wifi = typed.wifi
    if not wifi:
        answer = typer.prompt("The Wi-Fi's name (empty: none)", default=known[0] if known else "")
        wifi = [] if answer in ("", *known[:1]) else [answer]  # what the board knows stays
    light, sensors = typed.light, typed.sensors
    if light is None and not sensors:
        if not any(one["kind"] == "adc" for one in config.get("sensors", [])):
            pins = ", ".join(map(str, kind.pins["adc"]))
            light = _until_right("A light sensor's pin (%s; empty: none)" % pins, lambda pin: _light(pin, kind))
        another = "Another sensor, such as %s (empty: none)" % _SENSOR
        sensors = list(iter(lambda: _until_right(another, lambda word: _asked(word, kind)), None))
    return replace(typed, name=name, wifi=wifi, light=light, sensors=sensors)


def _until_right(question, parse, default=""):
    """What parse() makes of an answer; asks again while it raises Wrong."""
    while True:
        try:
            return parse(typer.prompt(question, default=default, show_default=bool(default)))
        except Wrong as error:
            print("  %s" % error, file=sys.stderr)


def _name(word):
    return words.name("a city's name", word)


def _light(word, kind):
    return (
        _fitting({**kind.light, "pin": words.whole("a pin", 0, 48, kind.light["pin"])(word)}, kind)["pin"]
        if word
        else None
    )


def _asked(word, kind):
    return _fitting(sensor(word), kind) if word else None


def _fitting(one, kind):
    why = kind.why_not(one)
    if why:
        raise Wrong(why)
    return one


def _networks(wanted, known):
    """[[name, password]] of networks that are said by their names, or with their passwords already."""
    names = [one for one in wanted if isinstance(one, str)]
    if len(names) == 1 and PASSWORD in os.environ:
        known = {names[0]: os.environ[PASSWORD]}
    return [[one, known[one] if one in known else _password(one, names)] if one in names else one for one in wanted]


def _password(network, names):
    if sys.stdin.isatty():
        question = "The password of %s (empty: none)" % network
        return typer.prompt(question, hide_input=True, default="", show_default=False)
    if len(names) == 1:
        where = "the environment's %s, or is asked at a terminal" % PASSWORD
    else:
        where = """a --config file, as in wifi = [["%s", "PASSWORD"], ...], or is asked at a terminal""" % network
    raise Wrong("the password of %s belongs in %s" % (network, where))
