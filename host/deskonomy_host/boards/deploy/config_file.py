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
from deskonomy_host.errors import OperationError

# The arguments with which mpremote writes its stdin to config.json, so that a password is in no file on this machine.
WRITE_CONFIG = (
    *("fs", "cp", "-f", "/dev/stdin", ":config.new", "+"),
    *("run", str(paths.DEVICE_PROGRAMS / "configure.py")),
)

_EXPLANATION = (
    "the %s of the board at %s cannot be read (%s), and nothing is changed: correct it (mpremote edit :config.json), "
    "or remove the city and its settings (deskonomy board erase) and set the board up anew"
)


class UnreadableConfigError(OperationError):
    """A board has a config.json whose settings cannot be read."""


def encode_config(config: dict) -> bytes:
    """Return these settings as the bytes of a config.json."""
    return (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode()


async def read_config(port: str, inventory: Inventory) -> dict:
    """Return the settings in config.json of the board on this port; {} if it has no such file.

    MicroPython reads more than JSON allows, such as members without a comma between them: what the board itself reads
    counts.

    Raises:
        OperationError: mpremote could not read the file.
        UnreadableConfigError: Neither this machine nor the board can read the settings in it.
    """
    if CONFIG not in inventory.files:
        return {}
    text = await run_mpremote(port, "resume", "fs", "cat", ":" + CONFIG)
    try:
        config = json.loads(text)
    except ValueError as error:
        config = await _read_on_board(port)
        print("%s is not JSON to the letter (%s); what the board reads in it stays" % (CONFIG, error))
    if not isinstance(config, dict):
        raise UnreadableConfigError(_EXPLANATION % (CONFIG, port, "it is no object in { }"))
    if "\ufffd" in text:  # a password would be written back with it
        raise UnreadableConfigError(_EXPLANATION % (CONFIG, port, "it is not UTF-8"))
    return config


async def _read_on_board(port: str) -> object:
    """Return what the board reads in its config.json. Raises UnreadableConfigError."""
    try:
        output = await run_mpremote(port, "resume", "run", str(paths.DEVICE_PROGRAMS / "read_config.py"))
        return json.loads(output.splitlines()[-1])
    except (OperationError, ValueError, IndexError) as error:
        raise UnreadableConfigError(_EXPLANATION % (CONFIG, port, error)) from None


async def write_config(port: str, config: dict) -> None:
    """Write these settings to config.json of the board on this port. The board has to be reset afterwards.

    Raises:
        OperationError: The firmware does not accept the settings, or the board did not take them.
    """
    catalog.check_config(config)
    await run_mpremote(port, "resume", *WRITE_CONFIG, stdin=encode_config(config))
