"""The config.json of a board: reading and writing it with mpremote.

Here: the file as a whole. Not here: the rules of its contents (deskonomy_board/config.py), where they come from
(spec/options.py).
"""

import json

from deskonomy_host import paths
from deskonomy_host.boards.deploy.inventory import Inventory
from deskonomy_host.boards.serial.mpremote import run_mpremote
from deskonomy_host.boards.spec import catalog
from deskonomy_host.boards.spec.catalog import CONFIG

# The arguments with which mpremote writes its stdin to config.json, so that a password is in no file on this machine.
WRITE_CONFIG = (
    *("fs", "cp", "-f", "/dev/stdin", ":config.new", "+"),
    *("run", str(paths.DEVICE_PROGRAMS / "configure.py")),
)


def encode_config(config: dict) -> bytes:
    """Return these settings as the bytes of a config.json."""
    return (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode()


async def read_config(port: str, inventory: Inventory) -> dict:
    """Return the settings in config.json of the board on this port; {} if it has none that are a JSON object.

    Raises:
        OperationError: mpremote could not read the file.
    """
    if CONFIG not in inventory.files:
        return {}
    try:
        config = json.loads(await run_mpremote(port, "resume", "fs", "cat", ":" + CONFIG))
    except ValueError:
        return {}
    return config if isinstance(config, dict) else {}


async def write_config(port: str, config: dict) -> None:
    """Write these settings to config.json of the board on this port. The board has to be reset afterwards.

    Raises:
        OperationError: The firmware does not accept the settings, or the board did not take them.
    """
    catalog.check_config(config)
    await run_mpremote(port, "resume", *WRITE_CONFIG, stdin=encode_config(config))
