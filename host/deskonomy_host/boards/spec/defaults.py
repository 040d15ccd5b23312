"""Usual values of a sensor's settings, for everything that a user leaves out.

Here: usual readings and the defaults of a sensor in config.json. Not here: the rules of config.json
(firmware/deskonomy_board/config.py), how a sensor is typed (options.py).
"""

from typing import Any

from deskonomy.economy.goods import GOODS
from deskonomy_board.config import is_owners

from deskonomy_host.boards.spec.catalog import Board
from deskonomy_host.boards.spec.sensors import Quantity, find_spec

_UNKNOWN = Quantity("", None, None, 0, 1, 1, "")  # for a sensor of a kind that does not exist, which fails later


def find_quantity(sensor: dict[str, Any], board: Board | None = None) -> Quantity:
    """Return what a sensor measures, with its usual readings on this board.

    Args:
        sensor: The sensor as in config.json; it may leave out anything.
        board: The board that has it; None for an ESP32.
    """
    spec = find_spec(sensor)
    quantities = spec.quantities if spec else (_UNKNOWN,)
    quantity = next((quantity for quantity in quantities if quantity.name == sensor.get("reads")), quantities[0])
    if quantity.name == "touch" and board and board.touch:
        low, high = board.touch
        quantity = quantity._replace(low=low, high=high, difference_min=abs(high - low) // 20)
    return quantity


def fill_defaults(sensor: dict[str, Any], board: Board | None = None) -> dict[str, Any]:
    """Return a sensor with the usual value of every setting that it leaves out, except those that must be given."""
    defaults: dict[str, Any] = {"good": GOODS[0][0]}  # the name of the first good
    quantity = find_quantity(sensor, board)
    spec = find_spec(sensor)
    if spec and len(spec.quantities) > 1:
        defaults["reads"] = quantity.name
    if "yield" not in sensor and "recipe" not in sensor:
        defaults["yield"] = [0.0, 2.0]
    defaults["name"] = sensor.get("kind")
    if not is_owners(sensor.get("kind")):  # what is usual for the driver of a board's owner is not known
        defaults |= {"low": quantity.low, "high": quantity.high}
    return {**sensor, **{key: value for key, value in defaults.items() if key not in sensor}}
