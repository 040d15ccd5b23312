"""The deploy: make a board run this firmware, from the inventory to the reset.

Here: the order of the steps. Not here: the steps: what a board holds (inventory.py), the compiler (compile.py), what to
change (plan.py), sending it (execute.py); MicroPython on a blank chip (flash.py).
"""

from dataclasses import replace

from deskonomy_host import paths
from deskonomy_host.boards.deploy.compile import compile_firmware
from deskonomy_host.boards.deploy.config_file import encode_config
from deskonomy_host.boards.deploy.execute import Progress, execute, ignore_progress, reset
from deskonomy_host.boards.deploy.inventory import read_inventory
from deskonomy_host.boards.deploy.ownership import sha256
from deskonomy_host.boards.deploy.plan import DeployPlan, plan_beside_image, plan_slot
from deskonomy_host.boards.spec import catalog
from deskonomy_host.boards.spec.catalog import CONFIG


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
        OperationError: The firmware does not accept the settings, or the board did not take it all.
    """
    if config is not None:
        catalog.check_config(config)
    inventory = await read_inventory(port)
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
