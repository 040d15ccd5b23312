"""A board's options as a user gives them: typed, or in a TOML file.

Here: the way from an option to config.json, and a UsageError that names the option where its value makes no sense. Not
here: questions for missing options (questions.py), the rules of config.json (firmware/deskonomy_board/config.py), usual
values of a sensor (defaults.py), the pins of a board (pins.py), when a board is set up (apps/board_setup.py).
"""

import json
import os
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import typer

from deskonomy_host import validation
from deskonomy_host.boards.spec import catalog, pins
from deskonomy_host.boards.spec.catalog import Board
from deskonomy_host.boards.spec.defaults import fill_defaults
from deskonomy_host.boards.spec.sensors import TEXT_SETTINGS
from deskonomy_host.errors import OperationError, UsageError

PASSWORD = "DESKONOMY_WIFI_PASSWORD"  # the name of the environment variable
OFF = "off"  # instead of the settings of a sensor, light or page: none of it
SENSOR_EXAMPLE = "soil adc pin=33 good=thread"  # typed as parse_sensor() takes it
_INDICATOR_EXAMPLE = "led pin=2 good=wood"
_CITY = {"city": "CITY"}  # what every config.json contains

Report = Callable[[str], object]


# Typed options.


def parse_sensor(text: str) -> dict[str, Any]:
    """Return the sensor that is typed as "NAME KIND SETTING=VALUE ...", or "NAME off". Raises UsageError."""
    name, _, rest = text.strip().partition(" ")
    if rest.strip() == OFF:
        return {"name": name, "kind": OFF}
    sensor = _parse_settings("--sensor", text, ("name", "kind"), SENSOR_EXAMPLE)
    catalog.check_config({**_CITY, "sensors": [fill_defaults(sensor)]}, "--sensor '%s'" % text)
    return sensor


def parse_indicator(text: str) -> dict[str, Any]:
    """Return the indicator that is typed as "KIND pin=N good=GOOD"; {} for "off". Raises UsageError."""
    if text == OFF:
        return {}
    indicator = _parse_settings("--indicator", text, ("kind",), _INDICATOR_EXAMPLE)
    for key in sorted(indicator.keys() - {"kind", "pin", "good"}):
        raise UsageError('--indicator takes pin and good, not "%s"' % key)
    catalog.check_config({**_CITY, "indicator": indicator}, "--indicator '%s'" % text)
    return indicator


def parse_page(text: str) -> int:
    """Return the port of a board's own page; 0 for "off". Raises UsageError."""
    return 0 if text == OFF else validation.parse_integer(text, "--page", 1, 65535, "80 (or off)")


def _parse_settings(option: str, text: str, first: tuple[str, ...], example: str) -> dict[str, Any]:
    """Return {setting: value} of bare values, for the settings `first`, and of SETTING=VALUE after them."""
    bare, rest = text.split()[: len(first)], text.split()[len(first) :]
    if len(bare) < len(first) or any("=" in part for part in bare) or not all("=" in part for part in rest):
        shape = " ".join([*map(str.upper, first), "SETTING=VALUE ..."])
        raise UsageError('%s takes "%s", such as "%s", not "%s"' % (option, shape, example, text))
    pairs = [part.partition("=") for part in rest]
    return {**dict(zip(first, bare, strict=True)), **{key: _parse_value(key, value) for key, _, value in pairs}}


def _parse_value(setting: str, text: str) -> Any:
    """Return a number or a list where the text is one; the rules of config.json find any other error."""
    if setting in TEXT_SETTINGS:
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
class BoardOptions:
    """The options of `deskonomy board setup`; None, or an empty list, leaves a setting as it is.

    Attributes:
        name: The city's name.
        wifi: Names of networks.
        light: The pin of a light sensor.
        sensors: Sensors as parse_sensor() returns them.
        page: The port of the board's page, 0 for no page.
        indicator: The board's own light, {} for none.
        watchdog: Whether the watchdog runs.
    """

    name: str | None = None
    wifi: list[str] = field(default_factory=list[str])
    light: int | None = None
    sensors: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    page: int | None = None
    indicator: dict[str, Any] | None = None
    watchdog: bool | None = None

    def merge_into(
        self, config: dict[str, Any], board: Board, known: dict[str, str], report: Report = print
    ) -> dict[str, Any]:
        """Return a config.json with these options in it. Asks for passwords.

        Args:
            config: The config.json so far.
            board: The board that it is for.
            known: {network: password} of the networks that the board knows already.
            report: Called with a line of text for each sensor that has to be removed.

        Raises:
            UsageError: The options, or their pins, exclude each other, or a password is missing.
        """
        merged = self.merge_parts(config, board, report)
        if self.wifi and sys.stdin.isatty():
            known = {}  # so that a user can give a network a new password
        merged["wifi"] = _resolve_networks(self.wifi or config.get("wifi", []), known)
        return merged

    def merge_parts(self, config: dict[str, Any], board: Board, report: Report) -> dict[str, Any]:
        """Return the same without the networks: every sensor and light is on a pin that it may have.

        Raises:
            UsageError: see merge_into().
        """
        merged = dict(config)
        present = [fill_defaults(sensor, board) for sensor in config.get("sensors", [])]
        merged["sensors"] = self._merge_sensors(present, board, report)
        if self.name:
            merged["city"] = self.name
        if self.page is not None:
            merged["page"] = self.page or None
        if self.indicator is not None:
            merged["indicator"] = self.indicator or None
        if self.watchdog is not None:
            merged["watchdog"] = self.watchdog
        for part in [*merged["sensors"], *filter(None, [merged.get("indicator")])]:
            check_pins(part, board)
        explanation = pins.explain_clash(merged)
        if explanation:
            raise UsageError(explanation)
        return merged

    def _merge_sensors(self, present: list[dict[str, Any]], board: Board, report: Report) -> list[dict[str, Any]]:
        """Return the present sensors without those that the given ones replace, and the given ones."""
        light = [] if self.light is None else [{**board.light, "pin": self.light}]
        given = light + [fill_defaults(sensor, board) for sensor in self.sensors if sensor["kind"] != OFF]
        _check_distinct(given)
        off = {sensor["name"] for sensor in self.sensors if sensor["kind"] == OFF}
        for name in sorted(off - {sensor["name"] for sensor in present}):
            raise UsageError("there is no sensor %s to be switched off, only: %s" % (name, _list_names(present)))
        kept: list[dict[str, Any]] = []
        for sensor in present:
            keys = set(_unique_keys(sensor))
            replacement = next((new for new in given if keys & set(_unique_keys(new))), None)
            if sensor["name"] in off:
                report("  %s is no sensor any more" % sensor["name"])
            elif replacement is None:
                kept.append(sensor)
            elif replacement["name"] != sensor["name"]:
                names = (sensor["name"], replacement["name"], sensor["good"])
                report("  %s makes way for %s: both decide the yield or recipe of %s" % names)
        return kept + given


