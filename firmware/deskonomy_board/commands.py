"""The commands that are typed at a board's console.

Here: what each command does, and what is wrong with one that cannot be carried out. Not here: reading lines from the
console (console.py). The console loads this module when a command is typed.
"""

import json

from deskonomy.compat import TYPE_CHECKING
from deskonomy.economy.city import YIELD_MAX_MILLS
from deskonomy.events import COMMAND_FAILED, ROAD_FORGOTTEN, YIELD_SET
from deskonomy.text import format_decimal

if TYPE_CHECKING:
    from collections.abc import Callable

    from deskonomy.economy.city import City

    from deskonomy_board.roads import BoardRoads

    Log = Callable[[str, str], None]


def execute_line(line: bytes, city: "City", roads: "BoardRoads", log: "Log") -> None:
    """Carry out a command; the log has a line if it makes no sense.

    Args:
        line: One JSON object. {"influence": ["wood", 0.5]} sets a yield by hand, null in place of the number returns it
            to the sensors; {"connect": "HOST:PORT"} dials a peer; {"forget": "CITY"} forgets the road to a city that
            has vanished.
        city: The board's city.
        roads: Its roads.
        log: Called with an event and a line of text.

    Raises:
        MemoryError: There is no memory for it now.
    """
    commands = {
        "influence": lambda value: _influence(city, value, log),
        "connect": roads.dial,
        "forget": lambda value: _forget(roads, value, log),
    }
    try:
        _execute(json.loads(line), commands)
    except ValueError as error:
        log(COMMAND_FAILED, "not done: %s" % (error.args[0] if error.args else "that is not JSON"))


def _execute(command, commands):
    if not (isinstance(command, dict) and len(command) == 1):
        raise ValueError('a command is one of {"%s": ...}' % '": ...}, {"'.join(sorted(commands)))
    for name in command:
        if name not in commands:
            raise ValueError("no command %s, only %s" % (name, ", ".join(sorted(commands))))
        commands[name](command[name])


def _influence(city, value, log):
    if not (isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)):
        raise ValueError('influence takes ["wood", 0.5]')
    good, units = value
    if units is None:
        city.clear_override(good)
        log(YIELD_SET, "yield of %s: set by the sensors" % good)
    elif isinstance(units, (int, float)) and not isinstance(units, bool) and 0 <= units <= YIELD_MAX_MILLS // 1000:
        city.set_yield(good, round(units * 1000), True)
        log(YIELD_SET, "yield of %s: %s, by hand" % (good, format_decimal(city.yield_mills(good))))
    else:
        raise ValueError("a yield is 0 to %d, or null" % (YIELD_MAX_MILLS // 1000))


def _forget(roads, name, log):
    if roads.network is None or not isinstance(name, str):
        raise ValueError("forget takes a city's name, and the board must have been on Wi-Fi")
    count = roads.network.forget(name)
    log(ROAD_FORGOTTEN, "the road to %s is forgotten; merchants that return: %d" % (name, count))
