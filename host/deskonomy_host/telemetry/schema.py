"""Whether what somebody elsewhere calls a status is one: shapes, types and sizes, so that nothing behind it stumbles.

Here: JSON values in, statuses out, with what is not known left away. Not here: fetching them (watch.py).
"""

import math

CITIES_MAX = 200
NAMES_MAX = 100  # of goods, sensors or roads in a city
TEXT_MAX = 200
LIST_MAX = 100  # of a city's detail
_WHOLE_MAX = 2**53


def statuses(answer):
    """The statuses in an answer of /api/state: {"cities": [...]}, or one status, as a board says it. ValueError."""
    if not isinstance(answer, dict):
        raise ValueError("that is no status")
    cities = answer.get("cities", [answer])
    if not isinstance(cities, list) or len(cities) > CITIES_MAX:
        raise ValueError(f"cities is no list of at most {CITIES_MAX}")
    return [status(city) for city in cities]


def status(value):
    """The same status with its known fields only. Raises ValueError with the field that is wrong."""
    if not isinstance(value, dict):
        raise ValueError("a status is no object")
    found = {}
    for name, (check, needed) in _FIELDS.items():
        if value.get(name) is not None:
            try:
                found[name] = check(value[name])
            except (TypeError, KeyError, AttributeError):
                raise ValueError(f"its {name} is none") from None
            except ValueError:
                raise ValueError(f"its {name} makes no sense") from None
        elif needed:
            raise ValueError(f"it has no {name}")
    if set(found["yield"]) != set(found["price"]):
        raise ValueError("it has prices of other goods than yields")
    return found


def _number(value):
    if type(value) not in (int, float) or not math.isfinite(value) or abs(value) > _WHOLE_MAX:
        raise ValueError
    return value


def _whole(value):
    if type(value) is not int or not 0 <= value <= _WHOLE_MAX:
        raise ValueError
    return value


def _text(value):
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_MAX or not value.isprintable():
        raise ValueError
    return value


def _table(of):
    def check(value):
        if len(value) > NAMES_MAX:
            raise ValueError
        return {_text(name): of(item) for name, item in value.items()}

    return check


def _list(of):
    def check(value):
        if not isinstance(value, list) or len(value) > LIST_MAX:
            raise ValueError
        return [of(item) for item in value]

    return check


def _record(**fields):
    def check(value):
        return {name: of(value[name]) for name, of in fields.items()}

    return check


def _sensor(value):
    """A reading, or why there is none; neither before the first one."""
    if "error" in value:
        return {"error": _text(value["error"])}
    return _record(raw=_number, level=_number)(value) if "level" in value else {}


_FIELDS = {  # what it is, and whether a page can do without it
    "city": (_text, True),
    "tick": (_whole, True),
    "price": (_table(_record(min=_number, mean=_number, max=_number)), True),
    "yield": (_table(_number), True),
    "merchants": (_table(_whole), True),
    "locals": (_whole, True),
    "money": (_record(locals=_number, merchants=_number, ledger=_number, total=_number), True),
    "roads": (
        _table(_record(state=_text, kind=_text, sent=_whole, received=_whole, waiting=_whole, lost=_whole)),
        True,
    ),
    "seed": (_whole, False),
    "digest": (_text, False),
    "owned": (_table(_number), False),
    "made": (_table(_whole), False),
    "sensors": (_table(_sensor), False),
    "ticks_per_s": (_number, False),
    "address": (_text, False),
    "heap": (_record(used=_whole, free=_whole), False),
    "rssi": (_number, False),
    "uptime_s": (_whole, False),
    "reset": (_text, False),
    "detail": (
        _record(
            wealth=_list(_number),
            gini=_number,
            leisure=_list(_list(_number)),
            under_way=_number,
            travelled=_table(_table(_whole)),
            arrived=_table(_table(_whole)),
        ),
        False,
    ),
}
