"""The schema of a status: its types, and checks of a status that comes from another machine.

Here: the types that every part of the host uses, and JSON values in, statuses out; unknown fields are removed. Not
here: how a status is made (deskonomy/status.py, statistics.py), how it is fetched (dashboard/remote.py).
"""

# pyright: strict
import math
from collections.abc import Callable
from typing import NotRequired, TypedDict, cast

from deskonomy.text import is_printable

CITIES_MAX = 200  # in one answer: four times the fifty cities that the page is tested with
NAMES_MAX = 500  # goods, sensors or roads of one city, which remembers 256 roads over the wire
TEXT_MAX = 200  # characters; a name has 64 bytes at most, an error of a sensor is one sentence
LIST_MAX = 100  # items of a list in a city's detail, as many as statistics.py makes
_NUMBER_MAX = 2**53  # beyond that, JavaScript cannot tell whole numbers apart


class PriceRange(TypedDict):
    """What the locals of a city expect one good to cost, in coins."""

    min: float
    mean: float
    max: float


class Money(TypedDict):
    """All money of a city in coins. `total` is the sum of the others; 0.1.0 has no `waiting_to_enter`."""

    locals: float
    merchants: float
    ledger: float
    waiting_to_enter: NotRequired[float]  # of merchants that are in no other city
    total: float


class SensorStatus(TypedDict):
    """A sensor's reading, or the error of the last attempt; neither before the first attempt.

    Attributes:
        raw: The reading in the sensor's own unit.
        level: The reading as a share of the sensor's range, 0 to 1.
        error: Why there is no reading.
        good: The good whose yield follows the sensor.
    """

    raw: NotRequired[float]
    level: NotRequired[float]
    error: NotRequired[str]
    good: NotRequired[str]


# Not a class, because `kind` is a name of status lines only; code calls it the type of a road.
RoadStatus = TypedDict(  # noqa: UP013
    "RoadStatus",
    {
        "state": str,  # "up" or "down"
        "kind": str,  # "in-process", "ours" or "legacy"
        "sent": int,  # merchants, counted since the road was first opened
        "received": int,
        "waiting": int,  # merchants that have not left yet
        "waiting_to_enter": NotRequired[int],  # merchants that have come, or return, and have not entered yet
        "lost": int,
        "refused": NotRequired[int],  # merchants and lines that were rejected
        "peer_version": NotRequired[str],  # of the software at the other end of a connection, where a host knows it
    },
)


class Version(TypedDict):
    """The versions of a city: of the software, such as "0.2.0", and of the wire protocol."""

    software: str
    wire: int


class Heap(TypedDict):
    """The memory of a board's interpreter, in bytes."""

    used: int
    free: int


class Detail(TypedDict):
    """Statistics of a city that its status line leaves out; see statistics.py.

    Attributes:
        wealth: Amounts in coins, from the poorest local to the richest, in equal shares of the locals.
        gini: The Gini coefficient of the locals' money, 0 to 1.
        leisure: [money in coins, consecutive acts of rest] of some locals.
        under_way: Money in coins of the merchants at this end of the city's roads that are not in its ledger.
        travelled: {other city: {good: merchants that left for it}}.
        arrived: {other city: {good: merchants that came from it}}.
    """

    wealth: list[float]
    gini: float
    leisure: list[list[float]]
    under_way: float
    travelled: NotRequired[dict[str, dict[str, int]]]
    arrived: NotRequired[dict[str, dict[str, int]]]


# A class body cannot have a field of this name: `yield` is a keyword of Python.
_Yields = TypedDict("_Yields", {"yield": dict[str, float]})  # {good: units that one act of making it gives}


class Status(_Yields):
    """The status of a city: the fields of its status line, and `detail` where statistics are known.

    Attributes:
        tick: Ticks since the city was founded.
        price: {good: expected prices in coins}.
        merchants: {good: merchants that trade it}.
        locals: The number of locals.
        roads: {other city: the road to it}.
        owned: {good: mean stock of a local, in units}.
        made: {good: units made since the city was founded; the counter wraps at 2**30}.
        version: Of the software that runs the city, and of the wire; 0.1.0 states none.
        digest: The first 16 hex digits of the SHA-256 of the city's state array.
        ticks_per_s: The pace of the last second or so.
        address: HOST:PORT at which the city listens.
        gap_ms: The longest time between two ticks of the last second or so.
        heap: A board's memory.
        rssi: A board's Wi-Fi signal in dBm.
        uptime_s: Seconds since a board's reset.
        reset: The cause of a board's last reset.
    """

    city: str
    tick: int
    price: dict[str, PriceRange]
    merchants: dict[str, int]
    locals: int
    money: Money
    roads: dict[str, RoadStatus]
    seed: NotRequired[int]
    version: NotRequired[Version]
    digest: NotRequired[str]
    owned: NotRequired[dict[str, float]]
    made: NotRequired[dict[str, int]]
    sensors: NotRequired[dict[str, SensorStatus]]
    ticks_per_s: NotRequired[float]
    address: NotRequired[str]
    gap_ms: NotRequired[int]
    heap: NotRequired[Heap]
    rssi: NotRequired[float]
    uptime_s: NotRequired[int]
    reset: NotRequired[str]
    detail: NotRequired[Detail]


