"""`deskonomy board sim`: a simulated board in this process, under control, what it says on stdout.

Here: how it is shown. Not here: the board itself (simulator.py).
"""

import asyncio
import json

from deskonomy_host.apps.board_monitor import show
from deskonomy_host.boards.simulator.board import SimulatedBoard, commands
from deskonomy_host.control.server import ControlServer


def run(as_json=False, **board):
    """Run a SimulatedBoard with these words until Ctrl-C. Raises OperationError, UsageError, KeyboardInterrupt."""
    asyncio.run(_run(as_json, board))


async def _run(as_json, words):
    said = asyncio.Queue()
    async with SimulatedBoard(**words) as board:
        board.on_line = said.put_nowait
        async with ControlServer([board.city], lambda: [board.status], commands(board)):
            where = {"serial": board.serial, "address": board.address, "city": board.city}
            text = "{city} is at {address}, its serial port is {serial}".format(**where)
            print(json.dumps(where) if as_json else text, flush=True)
            while True:
                show(await said.get(), as_json)
