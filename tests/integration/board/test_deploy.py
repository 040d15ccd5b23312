"""Putting the firmware on a board: the plan, which is pure, and sending it with the real mpremote."""

import asyncio
import dataclasses
import hashlib
import json
import shutil
import unittest.mock
from pathlib import PurePosixPath

import pytest
from deskonomy_host import paths
from deskonomy_host.boards.deploy import deploy
from deskonomy_host.boards.deploy.inventory import Survey, survey
from deskonomy_host.boards.deploy.ownership import ours
from deskonomy_host.boards.serial.mpremote import mpremote
from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.boards.simulator.machine import SimulatedMachine
from deskonomy_host.errors import OperationError


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def holding(slot, files, **more):
    """The Survey of a board whose slot holds these files ({path: bytes}) and runs."""
    on_board = {f"{slot}/{path}": data for path, data in files.items()}
    on_board |= {"main.py": deploy.main_of(slot), **more.pop("beside", {})}
    return Survey(
        files={path: sha256(data) for path, data in on_board.items()},
        sizes={path: len(data) for path, data in on_board.items()},
        folders=sorted({path.rpartition("/")[0] for path in on_board} - {""}),
        **more,
    )


def test_a_plan_fills_the_slot_that_does_not_run():
    files = {"main.mpy": b"m", "deskonomy_board/x/y.mpy": b"y", "deskonomy_board/z.mpy": b"new"}
    beside = {
        "b/deskonomy_board/z.py": b"hides z.mpy",
        "b/main.mpy": b"m",
        "config.new": b"{",
        "notes.txt": b"",
        "deskonomy_board/wifi.py": b"",
    }
    plan = deploy.plan(files, holding("a", files | {"deskonomy_board/z.mpy": b"old"}, beside=beside))
    assert (plan.slot, plan.main) == ("b", deploy.main_of("b"))
    assert plan.folders == ["b/deskonomy_board/x"]
    assert plan.send == {"b/deskonomy_board/z.mpy": b"new"}
    assert plan.copy == {"b/deskonomy_board/x/y.mpy": "a/deskonomy_board/x/y.mpy"}
    assert plan.kept == ["b/main.mpy"]
    assert plan.remove == ["b/deskonomy_board/z.py", "config.new"]
    assert (plan.old, plan.aside) == (["deskonomy_board/wifi.py", "deskonomy_board"], "")
    assert plan.digest == sha256(b"b/deskonomy_board/x/y.mpyyb/deskonomy_board/z.mpynewb/main.mpym")


def test_a_board_that_runs_just_that_needs_nothing_and_a_new_one_all():
    files = {"main.mpy": b"m", "deskonomy_board/z.mpy": b"z"}
    for slot in deploy.SLOTS:
        assert deploy.plan(files, holding(slot, files)).empty
    plan = deploy.plan(files, Survey(files={"boot.py": sha256(b"")}, sizes={"boot.py": 0}))
    assert (plan.slot, plan.folders) == ("a", ["a", "a/board"])
    assert sorted(plan.send) == ["a/deskonomy_board/z.mpy", "a/main.mpy"] and not plan.old and not plan.remove


def of_somebody(*names, main=b"print('mine')"):
    """The Survey of a board with these files, and a main.py."""
    files = {"main.py": sha256(main), **dict.fromkeys(names, sha256(b"theirs"))}
    folders = sorted({str(parent) for name in names for parent in PurePosixPath(name).parents} - {"."})
    return Survey(files=files, sizes=dict.fromkeys(files, 6), folders=folders)


def test_what_is_its_owners_stays():
    files = {"main.mpy": b"m"}
    plan = deploy.plan(
        files,
        of_somebody("deskonomy_board/pins.py", "deskonomy_board/wifi.py", "lib/x.py", "main.old.py", "deskonomy/a.py"),
    )
    assert plan.aside == "main.old1.py"
    assert (plan.old, plan.remove) == (["deskonomy_board/wifi.py"], [])
    with pytest.raises(OperationError, match="needs the folders /a and /b for itself, and b/diary"):
        deploy.plan(files, of_somebody("b/diary.txt"))
    assert deploy.plan(files, of_somebody("a/main.mpy")).aside == "main.old.py"  # and a deploy that was cut off goes on


