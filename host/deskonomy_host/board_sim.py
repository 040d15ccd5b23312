"""`deskonomy board sim`: a simulated board in this process, under control, what it says on stdout.

Here: how it is shown. Not here: the board itself (simulator.py).
"""

import asyncio
import json
import sys

from . import view
from .board_console import parse_status
from .control import ControlServer
from .simulator import SimulatedBoard, commands


def run(as_json=False, **board):
    """Run a SimulatedBoard with these words until Ctrl-C. Raises Failed, Wrong, KeyboardInterrupt."""
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
                _show(await said.get(), as_json)


def _show(line, as_json):
    status = parse_status(line)
    if as_json:
        print(line, file=sys.stderr if status is None else sys.stdout, flush=True)
    else:
        print(line if status is None else view.plain(status), flush=True)
