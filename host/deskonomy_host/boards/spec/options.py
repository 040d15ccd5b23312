"""What people say of a board: its name, Wi-Fi, sensors, light and page; typed, asked for, or in a TOML file.

Here: from their words to what config.json says, and a Wrong in their own words for what makes no sense. Not here: the
rules of a config.json (firmware/board/config.py), what is usual of a sensor (usual.py), what a pin can do (pins.py),
when all of this is done (board_setup.py).
"""

import json
import os
import sys
import tomllib
from dataclasses import dataclass, field, replace

import typer

from deskonomy_host import validation as words
from deskonomy_host.boards.spec import catalog as boards
from deskonomy_host.boards.spec import pins
from deskonomy_host.boards.spec.defaults import filled
from deskonomy_host.errors import OperationError, UsageError

PASSWORD = "DESKONOMY_WIFI_PASSWORD"  # the environment's
OFF = "off"  # instead of a sensor's, light's or page's settings: there shall be none
_SENSOR = "soil adc pin=33 good=thread"
_INDICATOR = "led pin=2 good=wood"
_TEXTS = ("name", "kind", "good", "pull", "reads", "rom")  # settings that are text, whatever they look like
_CITY = {"city": "CITY"}  # what every config.json says


# Words that are typed.


def sensor(word):
    """What is said of a sensor that is typed as "NAME KIND SETTING=VALUE ...", or "NAME off". Raises UsageError."""
    name, _, rest = word.strip().partition(" ")
    if rest.strip() == OFF:
        return {"name": name, "kind": OFF}
    found = _settings("--sensor", word, ("name", "kind"), _SENSOR)
    boards.check({**_CITY, "sensors": [filled(found)]}, "--sensor '%s'" % word)
    return found


def indicator(word):
    """What config.json says of a board's own light that is typed as "KIND pin=N good=GOOD"; {} for "off"."""
    if word == OFF:
        return {}
    found = _settings("--indicator", word, ("kind",), _INDICATOR)
    for key in sorted(found.keys() - {"kind", "pin", "good"}):
        raise UsageError('--indicator takes pin and good, not "%s"' % key)
    boards.check({**_CITY, "indicator": found}, "--indicator '%s'" % word)
    return found


def page(word):
    """The port of a board's own page; 0 for "off"."""
    return 0 if word == OFF else words.whole("--page", 1, 65535, "80 (or off)")(word)


def _settings(what, word, first, example):
    """{setting: value} of a few bare words, which are these settings, and then SETTING=VALUE."""
    bare, rest = word.split()[: len(first)], word.split()[len(first) :]
    if len(bare) < len(first) or any("=" in one for one in bare) or not all("=" in one for one in rest):
        shape = " ".join([*map(str.upper, first), "SETTING=VALUE ..."])
        raise UsageError('%s takes "%s", such as "%s", not "%s"' % (what, shape, example, word))
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

    def into(self, config, kind, known, say=print):
        """A config.json that says this too, of a board of this kind. Asks for passwords; raises UsageError.

        known: {network: password} of what the board has been told before. say(): called with what has to make way.
        """
        made = self.placed(config, kind, say)
        if self.wifi and sys.stdin.isatty():
            known = {}  # whoever types a network's name may say its password anew
        made["wifi"] = _networks(self.wifi or config.get("wifi", []), known)
        return made

    def placed(self, config, kind, say):
        """The same, but for Wi-Fi: each sensor and light is at a pin that it may have. Raises UsageError."""
        made = dict(config)
        made["sensors"] = self._sensors([filled(one, kind) for one in config.get("sensors", [])], kind, say)
        if self.name:
            made["city"] = self.name
        if self.page is not None:
            made["page"] = self.page or None
        if self.indicator is not None:
            made["indicator"] = self.indicator or None
        if self.watchdog is not None:
            made["watchdog"] = self.watchdog
        for one in [*made["sensors"], *filter(None, [made.get("indicator")])]:
            _fitting(one, kind)
        why = pins.clash(made)
        if why:
            raise UsageError(why)
        return made

    def _sensors(self, there, kind, say):
        """Those that are there, but for whatever is in the way of those that are given, and these."""
        light = [] if self.light is None else [{**kind.light, "pin": self.light}]
        given = light + [filled(one, kind) for one in self.sensors if one["kind"] != OFF]
        _tell_apart(given)
        off = {one["name"] for one in self.sensors if one["kind"] == OFF}
        for name in sorted(off - {one["name"] for one in there}):
            raise UsageError("there is no sensor %s to be switched off, only: %s" % (name, _listed(there)))
        kept = []
        for one in there:
            ways = set(_ways(one))
            other = next((new for new in given if ways & set(_ways(new))), None)
            if one["name"] in off:
                say("  %s is no sensor any more" % one["name"])
            elif other is None:
                kept.append(one)
            elif other["name"] != one["name"]:
                names = (one["name"], other["name"], one["good"])
                say("  %s makes way for %s: both decide the yield or recipe of %s" % names)
        return kept + given


