"""`deskonomy board sim`: a simulated board in this process, under control, with its lines on stdout.

Here: composing the board with the control server, and printing. Not here: the board itself (boards/simulator/), the
control commands that it executes (boards/simulator/commands.py).
"""

import asyncio
import contextlib
import json
from typing import Any

from deskonomy_host.apps.board_monitor import LinePrinter
from deskonomy_host.boards.serial.lines import is_repl_line, parse_status
from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.boards.simulator.commands import make_commands
from deskonomy_host.control.server import ControlServer
from deskonomy_host.errors import OperationError


def simulate(as_json: bool = False, **settings: Any) -> None:
    """Run a simulated board until Ctrl-C.

    Args:
        as_json: Print JSON on stdout, and log lines on stderr.
        settings: As SimulatedBoard takes them.

    Raises:
        OperationError: The board cannot start, or its machine fails.
        UsageError: A setting is not valid.
    """
    with LinePrinter(as_json) as printer:
        asyncio.run(_simulate(as_json, settings, printer))


async def _simulate(as_json: bool, settings: dict[str, Any], printer: LinePrinter) -> None:
    lines: asyncio.Queue[str] = asyncio.Queue()

    def keep_line(line: str) -> None:
        if not is_repl_line(line) and parse_status(line) is None:
            lines.put_nowait(line)

    async with contextlib.AsyncExitStack() as stack:
        try:
            board = await stack.enter_async_context(SimulatedBoard(**settings, on_line=keep_line))
        except OperationError:
            while not lines.empty():
                printer.print_note(lines.get_nowait())
            raise
        board.on_line = lines.put_nowait

        def read_statuses() -> list[dict[str, Any]]:
            return [board.status] if board.status else []

        await stack.enter_async_context(ControlServer([board.city], read_statuses, make_commands(board)))
        where = {"serial": board.serial, "address": board.address, "city": board.city}
        text = "{city} is at {address}, its serial port is {serial}".format(**where)
        printer.print_first(json.dumps(where) if as_json else text)
        while True:  # first the log lines from before it was up
            printer.print_line(await lines.get())
