"""The deploy: make a board run this firmware, from the inventory to the reset.

Here: the order of the steps. Not here: the steps: what a board holds (inventory.py), the compiler (compile.py), what to
change (plan.py), sending it (execute.py); MicroPython on a blank chip (flash.py).
"""

from dataclasses import replace

from deskonomy_host import paths
from deskonomy_host.boards.deploy.compile import compile_firmware
from deskonomy_host.boards.deploy.config_file import encode_config
from deskonomy_host.boards.deploy.execute import Progress, execute, ignore_progress, reset
from deskonomy_host.boards.deploy.inventory import Inventory, read_inventory
from deskonomy_host.boards.deploy.ownership import sha256
from deskonomy_host.boards.deploy.plan import DeployPlan, plan_beside_image, plan_slot
from deskonomy_host.boards.spec import catalog
from deskonomy_host.boards.spec.catalog import CONFIG
from deskonomy_host.boards.spec.sensors import list_own_drivers
from deskonomy_host.errors import OperationError


async def deploy(port: str, config: dict | None = None, on_progress: Progress = ignore_progress) -> DeployPlan:
    """Make the board on this port run this firmware, and reset it.

    Args:
        port: Path of the serial port.
        config: The new settings in config.json. None keeps the board's settings, or writes its first settings if it
            has none.
        on_progress: As execute() calls it.

    Returns:
        The plan that was carried out.

    Raises:
        OperationError: The firmware does not accept the settings, a driver of the owner is missing, or the board did
            not take it all.
    """
    if config is not None:
        catalog.check_config(config)
    inventory = await read_inventory(port)
    if config is not None:
        _check_own_drivers(port, config, inventory)
    board = catalog.detect_board(inventory)
    sources = paths.list_firmware_files()
    if inventory.frozen_package:
        plan = plan_beside_image({path: file.read_bytes() for path, file in sources.items()}, inventory)
    else:
        plan = plan_slot(compile_firmware(sources, inventory.architecture), inventory)
    if config is None and CONFIG not in inventory.files:
        config = board.config
    if config is not None and inventory.files.get(CONFIG) != sha256(encode_config(config)):
        plan = replace(plan, config=encode_config(config))
    if not plan.is_empty:
        await execute(port, plan, on_progress)
    await reset(port)
    return plan


def _check_own_drivers(port: str, config: dict, inventory: Inventory) -> None:
    """Raise OperationError if a sensor of these settings needs a driver of the owner that the board does not have."""
    for driver in list_own_drivers(config):
        if not inventory.files.keys() & {driver + ".py", driver + ".mpy"}:
            raise OperationError(
                "the board has no /%s.py: mpremote connect %s fs cp -r drivers : copies your folder drivers"
                % (driver, port)
            )
