"""Questions at the terminal for the options of a board that the user does not give.

Here: which options are asked for, and the check of each answer. Not here: the options themselves, and the passwords of
networks (options.py).
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import typer
from deskonomy_board.sensors.specs import PIN_MAX

from deskonomy_host import validation
from deskonomy_host.boards.spec.catalog import Board
from deskonomy_host.boards.spec.options import SENSOR_EXAMPLE, BoardOptions, check_pins, parse_sensor
from deskonomy_host.errors import UsageError

Answer = TypeVar("Answer")


def ask_missing(options: BoardOptions, config: dict[str, Any], board: Board) -> BoardOptions:
    """Ask the user for the options that are not given, and return all of them."""
    name = options.name or _ask_until_valid("The city's name", _check_name, default=config["city"])
    known = [network for network, _ in config.get("wifi", [])]
    wifi = options.wifi
    if not wifi:
        empty = "" if known else " (empty: none)"
        answer = typer.prompt("The Wi-Fi's name" + empty, default=known[0] if known else "")
        wifi = [] if answer in ("", *known[:1]) else [answer]  # the networks that the board knows stay
    light, sensors = options.light, options.sensors
    if light is None and not sensors:
        if not any(sensor["kind"] == "adc" for sensor in config.get("sensors", [])):
            analog = ", ".join(map(str, board.pins["adc"]))
            question = "A light sensor's pin (%s; empty: none)" % analog
            light = _ask_until_valid(question, lambda answer: _parse_light(answer, board))
        sensors = _ask_sensors(replace(options, light=light), config, board)
    return replace(options, name=name, wifi=wifi, light=light, sensors=sensors)


def _ask_sensors(options: BoardOptions, config: dict[str, Any], board: Board) -> list[dict[str, Any]]:
    sensors: list[dict[str, Any]] = []

    def parse_answer(answer: str) -> dict[str, Any] | None:
        if not answer:
            return None
        sensor = parse_sensor(answer)
        replace(options, sensors=[*sensors, sensor]).merge_parts(config, board, lambda line: None)
        return sensor

    while sensor := _ask_until_valid("Another sensor, such as %s (empty: none)" % SENSOR_EXAMPLE, parse_answer):
        sensors.append(sensor)
    return sensors


def _ask_until_valid(question: str, parse: Callable[[str], Answer], default: str = "") -> Answer:
    """Return parse(answer); ask again while it raises UsageError."""
    while True:
        try:
            return parse(typer.prompt(question, default=default, show_default=bool(default)))
        except UsageError as error:
            print("  %s" % error, file=sys.stderr)


def _check_name(answer: str) -> str:
    return validation.check_name(answer, "a city's name")


def _parse_light(answer: str, board: Board) -> int | None:
    if not answer:
        return None
    pin = validation.parse_integer(answer, "a pin", 0, PIN_MAX, board.light["pin"])
    check_pins({**board.light, "pin": pin}, board)
    return pin
