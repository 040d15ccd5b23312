"""The inventory of a board: its files, its flash and its MicroPython.

Here: reading it from the board, and what the board's answers mean. Not here: which of the files belong to the firmware
(ownership.py), what should be on the board (plan.py), the boards that are known (spec/catalog.py).
"""

import json
from dataclasses import dataclass, field

from deskonomy_host import paths
from deskonomy_host.boards.serial.mpremote import run_mpremote
from deskonomy_host.errors import OperationError

# Bits 10 to 13 of sys.implementation._mpy: the architecture of native code, by the names of mpy-cross; 0 is none.
_ARCHITECTURES = (
    (None, "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp")
    + ("xtensa", "xtensawin", "rv32imc", "rv64imc")
)  # fmt: skip
# Its lower 10 bits: the version of .mpy files and the sub-version of native code in them, 6.3 since MicroPython 1.23.
_MPY_VERSION = 3 << 8 | 6


@dataclass(frozen=True)
class Inventory:
    """What a board holds.

    Attributes:
        architecture: Of its native code, by the names of mpy-cross; None if it runs bytecode only.
        files: {path: hex SHA-256}.
        sizes: {path: bytes}.
        folders: Paths.
        block_bytes: The size of a block of its flash.
        free_blocks: How many blocks are free.
        build: The name of its MicroPython's build, such as "ESP32_GENERIC"; "" before MicroPython 1.25.
        machine: Its MicroPython's description of the board, such as "Generic ESP32 module with ESP32".
        platform: sys.platform, such as "esp32".
        version: Of its MicroPython, such as "1.29.0".
        frozen_package: The package of the firmware in its image: "deskonomy_board", or "board" for release 0.1.0; ""
            if the image has no firmware.
    """

    architecture: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    block_bytes: int = 4096
    free_blocks: int = 10**6
    build: str = ""
    machine: str = ""
    platform: str = ""
    version: str = ""
    frozen_package: str = ""


def decode_architecture(mpy: int) -> str | None:
    """Return the architecture, as mpy-cross names it, that sys.implementation._mpy describes; None for bytecode only.

    Raises:
        OperationError: Files of mpy-cross do not run on this MicroPython, or mpy-cross does not know the architecture.
    """
    if mpy & 0x3FF != _MPY_VERSION:
        raise OperationError(
            "the board's MicroPython is older than 1.23, or newer than this program knows: put another one on it"
        )
    number = mpy >> 10 & 15
    if number >= len(_ARCHITECTURES):
        raise OperationError("mpy-cross does not know the chip of the board (architecture %d)" % number)
    return _ARCHITECTURES[number]


async def read_inventory(port: str) -> Inventory:
    """Return the inventory of the board on this port. The program that runs there is stopped. Raises OperationError."""
    output = await run_mpremote(port, "run", str(paths.DEVICE_PROGRAMS / "inventory.py"))
    answer = json.loads(output.splitlines()[-1])
    return Inventory(
        architecture=decode_architecture(answer["mpy"]),
        files={path: digest for path, (digest, _) in answer["files"].items()},
        sizes={path: size for path, (_, size) in answer["files"].items()},
        folders=answer["folders"],
        block_bytes=answer["block_bytes"],
        free_blocks=answer["free_blocks"],
        build=answer["build"],
        machine=answer["machine"],
        platform=answer["platform"],
        version=".".join(str(part) for part in answer["version"]),
        frozen_package=answer["frozen_package"],
    )
