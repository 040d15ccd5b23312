"""What is on a board, as a deploy has to know it.

Here: asking the board, and what its answers mean. Not here: what should be on it (deploy.py), the kinds of boards
(boards.py).
"""

import json
from dataclasses import dataclass, field

from deskonomy_host import paths
from deskonomy_host.boards.serial.mpremote import mpremote
from deskonomy_host.errors import OperationError

# Bits 10 to 13 of sys.implementation._mpy: whose machine code a board runs, as mpy-cross calls it; 0 is none.
_ARCHITECTURES = (
    (None, "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp")
    + ("xtensa", "xtensawin", "rv32imc", "rv64imc")
)  # fmt: skip
# Its lower bits, the version of .mpy files and the sub-version of the machine code in them: 6.3 since MicroPython 1.23.
_MPY_VERSION = 3 << 8 | 6


@dataclass(frozen=True)
class Survey:
    """What a board holds.

    architecture: as mpy-cross calls it, None for none. files: {path: hex SHA-256}. sizes: {path: bytes}. folders:
    paths. block, free: the flash's block in bytes, how many are free. build, machine, platform: what its MicroPython
    says of itself. frozen: whether the firmware is part of that.
    """

    architecture: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    block: int = 4096
    free: int = 10**6
    build: str = ""
    machine: str = ""
    platform: str = ""
    version: str = ""
    frozen: bool = False


def architecture(mpy):
    """Whose machine code a MicroPython runs whose sys.implementation._mpy is this; None for none. Raises
    OperationError."""
    if mpy & 0x3FF != _MPY_VERSION:
        raise OperationError("the board's MicroPython is not 1.23 or later, or too new for this: put another one on it")
    native = mpy >> 10 & 15
    if native >= len(_ARCHITECTURES):
        raise OperationError("the board's chip (architecture %d) is not one that mpy-cross knows" % native)
    return _ARCHITECTURES[native]


async def survey(port):
    """The Survey of the board on this port; stops what runs on it. Raises OperationError."""
    said = json.loads((await mpremote(port, "run", str(paths.DEVICE_PROGRAMS / "inventory.py"))).splitlines()[-1])
    return Survey(
        architecture=architecture(said["mpy"]),
        files={path: digest for path, (digest, _) in said["files"].items()},
        sizes={path: size for path, (_, size) in said["files"].items()},
        folders=said["folders"],
        block=said["block"],
        free=said["free"],
        build=said["build"],
        machine=said["machine"],
        platform=said["platform"],
        version=".".join(str(part) for part in said["version"]),
        frozen=said["frozen"],
    )
