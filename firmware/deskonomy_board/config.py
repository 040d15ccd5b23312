"""config.json: what this board is called, where it lives, what it senses.

Here: reading it, its defaults, and saying in plain words what is wrong with it. Not here: what the settings do
(main.py).
"""

import json

from deskonomy.economy.goods import GOODS
from deskonomy.errors import ConfigError, InvalidLineError
from deskonomy.wire.codec import name

FILE = "config.json"

_DEFAULTS = {
    "seed": 1,
    "locals": 20,
    "merchants": 10,
    "port": 55555,
    "key": None,
    "speed": 20,
    "checkpoint_s": 10,
    "connect": [],
    "wifi": [],
    "sensors": [],
    "watchdog": True,
    "indicator": None,
    "page": None,
}


def read(path=FILE):
    """The settings as a dict that has every key. Raises ConfigError."""
    try:
        with open(path) as file:
            settings = json.load(file)
    except OSError:
        raise ConfigError('there is no %s: it says at least {"city": "DESKTOWN"}' % FILE) from None
    except ValueError:
        raise ConfigError("%s is not JSON: look for a missing comma, quote or bracket" % FILE) from None
    return check(settings)


def check(settings):
    """The same settings, with defaults for what they leave out. Raises ConfigError for the first unusable one."""
    _need(isinstance(settings, dict), "it", "an object in { }", settings)
    for key in sorted(settings):
        _need(key == "city" or key in _DEFAULTS, '"%s"' % key, "a setting: city, " + ", ".join(sorted(_DEFAULTS)), None)
    complete = {}
    complete.update(_DEFAULTS, city=None)
    complete.update(settings)
    for key, works, words in _RULES:
        # Nobody is shown a key or a password, not even one that is none.
        _need(works(complete[key]), '"%s"' % key, words, complete[key] if key not in ("key", "wifi") else "***")
    for sensor in complete["sensors"]:
        _check_sensor(sensor)
    return complete


def _check_sensor(sensor):
    kind = sensor.get("kind")
    _need(str(kind) in _KINDS, 'a sensor\'s "kind"', "one of " + ", ".join(sorted(_KINDS)), kind)
    takes = _ALL_KINDS + _KINDS[kind]
    for key in sorted(sensor):
        _need(key in takes, 'a sensor\'s "%s"' % key, "left out, for %s takes only %s" % (kind, ", ".join(takes)), None)
    for key, works, words in _SENSOR_RULES:
        if key in takes and (key in sensor or key not in _OPTIONAL):
            _need(works(sensor.get(key)), 'a sensor\'s "%s"' % key, words, sensor.get(key))
    _need(sensor["low"] != sensor["high"], 'a sensor\'s "high"', 'another reading than "low"', sensor["high"])
    _need(
        ("yield" in sensor) != ("recipe" in sensor), "a sensor", 'one that has a "yield" or a "recipe"', sensor["name"]
    )
    _need(sensor["good"] not in str(sensor.get("recipe")), 'a "recipe"', "of other goods than its own", sensor["good"])


def _need(works, what, words, value):
    if not works:
        instead = "" if value is None else ", not " + json.dumps(value)
        raise ConfigError("%s: %s must be %s%s" % (FILE, what, words, instead))


def _whole(low, high):
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _number(value, low, high):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def _is_name(value):
    try:
        return isinstance(value, str) and bool(name(value.encode()))
    except InvalidLineError:
        return False


def _is_address(value):
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    return host and port and not port.strip("0123456789") and 1 <= int(port) <= 65535


def _is_key(value):
    return value is None or (isinstance(value, str) and len(value) == 64 and not value.strip("0123456789abcdefABCDEF"))


def _list_of(works):
    return lambda value: isinstance(value, list) and all(works(item) for item in value)


def _is_network(value):
    return isinstance(value, list) and len(value) == 2 and all(isinstance(item, str) for item in value) and value[0]


def _is_span(value):
    return isinstance(value, list) and len(value) == 2 and all(_number(item, 0, 100) for item in value)