def test_erasing_leaves_what_is_its_owners():
    theirs = ("deskonomy_board/pins.py", "a/diary.txt", "lib/x.py", "config.json")
    assert ours(of_somebody(*theirs)) == []
    assert ours(of_somebody(*theirs, "b/deskonomy_board/wifi.mpy")) == [
        "b/deskonomy_board/wifi.mpy",
        "config.json",
        "b/deskonomy_board",
        "b",
    ]
    assert ours(of_somebody("a/x", "c/y", main=deploy.main_of("a"))) == ["a/x", "main.py", "a"]
    by_mip = of_somebody("deskonomy/economy/city.py", "deskonomy_board/wifi.py", "deskonomy_board/mine.py")
    assert ours(by_mip) == [
        "deskonomy_board/wifi.py",
        "deskonomy/economy/city.py",
        "main.py",
        "deskonomy/economy",
        "deskonomy",
    ]


def test_a_main_of_its_owners_gets_another_name(loop, bench):
    (bench.flash / "main.py").write_text("print('mine')")
    assert loop.run(deploy.deploy(bench.machine.serial)).aside == "main.old.py"
    bench.wait_for('{"city": "DESKTOWN"')
    assert (bench.flash / "main.old.py").read_text() == "print('mine')"
    assert loop.run(deploy.deploy(bench.machine.serial)).empty


def test_a_flash_without_room_is_said_before_anything_is_sent():
    files = {"main.mpy": b"m" * 9000}
    assert deploy.plan(files, Survey(free=7)).send
    with pytest.raises(
        OperationError, match=r"flash has 24 KB of room, and the new firmware needs 28 KB .*: remove files"
    ):
        deploy.plan(files, Survey(free=6))


def test_every_file_compiles_for_every_architecture_that_boards_have():
    sources = paths.firmware_files()
    for architecture in ("xtensawin", "rv32imc", None):
        files = deploy.compiled(sources, architecture)
        assert {"main.mpy", "deskonomy/economy/kernel.mpy", "deskonomy_board/wifi.mpy"} <= set(files)
        # The third byte of an .mpy file is its architecture, in its upper bits; none for bytecode.
        assert bool(files["deskonomy/economy/kernel.mpy"][2] >> 2) == (architecture is not None)


def test_a_source_that_does_not_compile_is_named(tmp_path):
    (tmp_path / "bad.py").write_text("import micropython\n@micropython.viper\ndef f(a: int):\n    return a + 'x'\n")
    with pytest.raises(OperationError, match=r"deskonomy/bad.py does not compile: .*ViperTypeError"):
        deploy.compiled({"deskonomy/bad.py": tmp_path / "bad.py"}, "xtensawin")
    deploy.compiled({"deskonomy/bad.py": tmp_path / "bad.py"}, None)