def _unique_keys(sensor: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what only a single sensor may have: its name, and the yield or recipe that it decides."""
    return [("name", sensor["name"]), *((what, sensor["good"]) for what in ("yield", "recipe") if what in sensor)]


def _list_names(sensors: list[dict[str, Any]]) -> str:
    return ", ".join(sorted(sensor["name"] for sensor in sensors)) or "none"


def _check_distinct(sensors: list[dict[str, Any]]) -> None:
    """Raise UsageError for two sensors of the same name, or that decide the same yield or recipe."""
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    for sensor in sensors:
        for what, value in _unique_keys(sensor):
            first = seen.setdefault((what, value), sensor)
            if first is not sensor and what == "name":
                raise UsageError("two sensors are called %s: call one of them something else" % value)
            if first is not sensor:
                names = (first["name"], sensor["name"], what, value)
                raise UsageError("%s and %s both decide the %s of %s: give one of them another good" % names)


# A file.


def read_file(file: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the settings of a TOML file for config.json.

    Sensors may leave out what is usual, and networks their password.

    Raises:
        OperationError: The file cannot be read.
        UsageError: It is not TOML, or a setting makes no sense.
    """
    try:
        with open(file, "rb") as source:
            settings = tomllib.load(source)
    except OSError as error:
        raise OperationError("cannot read %s: %s" % (file, error.strerror)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("%s is not TOML: %s" % (file, error)) from None
    try:
        json.dumps(settings)
    except TypeError:
        raise UsageError("%s: no setting is a date or a time" % file) from None
    settings |= {key: None for key in ("indicator", "page") if settings.get(key) == OFF}  # TOML has no null
    checked: dict[str, Any] = {**_CITY, **settings}
    if isinstance(settings.get("sensors"), list):
        sensors: list[Any] = settings["sensors"]
        checked["sensors"] = [
            fill_defaults(cast("dict[str, Any]", sensor)) if isinstance(sensor, dict) else sensor for sensor in sensors
        ]
    if isinstance(settings.get("wifi"), list):
        networks: list[Any] = settings["wifi"]
        checked["wifi"] = [[network, ""] if isinstance(network, str) else network for network in networks]
    catalog.check_config(checked, str(file))
    _check_distinct(checked.get("sensors", []))
    return settings


def drop_unusable(config: dict[str, Any], report: Report = print) -> dict[str, Any]:
    """Return the usable settings of a board's config.json; report() gets a line for each setting that is dropped."""
    kept: dict[str, Any] = {}
    for key, value in config.items():
        try:
            catalog.check_config({**_CITY, key: value})
            kept[key] = value
        except OperationError as error:
            report("  %s; its default replaces it" % error)
    return kept


# Pins and networks.


def check_pins(part: dict[str, Any], board: Board) -> None:
    """Check that a sensor or a light is on a pin that it may have on this board. Raises UsageError."""
    explanation = pins.explain_misplaced(part, board)
    if explanation:
        raise UsageError(explanation)


def _resolve_networks(wanted: list[Any], known: dict[str, str]) -> list[list[str]]:
    """Return [[name, password]] for networks that are given by name, or with their passwords already."""
    names = [network for network in wanted if isinstance(network, str)]
    if any("\ud800" <= character <= "\udfff" for name in names for character in name):
        raise UsageError("the name of a Wi-Fi network is text in UTF-8, and one of those is not")
    if len(names) == 1 and PASSWORD in os.environ:
        known = {names[0]: os.environ[PASSWORD]}
    return [
        [network, known[network] if network in known else _ask_password(network, names)]
        if network in names
        else network
        for network in wanted
    ]


def _ask_password(network: str, names: list[str]) -> str:
    if sys.stdin.isatty():
        question = "The password of %s (empty: none)" % network
        return typer.prompt(question, hide_input=True, default="", show_default=False)
    if len(names) == 1:
        where = "the environment's %s, or is asked at a terminal" % PASSWORD
    else:
        where = """a --config file, as in wifi = [["%s", "PASSWORD"], ...], or is asked at a terminal""" % network
    raise UsageError("the password of %s belongs in %s" % (network, where))
