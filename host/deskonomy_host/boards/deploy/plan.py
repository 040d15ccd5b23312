"""The deploy plan: what a deploy changes on a board.

Here: making the plan from the firmware's files and the board's inventory, without any input or output. Not here: which
files belong to the firmware (ownership.py), carrying the plan out (execute.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from deskonomy_host.boards.deploy.inventory import Inventory
from deskonomy_host.boards.deploy.ownership import (
    SLOTS,
    check_image_modules,
    check_slots,
    find_running_slot,
    list_misplaced,
    list_slot,
    make_main,
    rename_owners_main,
    sha256,
    superseded_paths,
)
from deskonomy_host.errors import OperationError

_INCOMPLETE = ("main.new", "config.new")  # files that an interrupted deploy leaves


@dataclass(frozen=True)
class DeployPlan:
    """What a deploy changes on a board, in this order.

    Attributes:
        slot: The folder that is filled: a slot, or the folder beside an image (ownership.BESIDE_IMAGE).
        remove: Paths of files to remove first.
        folders: Paths of folders to make, outer folders first.
        copy: {path: path in the other slot, whose file has the same bytes}.
        send: {path: bytes}.
        digest: The slot's digest afterwards, as slot_digest() computes it.
        renamed_main: The new name of the owner's main.py; "" if there is none.
        misplaced: Paths of the owner's files in the slots, which a deploy removes, or no longer uses.
        main: The new main.py; None if it stays.
        superseded: Paths to remove after the switch: files, then folders.
        config: The new config.json; None if it stays.
        kept: Paths in the slot that need no change.
    """

    slot: str
    remove: list[str]
    folders: list[str]
    copy: dict[str, str]
    send: dict[str, bytes]
    digest: str
    main: bytes | None
    superseded: list[str]
    kept: list[str]
    renamed_main: str = ""
    misplaced: list[str] = field(default_factory=list[str])
    config: bytes | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the board needs no change."""
        return not any(
            (self.remove, self.folders, self.copy, self.send, self.main, self.superseded, self.config is not None)
        )

    @property
    def is_beside_image(self) -> bool:
        """Whether the board's firmware is part of its MicroPython image."""
        return self.slot not in SLOTS

    @property
    def bytes_to_send(self) -> int:
        """The size of the slot's files that are sent."""
        return sum(len(data) for data in self.send.values())


def plan_slot(files: Mapping[str, bytes], inventory: Inventory) -> DeployPlan:
    """Return the plan after which a board runs these files, {path in a slot: bytes}.

    Raises:
        OperationError: The flash is too small, or the slots hold files of the board's owner.
    """
    check_slots(inventory)
    running = find_running_slot(inventory)
    running_files = list_slot(inventory, running) if running else {}
    if running and running_files == {path: sha256(data) for path, data in files.items()}:
        plan = _fill(running, files, inventory, other_slot={}, main=None)
    else:
        slot = SLOTS[running == SLOTS[0]]
        other_slot = {digest: f"{running}/{path}" for path, digest in running_files.items()}
        plan = _fill(slot, files, inventory, other_slot, make_main(slot))
    _check_space(plan, inventory)
    return replace(plan, renamed_main=rename_owners_main(inventory), misplaced=list_misplaced(inventory))


def plan_beside_image(files: Mapping[str, bytes], inventory: Inventory) -> DeployPlan:
    """Return the plan for a board whose firmware is part of its MicroPython image: it gets the page among these files.

    Files of the firmware that hide the image's modules are removed. Slots stay, for a return to a stock image.

    Raises:
        OperationError: A file of the board's owner hides a module of the image.
    """
    check_image_modules(inventory)
    pages = {PurePosixPath(path).name: data for path, data in files.items() if path.endswith(".html")}
    return _fill("lib/" + inventory.frozen_package, pages, inventory, other_slot={}, main=None)


def slot_digest(slot: str, files: Mapping[str, bytes]) -> str:
    """Return the hex SHA-256 of a slot that holds these files, {path in the slot: bytes}."""
    return sha256(b"".join(f"{slot}/{path}".encode() + files[path] for path in sorted(files)))


def _fill(
    slot: str, files: Mapping[str, bytes], inventory: Inventory, other_slot: Mapping[str, str], main: bytes | None
) -> DeployPlan:
    """Return the plan after which a slot holds exactly these files. other_slot: {hex SHA-256: path of its file}."""
    digests = {path: sha256(data) for path, data in files.items()}
    present = list_slot(inventory, slot)
    kept = {path for path in files if present.get(path) == digests[path]}
    missing = sorted(set(files) - kept)
    parents = {parent.as_posix() for path in files for parent in PurePosixPath(slot, path).parents} - {"."}
    return DeployPlan(
        slot=slot,
        remove=sorted(f"{slot}/{path}" for path in present if path not in kept)
        + [path for path in _INCOMPLETE if path in inventory.files],
        folders=sorted(parents - set(inventory.folders)),
        copy={f"{slot}/{path}": other_slot[digests[path]] for path in missing if digests[path] in other_slot},
        send={f"{slot}/{path}": files[path] for path in missing if digests[path] not in other_slot},
        digest=slot_digest(slot, files),
        main=main,
        superseded=superseded_paths(inventory),
        kept=sorted(f"{slot}/{path}" for path in kept),
    )


def _check_space(plan: DeployPlan, inventory: Inventory) -> None:
    """Raise OperationError if the flash has too little space for the plan."""

    def blocks(size: int) -> int:
        return -(-size // inventory.block_bytes)

    needed = sum(blocks(len(data)) for data in plan.send.values())
    needed += sum(blocks(inventory.sizes[path]) for path in plan.copy.values())
    needed += 2 * len(plan.folders) + 2  # littlefs keeps a folder in a pair of blocks
    free = inventory.free_blocks + sum(blocks(inventory.sizes[path]) for path in plan.remove)
    if (plan.send or plan.copy) and needed > free:
        raise OperationError(
            "the board's flash has %d KB free, and the new firmware needs %d KB beside the firmware that runs: "
            "remove files of yours (mpremote fs tree -s lists them)"
            % (free * inventory.block_bytes // 1024, needed * inventory.block_bytes // 1024)
        )
