"""`deskonomy board sim`: a simulated board in this process, under control, with its lines on stdout.

Here: composing the board with the control server, and printing. Not here: the board itself (boards/simulator/), the
control commands that it executes (boards/simulator/commands.py).
"""

import asyncio
import json
from typing import Any

from deskonomy_host.apps.board_monitor import print_line
from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.boards.simulator.commands import make_commands
from deskonomy_host.control.server import ControlServer


def simulate(as_json: bool = False, **settings: Any) -> None:
    """Run a simulated board until Ctrl-C.

    Args:
        as_json: Print JSON on stdout, and log lines on stderr.
        settings: As SimulatedBoard takes them.

    Raises:
        OperationError: The board cannot start, or its machine fails.
        UsageError: A setting is not valid.
    """
    asyncio.run(_simulate(as_json, settings))


async def _simulate(as_json: bool, settings: dict[str, Any]) -> None:
    lines: asyncio.Queue[str] = asyncio.Queue()
    async with SimulatedBoard(**settings) as board:
        board.on_line = lines.put_nowait

        def read_statuses() -> list[dict[str, Any]]:
            return [board.status] if board.status else []

        async with ControlServer([board.city], read_statuses, make_commands(board)):
            where = {"serial": board.serial, "address": board.address, "city": board.city}
            text = "{city} is at {address}, its serial port is {serial}".format(**where)
            print(json.dumps(where) if as_json else text, flush=True)
            while True:
                print_line(await lines.get(), as_json)