def _is_recipe(value):
    return isinstance(value, dict) and all(good in _GOODS and _whole(1, 100)(value[good]) for good in value)


def _is_rom(value):
    return isinstance(value, str) and len(value) == 16 and not value.strip("0123456789abcdefABCDEF")


def _is_indicator(value):
    if not isinstance(value, dict):
        return value is None
    kind, pin, good = value.get("kind"), value.get("pin"), value.get("good", _GOODS[0])
    return kind in ("led", "neopixel") and _whole(0, 48)(pin) and good in _GOODS


_RULES = (
    ("city", _is_name, "a name of 1 to 64 bytes without control characters, quotes, { or ["),
    ("seed", _whole(0, 0xFFFFFFFF), "a whole number from 0 to 4294967295"),
    ("locals", _whole(0, 1000), "a whole number from 0 to 1000"),
    ("merchants", _whole(0, 1000), "a whole number from 0 to 1000"),
    ("port", _whole(1, 65535), "a whole number from 1 to 65535"),
    ("key", _is_key, "64 hex digits, as deskonomy keygen makes them, or null"),
    ("speed", lambda value: value == "max" or _number(value, 0.1, 1000), 'ticks a second, 0.1 to 1000, or "max"'),
    (
        "checkpoint_s",
        lambda value: value == 0 or _number(value, 0.1, 3600),
        "seconds, 0.1 to 3600, or 0 to save nothing",
    ),
    ("connect", _list_of(_is_address), 'a list of "HOST:PORT"'),
    ("wifi", _list_of(_is_network), 'a list of ["network", "password"]'),
    ("sensors", _list_of(lambda value: isinstance(value, dict)), "a list of sensors, each in { }"),
    ("watchdog", lambda value: isinstance(value, bool), "true or false"),
    ("indicator", _is_indicator, '{"kind": "led" or "neopixel", "pin": 0 to 48, "good": whose price it shows} or null'),
    ("page", lambda value: value is None or _whole(1, 65535)(value), "a port, 80 for a browser's, or null for no page"),
)
_GOODS = tuple([good.name for good in GOODS])
# What each kind takes beside what all of them take.
_ALL_KINDS = ("name", "kind", "good", "low", "high", "smoothing", "yield", "recipe")
_KINDS = {
    "adc": ("pin",),
    "bh1750": ("scl", "sda", "address"),
    "bme280": ("scl", "sda", "address", "reads"),
    "button": ("pin", "pull"),
    "dht11": ("pin", "reads"),
    "dht22": ("pin", "reads"),
    "digital": ("pin", "pull"),
    "ds18b20": ("pin", "rom"),
    "mcu": (),
    "rssi": (),
    "touch": ("pin",),
}
_OPTIONAL = ("smoothing", "yield", "recipe", "address", "pull", "rom")
_SENSOR_RULES = (
    ("name", _is_name, "a name"),
    ("pin", _whole(0, 48), "a pin's number"),
    ("scl", _whole(0, 48), "a pin's number"),
    ("sda", _whole(0, 48), "a pin's number"),
    ("address", _whole(8, 119), "an I2C address, 8 to 119"),
    ("rom", _is_rom, "the 16 hex digits of a DS18B20"),
    ("pull", lambda value: value in ("up", "down"), '"up" or "down"'),
    (
        "reads",
        lambda value: value in ("temperature", "humidity", "pressure"),
        '"temperature", "humidity" or "pressure"',
    ),
    ("low", _whole(-100_000, 10_000_000), "the raw reading that counts as 0"),
    ("high", _whole(-100_000, 10_000_000), "the raw reading that counts as 1"),
    ("smoothing", _whole(1, 1000), "how many readings share the level, 1 to 1000"),
    ("good", lambda value: value in _GOODS, "one of " + ", ".join(_GOODS)),
    ("yield", _is_span, "[at level 0, at level 1], each 0 to 100"),
    (
        "recipe",
        lambda value: _list_of(_is_recipe)(value) and len(value) == 2,
        '[below half, above half], each such as {"wood": 4}',
    ),
)
