"""Putting the firmware on a board: the plan, which is pure, and carrying it out with the real mpremote."""

import asyncio
import dataclasses
import hashlib
import json
import shutil
import unittest.mock
from pathlib import PurePosixPath

import pytest
from deskonomy_host import paths
from deskonomy_host.boards.deploy import deploy as deploy_module
from deskonomy_host.boards.deploy.compile import compile_firmware
from deskonomy_host.boards.deploy.deploy import deploy
from deskonomy_host.boards.deploy.execute import erase
from deskonomy_host.boards.deploy.inventory import Inventory, read_inventory
from deskonomy_host.boards.deploy.ownership import SLOTS, make_main, owned_paths
from deskonomy_host.boards.deploy.plan import plan_beside_image, plan_slot
from deskonomy_host.boards.serial.mpremote import run_mpremote
from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.boards.simulator.machine import SimulatedMachine
from deskonomy_host.errors import OperationError


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def make_inventory(slot, files, beside=None, **attributes):
    """Return the inventory of a board whose slot holds these files ({path: bytes}) and runs; beside: other files."""
    on_board = {f"{slot}/{path}": data for path, data in files.items()}
    on_board |= {"main.py": make_main(slot), **(beside or {})}
    return Inventory(
        files={path: sha256(data) for path, data in on_board.items()},
        sizes={path: len(data) for path, data in on_board.items()},
        folders=sorted({path.rpartition("/")[0] for path in on_board} - {""}),
        **attributes,
    )


def make_owners_inventory(*names, main=b"print('mine')", **attributes):
    """Return the inventory of a board with these files of its owner, and a main.py."""
    files = {"main.py": sha256(main), **dict.fromkeys(names, sha256(b"theirs"))}
    folders = sorted({str(parent) for name in names for parent in PurePosixPath(name).parents} - {"."})
    return Inventory(files=files, sizes=dict.fromkeys(files, 6), folders=folders, **attributes)


def test_plan_fills_slot_that_does_not_run():
    files = {"main.mpy": b"m", "deskonomy_board/x/y.mpy": b"y", "deskonomy_board/z.mpy": b"new"}
    beside = {
        "b/deskonomy_board/z.py": b"hides z.mpy",
        "b/main.mpy": b"m",
        "config.new": b"{",
        "notes.txt": b"",
        "deskonomy_board/wifi.py": b"",
    }
    plan = plan_slot(files, make_inventory("a", files | {"deskonomy_board/z.mpy": b"old"}, beside))
    assert (plan.slot, plan.main) == ("b", make_main("b"))
    assert plan.folders == ["b/deskonomy_board/x"]
    assert plan.send == {"b/deskonomy_board/z.mpy": b"new"}
    assert plan.copy == {"b/deskonomy_board/x/y.mpy": "a/deskonomy_board/x/y.mpy"}
    assert plan.kept == ["b/main.mpy"]
    assert plan.remove == ["b/deskonomy_board/z.py", "config.new"]
    assert (plan.superseded, plan.renamed_main) == (["deskonomy_board/wifi.py", "deskonomy_board"], "")
    assert plan.digest == sha256(b"b/deskonomy_board/x/y.mpyyb/deskonomy_board/z.mpynewb/main.mpym")


def test_plan_is_empty_for_board_that_runs_the_files_and_sends_all_to_new_board():
    files = {"main.mpy": b"m", "deskonomy_board/z.mpy": b"z"}
    for slot in SLOTS:
        assert plan_slot(files, make_inventory(slot, files)).is_empty
    plan = plan_slot(files, Inventory(files={"boot.py": sha256(b"")}, sizes={"boot.py": 0}))
    assert (plan.slot, plan.folders) == ("a", ["a", "a/deskonomy_board"])
    assert sorted(plan.send) == ["a/deskonomy_board/z.mpy", "a/main.mpy"]
    assert not plan.superseded and not plan.remove


def test_plan_keeps_files_of_owner():
    files = {"main.mpy": b"m"}
    names = ("deskonomy_board/pins.py", "deskonomy_board/wifi.py", "lib/x.py", "main.old.py", "deskonomy/a.py")
    plan = plan_slot(files, make_owners_inventory(*names))
    assert plan.renamed_main == "main.old1.py"
    assert (plan.superseded, plan.remove) == (["deskonomy_board/wifi.py"], [])
    with pytest.raises(OperationError, match="needs the folders /a and /b for itself, and b/diary"):
        plan_slot(files, make_owners_inventory("b/diary.txt"))
    # An interrupted first deploy continues.
    assert plan_slot(files, make_owners_inventory("a/main.mpy")).renamed_main == "main.old.py"


