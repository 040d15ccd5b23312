"""config.json: what this board is called, where it lives, what it senses.

Here: reading it, its defaults, and saying in plain words what is wrong with it. Not here: what the settings do
(main.py).
"""

import json

from deskonomy.codec import Refused, name
from deskonomy.goods import GOODS

FILE = "config.json"

_DEFAULTS = {
    "seed": 1,
    "locals": 20,
    "merchants": 10,
    "port": 55555,
    "speed": 20,
    "connect": [],
    "wifi": [],
    "sensors": [],
}


class ConfigError(Exception):
    """config.json cannot be used; the text says what to put right."""


def read():
    """The settings as a dict that has every key. Raises ConfigError."""
    try:
        with open(FILE) as file:
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
        _need(works(complete[key]), '"%s"' % key, words, complete[key])
    for sensor in complete["sensors"]:
        for key, works, words in _SENSOR_RULES:
            _need(works(sensor.get(key)), 'a sensor\'s "%s"' % key, words, sensor.get(key))
        _need(sensor["low"] != sensor["high"], 'a sensor\'s "high"', 'another reading than "low"', sensor["high"])
    return complete


def _need(works, what, words, value):
    if not works:
        raise ConfigError("%s: %s must be %s, not %s" % (FILE, what, words, json.dumps(value)))


def _whole(low, high):
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _number(value, low, high):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def _is_name(value):
    try:
        return isinstance(value, str) and bool(name(value.encode()))
    except Refused:
        return False


def _is_address(value):
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    return host and port.isdigit() and 1 <= int(port) <= 65535


def _list_of(works):
    return lambda value: isinstance(value, list) and all(works(item) for item in value)


def _is_network(value):
    return isinstance(value, list) and len(value) == 2 and all(isinstance(item, str) for item in value) and value[0]


def _is_span(value):
    return isinstance(value, list) and len(value) == 2 and all(_number(item, 0, 100) for item in value)


_RULES = (
    ("city", _is_name, "a name of 1 to 64 bytes without control characters, quotes, { or ["),
    ("seed", _whole(0, 0xFFFFFFFF), "a whole number from 0 to 4294967295"),
    ("locals", _whole(0, 1000), "a whole number from 0 to 1000"),
    ("merchants", _whole(0, 1000), "a whole number from 0 to 1000"),
    ("port", _whole(1, 65535), "a whole number from 1 to 65535"),
    ("speed", lambda value: value == "max" or _number(value, 0.1, 1000), 'ticks a second, 0.1 to 1000, or "max"'),
    ("connect", _list_of(_is_address), 'a list of "HOST:PORT"'),
    ("wifi", _list_of(_is_network), 'a list of ["network", "password"]'),
    ("sensors", _list_of(lambda value: isinstance(value, dict)), "a list of sensors, each in { }"),
)
_GOODS = tuple([good.name for good in GOODS])
_SENSOR_RULES = (
    ("name", _is_name, "a name"),
    ("kind", lambda value: value == "adc", '"adc"'),
    ("pin", _whole(0, 48), "a pin's number"),
    ("low", _whole(0, 65535), "the raw reading that counts as 0"),
    ("high", _whole(0, 65535), "the raw reading that counts as 1"),
    ("good", lambda value: value in _GOODS, "one of " + ", ".join(_GOODS)),
    ("yield", _is_span, "[at level 0, at level 1], each 0 to 100"),
)
