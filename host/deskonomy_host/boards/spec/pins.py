"""Pins: which pins a sensor or a light may have on a board, and which of them share a pin.

Here: both checks, each with an explanation for the user. Not here: the pins of a board (boards/NAME/board.json), the
pins that a kind needs (sensors.py), the other rules of config.json (firmware/deskonomy_board/config.py).
"""

from collections.abc import Iterable
from typing import Any

from deskonomy_host.boards.spec.catalog import Board
from deskonomy_host.boards.spec.sensors import find_spec


def explain_misplaced(part: dict[str, Any], board: Board) -> str | None:
    """Return why a sensor or an indicator, as in config.json, cannot be on this board; None if it can."""
    for setting, capability in _pins_of(part):
        pins = board.pins.get(capability)
        if pins is not None and part[setting] not in pins:
            if not pins:
                return "%s needs a pin that %s does not have" % (_describe(part), board.name)
            allowed = "one of the pins %s of %s" % (_format_spans(pins), board.name)
            return "%s goes to %s, not to %s" % (_describe(part), allowed, part[setting])
    return None


def explain_clash(config: dict[str, Any]) -> str | None:
    """Return which two parts of a config.json have the same pin and cannot share it; None if there are none."""
    uses: dict[int, tuple[dict[str, Any], tuple[str, str]]] = {}
    for part in [*config.get("sensors", []), *filter(None, [config.get("indicator")])]:
        for setting, _ in _pins_of(part):
            spec = find_spec(part)
            use = (spec.bus if spec else "", setting)
            first, first_use = uses.setdefault(part[setting], (part, use))
            if first is part and use != first_use:
                return "%s needs a pin for each wire, not %s for both" % (_describe(part), part[setting])
            if first is not part and (not use[0] or use != first_use):
                return "%s and %s are both at pin %s: give one of them another" % (
                    *(_describe(first), _describe(part)),
                    part[setting],
                )
    return None


def _pins_of(part: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    spec = find_spec(part)
    return spec.pins if spec else ()


def _describe(part: dict[str, Any]) -> str:
    return (
        "the %s sensor %s" % (part["kind"], part["name"]) if "name" in part else "the board's own light (--indicator)"
    )


def _format_spans(pins: Iterable[int]) -> str:
    """Return "0, 2, 4 to 7" for [0, 2, 4, 5, 6, 7]."""
    spans: list[list[int]] = []
    for pin in sorted(pins):
        if spans and pin == spans[-1][1] + 1:
            spans[-1][1] = pin
        else:
            spans.append([pin, pin])
    return ", ".join("%d" % low if low == high else "%d to %d" % (low, high) for low, high in spans)