def test_erase_keeps_files_of_owner():
    owners = ("deskonomy_board/pins.py", "a/diary.txt", "lib/x.py", "config.json")
    assert owned_paths(make_owners_inventory(*owners)) == []
    assert owned_paths(make_owners_inventory(*owners, "b/deskonomy_board/wifi.mpy")) == [
        "b/deskonomy_board/wifi.mpy",
        "config.json",
        "b/deskonomy_board",
        "b",
    ]
    assert owned_paths(make_owners_inventory("a/x", "c/y", main=make_main("a"))) == ["a/x", "main.py", "a"]
    by_mip = make_owners_inventory(
        "deskonomy/economy/city.py", "deskonomy_board/wifi.py", "deskonomy_board/mine.py", "board/mine.py"
    )
    assert owned_paths(by_mip) == [
        "deskonomy/economy/city.py",
        "deskonomy_board/wifi.py",
        "main.py",
        "deskonomy/economy",
        "deskonomy",
    ]


def test_main_of_owner_is_renamed(loop, bench):
    (bench.flash / "main.py").write_text("print('mine')")
    assert loop.run(deploy(bench.machine.serial)).renamed_main == "main.old.py"
    bench.wait_for('{"city": "DESKTOWN"')
    assert (bench.flash / "main.old.py").read_text() == "print('mine')"
    assert loop.run(deploy(bench.machine.serial)).is_empty


def test_plan_fails_for_flash_that_is_too_small():
    files = {"main.mpy": b"m" * 9000}
    assert plan_slot(files, Inventory(free_blocks=7)).send
    with pytest.raises(
        OperationError, match=r"flash has 24 KB free, and the new firmware needs 28 KB .*: remove files"
    ):
        plan_slot(files, Inventory(free_blocks=6))


def test_firmware_compiles_for_architectures_of_boards():
    sources = paths.list_firmware_files()
    for architecture in ("xtensawin", "rv32imc", None):
        files = compile_firmware(sources, architecture)
        assert {"main.mpy", "deskonomy/economy/kernel.mpy", "deskonomy_board/wifi.mpy"} <= set(files)
        # The third byte of an .mpy file is its architecture, in its upper bits; none for bytecode.
        assert bool(files["deskonomy/economy/kernel.mpy"][2] >> 2) == (architecture is not None)


def test_compile_error_names_source(tmp_path):
    (tmp_path / "bad.py").write_text("import micropython\n@micropython.viper\ndef f(a: int):\n    return a + 'x'\n")
    with pytest.raises(OperationError, match=r"deskonomy/bad.py does not compile: .*ViperTypeError"):
        compile_firmware({"deskonomy/bad.py": tmp_path / "bad.py"}, "xtensawin")
    compile_firmware({"deskonomy/bad.py": tmp_path / "bad.py"}, None)


def test_second_deploy_sends_nothing_and_a_change_sends_one_file(loop, micropython, tmp_path, monkeypatch):
    sources = tmp_path / "sources"
    for path, file in paths.list_firmware_files().items():
        (sources / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, sources / path)
    monkeypatch.setattr(paths, "list_firmware_files", lambda: {path: sources / path for path in files})
    files = [path.relative_to(sources).as_posix() for path in sources.rglob("*.py")]
    flash, signals = tmp_path / "flash", tmp_path / "signals"
    flash.mkdir()
    signals.mkdir()
    with loop.manage(lambda: SimulatedMachine(micropython, flash, signals, "400k")) as machine:
        first = loop.run(deploy(machine.serial))
        assert len(first.send) == len(files) and first.config and (flash / "config.json").exists()
        (flash / "config.json").write_text('{"city": "MINE"}')
        (flash / "notes.txt").write_text("mine")
        assert loop.run(deploy(machine.serial)).is_empty
        with open(sources / "main.py", "a") as file:
            file.write("EXTRA = 1\n")
        third = loop.run(deploy(machine.serial))
        assert list(third.send) == ["b/main.mpy"] and len(third.copy) == len(files) - 1
        assert (flash / "config.json").read_text() == '{"city": "MINE"}'
        assert (flash / "notes.txt").read_text() == "mine"