def check_statuses(answer: object) -> list[Status]:
    """Return the statuses in an answer of /api/state.

    Args:
        answer: {"cities": [status, ...]} as a host answers, or one status as a board does.

    Raises:
        ValueError: The answer holds anything else; the message names the first field that is missing or invalid.
    """
    if not isinstance(answer, dict):
        raise ValueError("it is not a JSON object")
    cities = cast("dict[object, object]", answer).get("cities", cast("list[object]", [answer]))
    if not isinstance(cities, list) or len(cast("list[object]", cities)) > CITIES_MAX:
        raise ValueError(f'"cities" is not a list of at most {CITIES_MAX} statuses')
    return [check_status(city) for city in cast("list[object]", cities)]


def check_status(value: object) -> Status:
    """Return a status with its known fields only; see check_statuses() for what it raises."""
    if not isinstance(value, dict):
        raise ValueError("a status is not a JSON object")
    given = cast("dict[object, object]", value)
    found: dict[str, object] = {}
    for name, (check, is_required) in _FIELDS.items():
        if given.get(name) is not None:
            try:
                found[name] = check(given[name])
            except ValueError:
                raise ValueError(f"the field {name} is invalid") from None
        elif is_required:
            raise ValueError(f"the field {name} is missing")
    status = cast("Status", found)
    if set(status["yield"]) != set(status["price"]):
        raise ValueError("price and yield name different goods")
    return status


_Check = Callable[[object], object]  # returns the value without unknown fields, or raises ValueError


def _check_number(value: object) -> float:
    # A bool is an int, and no number here.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError
    if not math.isfinite(value) or abs(value) > _NUMBER_MAX:
        raise ValueError
    return value


def _check_count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _NUMBER_MAX:
        raise ValueError
    return value


def _check_text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_MAX:
        raise ValueError
    if not is_printable(value.encode()):  # the rule for names on the wire; surrogates raise a ValueError
        raise ValueError
    return value


def _table_of(check: _Check) -> _Check:
    def check_table(value: object) -> object:
        if not isinstance(value, dict) or len(cast("dict[object, object]", value)) > NAMES_MAX:
            raise ValueError
        items = cast("dict[object, object]", value).items()
        return {_check_text(name): check(item) for name, item in items}

    return check_table


def _list_of(check: _Check) -> _Check:
    def check_list(value: object) -> object:
        if not isinstance(value, list) or len(cast("list[object]", value)) > LIST_MAX:
            raise ValueError
        return [check(item) for item in cast("list[object]", value)]

    return check_list


def _record_of(fields: dict[str, _Check], optional: dict[str, _Check] | None = None) -> _Check:
    checks = fields | (optional or {})

    def check_record(value: object) -> object:
        if not isinstance(value, dict):
            raise ValueError
        record = cast("dict[object, object]", value)
        if not fields.keys() <= record.keys():
            raise ValueError
        return {name: check(record[name]) for name, check in checks.items() if name in record}

    return check_record


_check_reading = _record_of({"raw": _check_number, "level": _check_number})


def _check_sensor(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError
    sensor = cast("dict[object, object]", value)
    if "error" in sensor:
        return {"error": _check_text(sensor["error"])}
    return _check_reading(sensor) if "level" in sensor else {}


_MONEY: dict[str, _Check] = dict.fromkeys(("locals", "merchants", "ledger", "total"), _check_number)
_ROAD: dict[str, _Check] = {
    "state": _check_text,
    "kind": _check_text,
    **dict.fromkeys(("sent", "received", "waiting", "lost"), _check_count),
}
_check_known_road = _record_of(_ROAD, {"waiting_to_enter": _check_count})


def _check_road(value: object) -> object:
    road = _check_known_road(value)
    given, found = cast("dict[object, object]", value), cast("dict[str, object]", road)
    if given.get("peer_version") is not None:
        found["peer_version"] = _check_text(given["peer_version"])
    return found


_FIELDS: dict[str, tuple[_Check, bool]] = {  # {field: (its check, whether every status has it)}
    "city": (_check_text, True),
    "tick": (_check_count, True),
    "price": (_table_of(_record_of(dict.fromkeys(("min", "mean", "max"), _check_number))), True),
    "yield": (_table_of(_check_number), True),
    "merchants": (_table_of(_check_count), True),
    "locals": (_check_count, True),
    "money": (_record_of(_MONEY, {"waiting_to_enter": _check_number}), True),
    "roads": (_table_of(_check_road), True),
    "seed": (_check_count, False),
    "version": (_record_of({"software": _check_text, "wire": _check_count}), False),
    "digest": (_check_text, False),
    "owned": (_table_of(_check_number), False),
    "made": (_table_of(_check_count), False),
    "sensors": (_table_of(_check_sensor), False),
    "ticks_per_s": (_check_number, False),
    "address": (_check_text, False),
    "gap_ms": (_check_count, False),
    "heap": (_record_of({"used": _check_count, "free": _check_count}), False),
    "rssi": (_check_number, False),
    "uptime_s": (_check_count, False),
    "reset": (_check_text, False),
    "detail": (
        _record_of(
            {
                "wealth": _list_of(_check_number),
                "gini": _check_number,
                "leisure": _list_of(_list_of(_check_number)),
                "under_way": _check_number,
                "travelled": _table_of(_table_of(_check_count)),
                "arrived": _table_of(_table_of(_check_count)),
            }
        ),
        False,
    ),
}
