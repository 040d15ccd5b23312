"""The control commands that a simulated board executes.

Here: what `deskonomy influence`, `connect`, `forget` and `board sense` do with a simulated board. Not here: the
definitions of the commands (control/commands.py), the board (board.py).
"""

from typing import Any

from deskonomy.economy.city import YIELD_MAX_MILLS

from deskonomy_host.addresses import parse_address
from deskonomy_host.boards.serial.lines import count_returning
from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.control.commands import Implementations, bind
from deskonomy_host.errors import OperationError, UsageError

_FORGET_S = 10  # a board's status shows it after a second


class BoardCommands:
    """The commands of one simulated board."""

    def __init__(self, board: SimulatedBoard) -> None:
        self._board = board

    async def influence(self, city: str, good: str, yield_mills: int | None) -> dict[str, Any]:
        """Set the yield of a good by hand, in mills of a unit; None gives it back to the sensors."""
        self._check_city(city)
        before = self._board.status or {"yield": {}}
        if good not in before["yield"]:
            raise UsageError("%s makes no %s, only %s" % (city, good, ", ".join(before["yield"])))
        if yield_mills is None:
            self._board.send_command({"influence": [good, None]})
            status = await self._board.wait_for(lambda status: status is not before)
        elif type(yield_mills) is int and 0 <= yield_mills <= YIELD_MAX_MILLS:
            self._board.send_command({"influence": [good, yield_mills / 1000]})
            status = await self._board.wait_for(lambda status: round(status["yield"][good] * 1000) == yield_mills)
        else:
            raise UsageError(
                "yield_mills takes a whole number up to %d or null, not %r" % (YIELD_MAX_MILLS, yield_mills)
            )
        return {"city": city, "good": good, "yield_mills": round(status["yield"][good] * 1000)}

    def connect(self, city: str, address: str) -> dict[str, Any]:
        """Dial HOST:PORT now, and again whenever the connection is lost."""
        self._check_city(city)
        self._board.send_command({"connect": str(parse_address(address, "address"))})
        return {"city": city, "address": address}

    async def forget(self, city: str, other: str) -> dict[str, Any]:
        """Forget the road to a city that has vanished; reply how many merchants return."""
        self._check_city(city)
        status = await self._board.wait_for(lambda _: True)
        returned = count_returning(status, other)
        self._board.send_command({"forget": other})
        await self._board.wait_for(lambda status: other not in status["roads"], _FORGET_S)
        return {"city": city, "other": other, "returned": returned}

    def sense(self, name: str, value: float) -> dict[str, Any]:
        """Set what a sensor reads, from 0 to 1 of its range."""
        self._board.sense(name, value)
        return {"name": name, "value": value}

    def serial(self) -> dict[str, Any]:
        """Return the path of the board's serial port."""
        return {"serial": self._board.serial}

    def _check_city(self, city: str) -> None:
        if city != self._board.city:
            raise OperationError("no city %s is running here, only %s" % (city, self._board.city))


def make_commands(board: SimulatedBoard) -> Implementations:
    """Return the implementations of a board's commands, {name: function}."""
    return bind(BoardCommands(board), ("influence", "connect", "forget", "sense", "serial"))