def test_plan_beside_image_sends_only_page():
    files = {"main.mpy": b"m", "deskonomy_board/z.mpy": b"z", "deskonomy_board/page.html": b"new"}
    beside = {
        "lib/deskonomy_board/page.html": b"old",
        "lib/deskonomy_board/gone.css": b"",
        "lib/mine.py": b"",
        "deskonomy_board/http.py": b"",
        "main.new": b"",
    }
    image = {"frozen_package": "deskonomy_board"}
    plan = plan_beside_image(files, make_inventory("a", files, beside, **image))
    assert (plan.slot, plan.main, plan.folders, plan.copy) == ("lib/deskonomy_board", None, [], {})
    assert plan.send == {"lib/deskonomy_board/page.html": b"new"}
    assert plan.remove == ["lib/deskonomy_board/gone.css", "lib/deskonomy_board/page.html", "main.new"]
    assert plan.superseded == ["deskonomy_board/http.py", "deskonomy_board"]
    with pytest.raises(OperationError, match="yours, and hides the firmware in the image: move it away first"):
        plan_beside_image(files, make_owners_inventory("deskonomy_board/mine.py", **image))
    beside = {"lib/mine.py": b""}
    second = plan_beside_image(files, make_inventory("lib/deskonomy_board", {"page.html": b"new"}, beside, **image))
    assert second.is_empty and second.kept == ["lib/deskonomy_board/page.html"]
    assert plan_beside_image(files, Inventory(**image)).folders == ["lib", "lib/deskonomy_board"]


def test_board_with_firmware_in_image_gets_settings_and_page(loop, machine, monkeypatch):
    async def read_frozen_inventory(port):
        return dataclasses.replace(await read_inventory(port), frozen_package="deskonomy_board")

    monkeypatch.setattr(deploy_module, "read_inventory", read_frozen_inventory)
    (machine.flash / "lib").mkdir()
    (machine.flash / "lib" / "mine.py").write_text("MINE = 1\n")
    plan = loop.run(deploy(machine.serial, {"city": "OAKHAM"}))
    assert list(plan.send) == ["lib/deskonomy_board/page.html"]
    page = machine.flash / "lib" / "deskonomy_board" / "page.html"
    assert page.read_bytes() == (paths.BOARD / "page.html").read_bytes()
    assert json.loads((machine.flash / "config.json").read_text()) == {"city": "OAKHAM"}
    assert not any((machine.flash / name).exists() for name in (*SLOTS, "main.py"))
    assert loop.run(deploy(machine.serial)).is_empty
    removed = loop.run(erase(machine.serial, loop.run(read_frozen_inventory(machine.serial))))
    assert sorted(removed) == ["config.json", "lib/deskonomy_board", "lib/deskonomy_board/page.html"]
    assert sorted(path.name for path in machine.flash.rglob("*")) == ["lib", "mine.py"]


def test_flash_of_simulated_board_stays_in_its_folder(loop, micropython, tmp_path):
    async def live(**settings):
        async with SimulatedBoard(dir=tmp_path, heap="400k", micropython=micropython, **settings) as board:
            return board.status, board.plan

    status, _ = loop.run(live(name="OAKHAM", seed=5, locals_=12))
    assert (status["city"], status["seed"], status["locals"]) == ("OAKHAM", 5, 12)
    status, plan = loop.run(live(seed=6))
    assert (status["city"], status["seed"], status["locals"]) == ("OAKHAM", 6, 12)
    assert plan.config and not (plan.send or plan.copy or plan.main)
    assert json.loads((tmp_path / "config.json").read_text())["seed"] == 6


def test_message_for_port_that_does_not_exist(loop):
    with pytest.raises(OperationError, match="there is no port /dev/no-such-port: is the board"):
        loop.run(deploy("/dev/no-such-port"))


def test_cancellation_that_coincides_with_a_line_is_not_lost(monkeypatch):
    class Process:
        """An mpremote that prints one line, and runs until it is killed."""

        def __init__(self):
            self.returncode = None
            self.stdin, self.stdout = unittest.mock.Mock(), self
            self.printed = asyncio.Event()
            self.ended = asyncio.Event()

        async def readline(self):
            await self.printed.wait()
            self.printed.clear()
            return b"a line\n"

        async def wait(self):
            await self.ended.wait()

        def kill(self):
            self.ended.set()

    async def story(turns):
        process = Process()

        async def start(*arguments, **options):
            return process

        monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
        running = asyncio.create_task(run_mpremote("/dev/none", "run", "x.py"))
        for _ in range(5):
            await asyncio.sleep(0)  # now it waits for a line
        process.printed.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running], timeout=5)
        assert running.cancelled()

    for turns in range(5):
        asyncio.run(story(turns))
