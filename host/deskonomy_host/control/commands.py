"""The commands of running cities: their names, their arguments and what each does, defined once.

Here: the definitions, and executing a command by its name. Not here: the implementations: for the cities of a process
(runtime/cities.py), for those of worker processes (runtime/workers.py), for time and roads of a run
(runtime/controller.py), for a simulated board (boards/simulator/commands.py), for a history (apps/playback.py); how a
command travels between processes (control/server.py, control/client.py).

An implementation is a function, or a coroutine function, that takes the command's arguments by keyword and returns
what the control server sends as JSON. It raises UsageError or ValueError for an argument that is not valid, and
OperationError if the command cannot be executed now.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, cast

from deskonomy_host.aio import await_result

Implementation = Callable[..., Any]
Implementations = Mapping[str, Implementation]


class Command(NamedTuple):
    """The definition of a command.

    Attributes:
        name: the name, as in POST /api/NAME.
        description: one sentence on what it does.
        required: names of the arguments that must be given.
        optional: names of the arguments that may be given.
    """

    name: str
    description: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of all arguments, the required ones first."""
        return self.required + self.optional

    def accepts(self, arguments: object) -> bool:
        """Return whether these are the arguments of a call: an object with every required one and no unknown one."""
        if not isinstance(arguments, dict):
            return False
        names = set(cast("dict[str, object]", arguments))
        return set(self.required) <= names <= set(self.arguments)


DEFINITIONS = (
    # For one city.
    Command(
        "influence",
        "Set the yield of a good by hand, in mills of a unit per act; null gives it back to the sensors.",
        ("city", "good", "yield_mills"),
    ),
    Command("connect", "Dial HOST:PORT now, and again whenever the connection is lost.", ("city", "address")),
    Command(
        "open",
        "Open the road to another city: a road inside the run, or else by dialling HOST:PORT.",
        ("city", "other"),
        ("address",),
    ),
    Command(
        "close",
        "Close the road to another city until it is opened again; merchants that wait for it return.",
        ("city", "other"),
    ),
    Command("forget", "Forget the road to a city that has vanished; its merchants return.", ("city", "other")),
    Command(
        "school",
        "Send trained merchants of the Merchant School into a city by a road of their own.",
        ("city", "count", "good"),
    ),
    # For a simulated board.
    Command("sense", "Set what a sensor reads, from 0 to 1 of its range.", ("name", "value")),
    Command("serial", "Return the path of the board's serial port."),
    # For time.
    Command("pause", "Stop time, or let it go on.", ("paused",)),
    Command("step", "Run a number of ticks now.", ("ticks",)),
    Command("speed", "Set ticks per second; null for as fast as the machine allows.", ("ticks_per_s",)),
    Command("seek", "Go to a time of a history, in seconds since 1970.", ("time_s",)),
)
COMMANDS = {command.name: command for command in DEFINITIONS}
CITY_COMMANDS = ("influence", "connect", "open", "close", "forget")  # of the process, or the worker, that runs the city


def describe_forgotten(city: str, other: str, returned: int) -> str:
    """Return one line on a road that is forgotten, and on how many of its merchants return."""
    merchants = "1 merchant returns" if returned == 1 else f"{returned} merchants return"
    return f"{city} has forgotten the road to {other}; {merchants}"


def bind(owner: object, names: Iterable[str]) -> dict[str, Implementation]:
    """Return an object's methods of these names as implementations."""
    return {name: getattr(owner, name) for name in names}


async def execute(implementations: Implementations, name: str, arguments: Mapping[str, Any]) -> Any:
    """Execute a command of these implementations; return its result. Raises what the implementation raises."""
    return await await_result(implementations[name](**arguments))
