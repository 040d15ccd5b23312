"""A board with release 0.1.0: a deploy brings it up to date, and its city, its settings and its key stay."""

import hashlib
import json
import lzma
import subprocess
from pathlib import Path

import pytest
from deskonomy_host.boards.deploy.deploy import deploy
from deskonomy_host.boards.deploy.execute import erase
from deskonomy_host.boards.deploy.inventory import Inventory, read_inventory
from deskonomy_host.boards.deploy.ownership import make_main, owned_paths
from deskonomy_host.boards.deploy.plan import plan_beside_image, plan_slot
from deskonomy_host.boards.simulator.board import SimulatedBoard
from helpers.commands import PATIENCE_S
from helpers.repository import REPO

DATA = REPO / "tests" / "data" / "0.1.0"
FLASHES = json.loads((DATA / "board_flash.json").read_text())
RELEASE = json.loads((DATA / "firmware_hashes.json").read_text())
UNPACK = Path(__file__).parent / "programs" / "unpack_flash.py"
NEW_FILES = {"main.mpy": b"m", "deskonomy_board/page.html": b"page", "deskonomy/economy/city.mpy": b"city"}


def make_inventory(files, **attributes):
    """Return the inventory of a board with these files, {path: hex SHA-256}."""
    folders = {parent.as_posix() for path in files for parent in Path(path).parents} - {"."}
    return Inventory(files=files, sizes=dict.fromkeys(files, 100), folders=sorted(folders), **attributes)


def make_old_inventory(name, **files):
    """Return the inventory of a recorded flash of release 0.1.0, with these files besides."""
    return make_inventory({path: file["sha256"] for path, file in FLASHES[name]["files"].items()} | files)


@pytest.fixture
def old_flash(micropython, tmp_path):
    """Return old_flash(name): the folder with the files of a recorded flash of release 0.1.0."""

    def unpack(name):
        image, folder = tmp_path / "image", tmp_path / "flash"
        image.write_bytes(lzma.decompress((DATA / f"{name}.img.xz").read_bytes()))
        folder.mkdir()
        command = [micropython, "-X", "heapsize=8m", UNPACK, image, folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.returncode == 0, done.stdout + done.stderr
        return folder

    return unpack


def list_files(folder):
    """Return {path: hex SHA-256} of the files in a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("name", FLASHES)
def test_deploy_restores_city_of_old_release(loop, micropython, old_flash, name):
    recorded = FLASHES[name]
    flash = old_flash(name)
    before = list_files(flash)
    assert before == {path: file["sha256"] for path, file in recorded["files"].items()}

    async def run():
        async with SimulatedBoard(dir=flash, heap="400k", micropython=micropython) as board:
            assert (board.plan.slot, board.plan.renamed_main, board.plan.remove) == ("b", "", [])
            assert f"DESKTOWN goes on from tick {recorded['loaded']['tick']}" in board.lines
            money_mills = recorded["loaded"]["money_mills"]
            assert round(board.status["money"]["total"] * 1000) == sum(
                money_mills[owners] for owners in ("locals", "merchants", "ledger")
            )
            second = await deploy(board.serial)
            assert second.is_empty and len(second.kept) == len(board.plan.send)
            inventory = await read_inventory(board.serial)
            third = plan_slot(NEW_FILES, inventory)
            assert third.slot == "a" and {path for path in before if path.startswith("a/")} <= set(third.remove)
            config = json.loads((flash / "config.json").read_text())
            assert config == recorded["config"] and config.get("key") == recorded["settings"]["key"]
            await erase(board.serial, inventory)

    loop.run(run())
    owners = {"notes.txt", "lib/mine.py"}
    assert list_files(flash) == {path: before[path] for path in owners}


@pytest.mark.parametrize("name", FLASHES)
def test_plan_fills_slot_that_old_release_does_not_run(name):
    inventory = make_old_inventory(name)
    plan = plan_slot(NEW_FILES, inventory)
    assert (plan.slot, plan.main, plan.renamed_main) == ("b", make_main("b"), "")
    assert sorted(plan.send) == sorted("b/" + path for path in NEW_FILES)
    assert not (plan.remove or plan.copy or plan.superseded)
    main_of_b = RELEASE["main_of_slot"]["b"]["sha256"]
    both = make_old_inventory(name, **{"main.py": main_of_b, "b/board/wifi.mpy": "1", "b/deskonomy/city.mpy": "2"})
    plan = plan_slot(NEW_FILES, both)
    assert plan.slot == "a" and set(plan.remove) == {path for path in both.files if path.startswith("a/")}


@pytest.mark.parametrize("name", FLASHES)
def test_erase_removes_what_old_release_removed(name):
    assert sorted(owned_paths(make_old_inventory(name))) == sorted(FLASHES[name]["what_erase_removes"])


def test_deploy_replaces_old_release_that_mip_installed():
    files = {path: file["sha256"] for path, file in RELEASE["mip"].items()}
    inventory = make_inventory(files | {"board/mine.py": "1", "config.json": "2"})
    plan = plan_slot(NEW_FILES, inventory)
    assert (plan.slot, plan.renamed_main, plan.remove) == ("a", "", [])
    folders = {"board/kinds", "deskonomy"}  # not board/, which holds a file of the owner
    assert set(plan.superseded) == files.keys() - {"main.py"} | folders
    assert set(owned_paths(inventory)) == files.keys() | folders | {"config.json"}


def test_file_of_old_release_is_known_by_its_path_without_its_main():
    inventory = make_inventory({"main.py": "1", "a/board/wifi.mpy": "2", "a/diary.txt": "3"})
    assert owned_paths(inventory) == ["a/board/wifi.mpy", "a/board"]


def test_image_of_old_release_gets_page_in_its_folder():
    files = {"lib/board/page.html": "1", "deskonomy/city.py": "2", "deskonomy_board/wifi.py": "3"}
    plan = plan_beside_image(NEW_FILES, make_inventory(files, frozen_package="board"))
    assert (plan.slot, plan.send, plan.main) == ("lib/board", {"lib/board/page.html": b"page"}, None)
    assert plan.remove == ["lib/board/page.html"]
    assert plan.superseded == ["deskonomy/city.py", "deskonomy_board/wifi.py", "deskonomy_board", "deskonomy"]


def test_page_of_old_image_is_removed_from_new_image():
    inventory = make_inventory({"lib/board/page.html": "1", "lib/mine.py": "2"}, frozen_package="deskonomy_board")
    plan = plan_beside_image(NEW_FILES, inventory)
    assert (plan.slot, plan.superseded) == ("lib/deskonomy_board", ["lib/board/page.html", "lib/board"])
    assert owned_paths(inventory) == ["lib/board/page.html", "lib/board"]
