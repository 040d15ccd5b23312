"""config.json: a board's city, its networks, its sensors.

Here: reading the file, the defaults, the rules of every setting, and an error that says in plain words what to correct.
Not here: what the kinds of sensors and lights are (sensors/specs.py), what the settings do (main.py).
"""

import json

from deskonomy.compat import TYPE_CHECKING
from deskonomy.economy.city import YIELD_MAX_MILLS
from deskonomy.economy.goods import GOODS
from deskonomy.errors import ConfigError, InvalidLineError
from deskonomy.wire.codec import decode_name

from deskonomy_board.sensors.specs import (
    KIND,
    LIGHTS,
    OPTION_RULES,
    OPTIONS,
    OWN_PINS,
    PIN_MAX,
    PINS,
    QUANTITIES,
    SENSORS,
)

if TYPE_CHECKING:
    from typing import Any

FILE = "config.json"

DEFAULTS = {
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


def read_settings(path: str = FILE) -> "dict[str, Any]":
    """Return the settings of config.json with defaults for absent ones. Raises ConfigError."""
    try:
        with open(path) as file:
            settings = json.load(file)
    except OSError:
        raise ConfigError('there is no %s: it contains at least {"city": "DESKTOWN"}' % FILE) from None
    except ValueError:
        raise ConfigError("%s is not JSON: look for a missing comma, quote or bracket" % FILE) from None
    return check_settings(settings)


def check_settings(settings: object) -> "dict[str, Any]":
    """Return the same settings with defaults for absent ones. Raises ConfigError for the first unusable one."""
    if not isinstance(settings, dict):
        raise _unusable("it", "an object in { }", settings)
    for key in sorted(settings):
        if key != "city" and key not in DEFAULTS:
            raise _unusable('"%s"' % key, "a setting: city, " + ", ".join(sorted(DEFAULTS)))
    complete = {}
    complete.update(DEFAULTS, city=None)
    complete.update(settings)
    for key, is_valid, requirement in _RULES:
        if not is_valid(complete[key]):
            # No message contains a key or a password, not even an invalid one.
            raise _unusable('"%s"' % key, requirement, complete[key] if key not in ("key", "wifi") else "***")
    for sensor in complete["sensors"]:
        _check_sensor(sensor)
    return complete


def _check_sensor(sensor):
    kind = sensor.get("kind")
    if is_owners(kind):
        for setting in sensor:
            if setting in OWN_PINS:
                _check_setting(sensor, setting, _integer(0, PIN_MAX), "a pin's number")
    else:
        _check_settings_of_kind(sensor, kind)
    _check_setting(sensor, "name", _is_name, "a name")
    for setting, is_valid, requirement in _SENSOR_RULES:
        if setting in sensor or setting not in _OPTIONAL:
            _check_setting(sensor, setting, is_valid, requirement)
    if sensor["low"] == sensor["high"]:
        raise _unusable('a sensor\'s "high"', 'another reading than "low"', sensor["high"])
    if ("yield" in sensor) == ("recipe" in sensor):
        raise _unusable("a sensor", 'one that has a "yield" or a "recipe"', sensor["name"])
    if sensor["good"] in str(sensor.get("recipe")):
        raise _unusable('a "recipe"', "of other goods than its own", sensor["good"])


def _check_settings_of_kind(sensor, kind):
    """Check the settings that only this kind of sensor takes, and that there are no others."""
    spec = _find_spec(SENSORS, kind)
    if spec is None:
        kinds = ", ".join([row[KIND] for row in SENSORS])
        raise _unusable('a sensor\'s "kind"', "one of %s or, for a driver of yours, drivers/NAME" % kinds, kind)
    pins = tuple([setting for setting, _ in spec[PINS]])
    quantities = [quantity[0] for quantity in spec[QUANTITIES]]
    allowed = _COMMON_SETTINGS + pins + spec[OPTIONS] + (("reads",) if len(quantities) > 1 else ())
    for key in sorted(sensor):
        if key not in allowed:
            raise _unusable('a sensor\'s "%s"' % key, "left out, for %s takes only %s" % (kind, ", ".join(allowed)))
    for setting in pins:
        _check_setting(sensor, setting, _integer(0, PIN_MAX), "a pin's number")
    for setting, limits, requirement in OPTION_RULES:
        if setting in sensor:
            _check_setting(sensor, setting, _within(limits), requirement)
    if "reads" in allowed:
        requirement = '"%s" or "%s"' % ('", "'.join(quantities[:-1]), quantities[-1])
        _check_setting(sensor, "reads", _within(quantities), requirement)


def is_owners(kind: object) -> bool:
    """Return whether a sensor's kind is a driver of the board's owner, such as "drivers/soil"."""
    folder, _, name = kind.partition("/") if isinstance(kind, str) else ("", "", "")
    return folder == "drivers" and not name.lower().strip(_NAME_CHARACTERS) and not name[:1].isdigit() and bool(name)


def _check_setting(sensor, setting, is_valid, requirement):
    if not is_valid(sensor.get(setting)):
        raise _unusable('a sensor\'s "%s"' % setting, requirement, sensor.get(setting))


def _unusable(name, requirement, value=None):
    """Return the error for a setting that does not meet its requirement."""
    instead = "" if value is None else ", not " + json.dumps(value)
    return ConfigError("%s: %s must be %s%s" % (FILE, name, requirement, instead))


def _find_spec(specs, kind):
    """Return the row of this kind, None if there is none."""
    for spec in specs:
        if spec[KIND] == kind:
            return spec
    return None


def _integer(low, high):
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _within(limits):
    """Return the check for limits as OPTION_RULES has them."""
    if isinstance(limits, int):
        return lambda value: isinstance(value, str) and len(value) == limits and not value.strip(_HEX_DIGITS)
    if isinstance(limits[0], int):
        return _integer(*limits)
    return lambda value: value in limits


def _is_number(value, low, high):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def _is_name(value):
    try:
        return isinstance(value, str) and bool(decode_name(value.encode()))
    except InvalidLineError:
        return False


def _is_address(value):
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    return host and port and not port.strip("0123456789") and 1 <= int(port) <= 65535


def _is_key(value):
    return value is None or (isinstance(value, str) and len(value) == 64 and not value.strip(_HEX_DIGITS))


def _list_of(is_valid):
    return lambda value: isinstance(value, list) and all(is_valid(item) for item in value)


def _is_network(value):
    return isinstance(value, list) and len(value) == 2 and all(isinstance(item, str) for item in value) and value[0]


def _is_yield_range(value):
    return _list_of(lambda item: _is_number(item, 0, YIELD_MAX_MILLS // 1000))(value) and len(value) == 2


def _is_recipe(value):
    return isinstance(value, dict) and all(good in _GOODS and _integer(1, 100)(value[good]) for good in value)


def _is_indicator(value):
    if not isinstance(value, dict):
        return value is None
    kind, pin, good = value.get("kind"), value.get("pin"), value.get("good", _GOODS[0])
    return _find_spec(LIGHTS, kind) is not None and _integer(0, PIN_MAX)(pin) and good in _GOODS


_NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"
_HEX_DIGITS = "0123456789abcdefABCDEF"
_GOODS = tuple([good.name for good in GOODS])
_RULES = (
    ("city", _is_name, "a name of 1 to 64 bytes without control characters, quotes, { or ["),
    ("seed", _integer(0, 0xFFFFFFFF), "a whole number from 0 to 4294967295"),
    ("locals", _integer(0, 1000), "a whole number from 0 to 1000"),
    ("merchants", _integer(0, 1000), "a whole number from 0 to 1000"),
    ("port", _integer(1, 65535), "a whole number from 1 to 65535"),
    ("key", _is_key, "64 hex digits, as deskonomy keygen makes them, or null"),
    ("speed", lambda value: value == "max" or _is_number(value, 0.1, 1000), 'ticks a second, 0.1 to 1000, or "max"'),
    (
        "checkpoint_s",
        lambda value: value == 0 or _is_number(value, 0.1, 3600),
        "seconds, 0.1 to 3600, or 0 to save nothing",
    ),
    ("connect", _list_of(_is_address), 'a list of "HOST:PORT"'),
    ("wifi", _list_of(_is_network), 'a list of ["network", "password"]'),
    ("sensors", _list_of(lambda value: isinstance(value, dict)), "a list of sensors, each in { }"),
    ("watchdog", lambda value: isinstance(value, bool), "true or false"),
    (
        "indicator",
        _is_indicator,
        '{"kind": "%s", "pin": 0 to %d, "good": the good that it follows} or null'
        % ('" or "'.join([row[KIND] for row in LIGHTS]), PIN_MAX),
    ),
    (
        "page",
        lambda value: value is None or _integer(1, 65535)(value),
        "a port, 80 for a browser's, or null for no page",
    ),
)
# The settings that a sensor of any kind takes.
_COMMON_SETTINGS = ("name", "kind", "good", "low", "high", "smoothing", "yield", "recipe")
_OPTIONAL = ("smoothing", "yield", "recipe")
_SENSOR_RULES = (
    ("low", _integer(-100_000, 10_000_000), "the raw reading of level 0"),
    ("high", _integer(-100_000, 10_000_000), "the raw reading of level 1"),
    ("smoothing", _integer(1, 1000), "how many readings share the level, 1 to 1000"),
    ("good", lambda value: value in _GOODS, "one of " + ", ".join(_GOODS)),
    ("yield", _is_yield_range, "[at level 0, at level 1], each 0 to %d" % (YIELD_MAX_MILLS // 1000)),
    (
        "recipe",
        lambda value: _list_of(_is_recipe)(value) and len(value) == 2,
        '[below half, above half], each such as {"wood": 4}',
    ),
)
