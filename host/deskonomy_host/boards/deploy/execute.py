"""Carrying out a deploy plan with mpremote; erasing and resetting a board.

Here: what is sent to a board, and in which order. Not here: what should be changed (plan.py), config.json
(config_file.py), a run of mpremote (serial/mpremote.py).
"""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

from deskonomy_host import paths
from deskonomy_host.boards.deploy.config_file import WRITE_CONFIG
from deskonomy_host.boards.deploy.inventory import Inventory
from deskonomy_host.boards.deploy.ownership import owned_paths
from deskonomy_host.boards.deploy.plan import DeployPlan
from deskonomy_host.boards.serial.mpremote import run_mpremote

_RESET_S = 0.3  # mpremote leaves 0.1 s before the reset; a connection made earlier is cut off by it, and hangs

Progress = Callable[[int, int, str], None]


def ignore_progress(bytes_sent: int, bytes_total: int, path: str) -> None:
    """Report no progress."""


async def execute(port: str, plan: DeployPlan, on_progress: Progress = ignore_progress) -> None:
    """Change the board on this port as planned. The program that runs there is stopped.

    Args:
        port: Path of the serial port.
        plan: What to change.
        on_progress: Called as on_progress(bytes sent, bytes to send, path) before each file, and with path "" at the
            end.

    Raises:
        OperationError: The board did not take it all. What ran before still runs after a reset.
    """
    files = dict(plan.send)
    if plan.main is not None:
        files["main.new"] = plan.main
    sent = 0

    def read_progress(line: str) -> None:
        nonlocal sent
        if line.startswith("cp "):
            path = line.rpartition(":")[2]
            on_progress(sent, plan.bytes_to_send, path)
            sent += len(plan.send.get(path, b""))

    with tempfile.TemporaryDirectory() as folder:
        arguments = ["resume", "exec", f"WORK = {_make_work(plan)!r}", *_run_program("stage.py"), "+"]
        for path, data in files.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            arguments += ["fs", "cp", "-f", str(file), ":" + path, "+"]
        arguments += [*_run_program("switch.py"), "+"]
        if plan.superseded:
            arguments += ["exec", f"WORK = {dict(remove=plan.superseded)!r}", *_run_program("erase.py"), "+"]
        if plan.config is not None:
            arguments += [*WRITE_CONFIG, "+"]
        await run_mpremote(port, *arguments[:-1], stdin=plan.config or b"", on_line=read_progress)
    on_progress(plan.bytes_to_send, plan.bytes_to_send, "")


async def erase(port: str, inventory: Inventory) -> list[str]:
    """Remove the firmware, its settings and its city from the board on this port, and reset the board.

    Returns:
        The paths that were removed.

    Raises:
        OperationError: The board did not do it.
    """
    removed = owned_paths(inventory)
    await run_mpremote(port, "resume", "exec", f"WORK = {dict(remove=removed)!r}", *_run_program("erase.py"))
    await reset(port)
    return removed


async def reset(port: str) -> None:
    """Reset the board on this port, so that it starts with the files that it holds now. Raises OperationError."""
    await run_mpremote(port, "resume", *_run_program("clear_starts.py"), "+", "reset")
    await asyncio.sleep(_RESET_S)


def _make_work(plan: DeployPlan) -> dict[str, object]:
    """Return what stage.py and switch.py read from the global WORK."""
    return {
        "remove": plan.remove,
        "folders": plan.folders,
        "copy": plan.copy,
        "slot": plan.slot,
        "digest": plan.digest,
        "renamed_main": plan.renamed_main,
    }


def _run_program(name: str) -> list[str]:
    """Return mpremote's arguments that run a program of device/ on the board."""
    return ["run", str(paths.DEVICE_PROGRAMS / name)]
