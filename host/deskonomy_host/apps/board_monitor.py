"""`deskonomy board list`, `monitor` and `status`: what boards say, without stopping what runs on them.

Here: listening and showing. Not here: the port (board_port.py), changing a board (board_setup.py).
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from deskonomy_host.boards.serial import ports
from deskonomy_host.boards.serial.console import BoardPort
from deskonomy_host.boards.serial.lines import is_banner, parse_status
from deskonomy_host.errors import OperationError
from deskonomy_host.terminal import layout as view

_LISTEN_S = 6  # a city prints a status line each second, the first a second after its start
_BLANK = ("invalid header", "flash read err", "waiting for download")  # what a chip's own ROM says without MicroPython


def list_boards(as_json):
    """Print the ports that look like boards, and what each of them runs."""
    found = ports.found()
    with ThreadPoolExecutor(max_workers=max(1, len(found))) as pool:
        rows = list(pool.map(lambda port: {"port": port.path, "what": port.what, **_heard(port.path)}, found))
    if as_json:
        print(json.dumps(rows))
    elif not rows:
        print("No port looks like a board. Is the cable one for data? Without a board: deskonomy board sim")
    for row in [] if as_json else rows:
        print("%s  %s: %s" % (row["port"], row["what"], row["runs"]))


def _heard(path):
    """What is heard on a port: {"runs": words, "city": its name or None}. Disturbs nothing."""
    said = []
    try:
        with BoardPort(path) as board:
            board.type(b"\r\n")  # an empty line to a city; a REPL shows its prompt
            status = board.wait_for(lambda _: True, _LISTEN_S, said.append)
            at_prompt = board.at_prompt
    except (OperationError, ConnectionError) as error:
        return {"runs": str(error), "city": None}
    if status:
        where = " at %s" % status["address"] if status.get("address") else ", not on Wi-Fi"
        return {"runs": "city %s%s" % (status["city"], where), "city": status["city"]}
    text = "\n".join(said)
    if at_prompt:
        runs = "MicroPython at its prompt, no city: deskonomy board setup %s" % path
    elif any(words in text for words in _BLANK):
        runs = "a chip without MicroPython: deskonomy board setup %s says what to do" % path
    else:
        runs = "something else: %s" % said[-1] if said else "silent: no MicroPython, or something that says nothing"
    return {"runs": runs, "city": None}


def status(path, as_json):
    """Print one reading. Raises OperationError if no city says anything."""
    path = ports.pick(path)
    said = []
    with BoardPort(path) as board:
        board.type(b"\r\n")
        heard = board.wait_for(lambda _: True, _LISTEN_S, said.append)
        if heard is None:
            raise OperationError(why_silent(path, board.at_prompt, said))
    print(json.dumps(heard) if as_json else view.plain(heard))


def why_silent(path, at_prompt, said):
    """Why there is no status from this port, in words."""
    last = [line for line in said if not is_banner(line)]
    if at_prompt:
        return "no city runs on %s, its MicroPython waits at the prompt%s" % (
            path,
            "; it said: %s" % last[-1] if last else "; start it: mpremote connect %s reset" % path,
        )
    return "no city speaks on %s%s" % (path, "; it said: %s" % last[-1] if last else "")


def monitor(path, as_json):
    """Print what a board says until Ctrl-C: its log, and its status as a line; waits for a port that goes away."""
    path = ports.pick(path)
    with BoardPort(path) as board:
        board.type(b"\r\n")
        while True:
            try:
                said = board.lines()
            except ConnectionError:
                print("%s is gone; waiting for it" % path, file=sys.stderr, flush=True)
                board.again()
                print("%s is back" % path, file=sys.stderr, flush=True)
                continue
            for line in said:
                show(line, as_json, time.strftime("%H:%M:%S  "))


def show(line, as_json, before=""):
    """Print a line of a console: a status for people with what comes before it, or as it is for programs."""
    heard = parse_status(line)
    if as_json:
        print(line, file=sys.stderr if heard is None else sys.stdout, flush=True)
    else:
        print(before + (line if heard is None else view.plain(heard)), flush=True)