def _ways(sensor):
    """What there can be only one of: its name, and the yield or recipe that it decides."""
    return [("name", sensor["name"]), *((way, sensor["good"]) for way in ("yield", "recipe") if way in sensor)]


def _listed(sensors):
    return ", ".join(sorted(one["name"] for one in sensors)) or "none"


def _tell_apart(sensors):
    """Raises UsageError for sensors that would be in each other's way."""
    seen = {}
    for one in sensors:
        for way, whose in _ways(one):
            other = seen.setdefault((way, whose), one)
            if other is not one and way == "name":
                raise UsageError("two sensors are called %s: call one of them something else" % whose)
            if other is not one:
                names = (other["name"], one["name"], way, whose)
                raise UsageError("%s and %s both decide the %s of %s: give one of them another good" % names)


# A file.


def read(file):
    """What a TOML file says that config.json shall say; sensors may leave out what is usual, networks their password.

    Raises OperationError if it cannot be read, Wrong for what makes no sense.
    """
    try:
        with open(file, "rb") as source:
            found = tomllib.load(source)
    except OSError as error:
        raise OperationError("cannot read %s: %s" % (file, error.strerror)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("%s is not TOML: %s" % (file, error)) from None
    networks, sensors = found.get("wifi"), found.get("sensors")
    try:
        json.dumps(found)
    except TypeError:
        raise UsageError("%s: no setting is a date or a time" % file) from None
    found |= {key: None for key in ("indicator", "page") if found.get(key) == OFF}  # TOML knows no null
    checked = {**_CITY, **found}
    if isinstance(sensors, list):
        checked["sensors"] = [filled(one) if isinstance(one, dict) else one for one in sensors]
    if isinstance(networks, list):
        checked["wifi"] = [[one, ""] if isinstance(one, str) else one for one in networks]
    boards.check(checked, file)
    _tell_apart(checked.get("sensors", []))
    return found


def sound(config, say=print):
    """What of a board's own config.json can be used; say() is called with what cannot, and begins anew."""
    kept = {}
    for key, value in config.items():
        try:
            boards.check({**_CITY, key: value})
            kept[key] = value
        except OperationError as error:
            say("  %s; it begins anew" % error)
    return kept


# What is asked.


def ask(typed, config, kind):
    """The same with what somebody answers at the terminal."""
    name = typed.name or _until_right("The city's name", _name, default=config["city"])
    known = [network for network, _ in config.get("wifi", [])]
    wifi = typed.wifi
    if not wifi:
        empty = "" if known else " (empty: none)"
        answer = typer.prompt("The Wi-Fi's name" + empty, default=known[0] if known else "")
        wifi = [] if answer in ("", *known[:1]) else [answer]  # what the board knows stays
    light, sensors = typed.light, typed.sensors
    if light is None and not sensors:
        if not any(one["kind"] == "adc" for one in config.get("sensors", [])):
            analog = ", ".join(map(str, kind.pins["adc"]))
            light = _until_right("A light sensor's pin (%s; empty: none)" % analog, lambda pin: _light(pin, kind))
        another = "Another sensor, such as %s (empty: none)" % _SENSOR
        sensors = []

        def more(word):
            one = sensor(word)
            replace(typed, light=light, sensors=[*sensors, one]).placed(config, kind, lambda line: None)
            return one

        while one := _until_right(another, lambda word: more(word) if word else None):
            sensors.append(one)
    return replace(typed, name=name, wifi=wifi, light=light, sensors=sensors)


def _until_right(question, parse, default=""):
    """What parse() makes of an answer; asks again while it raises UsageError."""
    while True:
        try:
            return parse(typer.prompt(question, default=default, show_default=bool(default)))
        except UsageError as error:
            print("  %s" % error, file=sys.stderr)


def _name(word):
    return words.name("a city's name", word)


def _light(word, kind):
    return (
        _fitting({**kind.light, "pin": words.whole("a pin", 0, 48, kind.light["pin"])(word)}, kind)["pin"]
        if word
        else None
    )


def _fitting(one, kind):
    why = pins.why_not(one, kind)
    if why:
        raise UsageError(why)
    return one


def _networks(wanted, known):
    """[[name, password]] of networks that are said by their names, or with their passwords already."""
    names = [one for one in wanted if isinstance(one, str)]
    if any("\ud800" <= sign <= "\udfff" for one in names for sign in one):
        raise UsageError("a Wi-Fi's name is text in UTF-8, and one of those is not")
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
    raise UsageError("the password of %s belongs in %s" % (network, where))
