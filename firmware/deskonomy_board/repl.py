"""The city at the REPL: a look at it after Ctrl-C, while it stands still.

Here: the names `city` and `help` of the REPL. Not here: when a start ends there (boot_guard.py), the fields of a status
line (deskonomy/status.py, console.py). A running board does not load this module.
"""

import builtins
import json

from deskonomy.compat import TYPE_CHECKING
from deskonomy.economy import kernel as k

if TYPE_CHECKING:
    from typing import Any

    from deskonomy_board.console import StatusReport

_HELP = """\
city                   the city that ran here; it stands still until Ctrl-D starts the board again
city.status            all that its status line has: ["price"], ["yield"], ["roads"], ["sensors"] ...
city.price["wood"]     each of these also by itself; city["yield"], because yield is a word of Python
city[0], len(city)     a resident: locals first, then merchants; for resident in city: print(resident)
city.config            config.json
help(object)           MicroPython's own help"""


class RunningCity:
    """The city of the program that Ctrl-C has ended: each field of its status is an attribute, each resident an item.

    Attributes:
        status: The whole status.
        config: The settings of config.json, with defaults, without the key and the passwords.
    """

    def __init__(self, report: "StatusReport", settings: "dict[str, Any]") -> None:
        self._report = report
        self._settings = settings

    def __getattr__(self, name: str) -> "Any":
        if name == "config":
            return {key: value for key, value in self._settings.items() if key not in ("key", "wifi")}
        status = json.loads("".join(self._report.format_pieces()))
        if name == "status":
            return status
        if name not in status:
            raise AttributeError("a city has status, config, %s" % ", ".join(sorted(status)))
        return status[name]

    def __len__(self) -> int:
        state = self._report.city.state
        return state[k.LOCALS] + state[k.MERCHANTS]

    def __getitem__(self, name: "int | str") -> "Any":
        if isinstance(name, str):
            return getattr(self, name)
        if not 0 <= name < len(self):
            raise IndexError("a resident is 0 to %d" % (len(self) - 1))
        city = self._report.city
        locals_ = city.state[k.LOCALS]
        if name >= locals_:
            merchant = city.copy_merchant(name - locals_)
            money, stocks, good = merchant.money_mills, {merchant.good: merchant.owned}, merchant.good
        else:
            record = city.state[k.AT_LOCALS] + name * city.state[k.LOCAL_SIZE]
            money, good = city.state[record + k.MONEY], None
            stocks = {other: city.state[record + k.LOCAL_ROWS + n] for n, other in enumerate(city.good_names)}
        prices = {other: city.state[city.price_offset(n, name)] / 1000 for n, other in enumerate(city.good_names)}
        resident = {"money": money / 1000, "owned": stocks, "price": prices}
        if good:
            resident["merchant"] = good
        return resident

    def __iter__(self) -> "Any":
        return (self[number] for number in range(len(self)))

    def __str__(self) -> str:
        return "%s at tick %d, with %d residents" % (self.city, self.tick, len(self))

    __repr__ = __str__  # what the REPL prints


def open_repl(report: "StatusReport", settings: "dict[str, Any]") -> None:
    """Give the REPL the names `city` and `help`, and print what they are for."""

    def explain(*objects: object) -> None:
        if objects:
            builtins.help(*objects)
        else:
            print(_HELP)

    repl = __import__("__main__")
    for name, meaning in (("city", RunningCity(report, settings)), ("help", explain)):
        setattr(repl, name, meaning)
    print("%s stands still: city looks at it, help() says how, Ctrl-D starts it again" % report.city.name)