def test_deploying_twice_sends_nothing_and_one_change_sends_one_file(loop, micropython, tmp_path, monkeypatch):
    sources = tmp_path / "sources"
    for path, here in paths.firmware_files().items():
        (sources / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(here, sources / path)
    monkeypatch.setattr(paths, "firmware_files", lambda: {p: sources / p for p in files})
    files = [path.relative_to(sources).as_posix() for path in sources.rglob("*.py")]
    flash, signals = tmp_path / "flash", tmp_path / "signals"
    flash.mkdir()
    signals.mkdir()
    with loop.manage(lambda: SimulatedMachine(micropython, flash, signals, "400k")) as machine:
        first = loop.run(deploy.deploy(machine.serial))
        assert len(first.send) == len(files) and first.config and (flash / "config.json").exists()
        (flash / "config.json").write_text('{"city": "MINE"}')
        (flash / "notes.txt").write_text("mine")
        assert loop.run(deploy.deploy(machine.serial)).empty
        with open(sources / "main.py", "a") as file:
            file.write("MORE = 1\n")
        third = loop.run(deploy.deploy(machine.serial))
        assert list(third.send) == ["b/main.mpy"] and len(third.copy) == len(files) - 1
        assert (flash / "config.json").read_text() == '{"city": "MINE"}'
        assert (flash / "notes.txt").read_text() == "mine"


def test_beside_an_image_with_the_firmware_lies_its_page_alone():
    files = {"main.mpy": b"m", "deskonomy_board/z.mpy": b"z", "deskonomy_board/page.html": b"new"}
    on_board = {
        "lib/deskonomy_board/page.html": b"old",
        "lib/deskonomy_board/gone.css": b"",
        "lib/mine.py": b"",
        "deskonomy_board/http.py": b"",
    }
    plan = deploy.plan_beside_image(files, holding("a", files, beside=on_board | {"main.new": b""}))
    assert (plan.slot, plan.main, plan.folders, plan.copy) == ("lib/deskonomy_board", None, [], {})
    assert plan.send == {"lib/deskonomy_board/page.html": b"new"}
    assert plan.remove == ["lib/deskonomy_board/gone.css", "lib/deskonomy_board/page.html", "main.new"]
    assert plan.old == ["deskonomy_board/http.py", "deskonomy_board"]
    with pytest.raises(OperationError, match="yours, and hides the firmware in the image: move it away first"):
        deploy.plan_beside_image(files, of_somebody("deskonomy_board/mine.py"))
    again = deploy.plan_beside_image(
        files, holding("lib/deskonomy_board", {"page.html": b"new"}, beside={"lib/mine.py": b""})
    )
    assert again.empty and again.kept == ["lib/deskonomy_board/page.html"]
    assert deploy.plan_beside_image(files, Survey()).folders == ["lib", "lib/deskonomy_board"]


def test_an_image_with_the_firmware_gets_settings_and_page(loop, machine, monkeypatch):
    async def frozen(port):
        return dataclasses.replace(await survey(port), frozen=True)

    monkeypatch.setattr(deploy, "survey", frozen)
    (machine.flash / "lib").mkdir()
    (machine.flash / "lib" / "mine.py").write_text("MINE = 1\n")
    made = loop.run(deploy.deploy(machine.serial, {"city": "OAKHAM"}))
    assert list(made.send) == ["lib/deskonomy_board/page.html"]
    page = machine.flash / "lib" / "deskonomy_board" / "page.html"
    assert page.read_bytes() == (paths.BOARD / "page.html").read_bytes()
    assert json.loads((machine.flash / "config.json").read_text()) == {"city": "OAKHAM"}
    assert not any((machine.flash / name).exists() for name in (*deploy.SLOTS, "main.py"))
    assert loop.run(deploy.deploy(machine.serial)).empty
    gone = loop.run(deploy.erase(machine.serial, loop.run(frozen(machine.serial))))
    assert sorted(gone) == ["config.json", "lib/deskonomy_board", "lib/deskonomy_board/page.html"]
    assert sorted(path.name for path in machine.flash.rglob("*")) == ["lib", "mine.py"]


def test_a_folder_given_is_flash_that_stays(loop, micropython, tmp_path):
    async def live(**words):
        async with SimulatedBoard(dir=tmp_path, heap="400k", micropython=micropython, **words) as board:
            return board.status, board.plan

    status, _ = loop.run(live(name="OAKHAM", seed=5, locals_=12))
    assert (status["city"], status["seed"], status["locals"]) == ("OAKHAM", 5, 12)
    status, plan = loop.run(live(seed=6))
    assert (status["city"], status["seed"], status["locals"]) == ("OAKHAM", 6, 12)
    assert plan.config and not (plan.send or plan.copy or plan.main)
    assert json.loads((tmp_path / "config.json").read_text())["seed"] == 6


def test_a_port_that_is_none_is_said_in_one_line(loop):
    with pytest.raises(OperationError, match="there is no port /dev/no-such-port: is the board"):
        loop.run(deploy.deploy("/dev/no-such-port"))


def test_an_end_that_comes_together_with_a_line_is_an_end(monkeypatch):
    class Process:
        """An mpremote that says one line, and is there until it is killed."""

        def __init__(self):
            self.returncode = None
            self.stdin, self.stdout = unittest.mock.Mock(), self
            self.said = asyncio.Event()
            self.ended = asyncio.Event()

        async def readline(self):
            await self.said.wait()
            self.said.clear()
            return b"a line\n"

        async def wait(self):
            await self.ended.wait()

        def kill(self):
            self.ended.set()

    async def story(turns):
        process = Process()

        async def start(*words, **more):
            return process

        monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
        running = asyncio.create_task(mpremote("/dev/none", "run", "x.py"))
        for _ in range(5):
            await asyncio.sleep(0)  # now it reads
        process.said.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running], timeout=5)
        assert running.cancelled()

    for turns in range(5):
        asyncio.run(story(turns))
