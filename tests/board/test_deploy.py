"""Putting the firmware on a board: the plan, which is pure, and sending it with the real mpremote."""

import asyncio
import hashlib
import json
import shutil

import pytest
from deskonomy_host import deploy, paths
from deskonomy_host.errors import Failed
from deskonomy_host.simulated_machine import SimulatedMachine
from deskonomy_host.simulator import SimulatedBoard


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def test_the_plan_sends_what_differs_and_removes_what_is_ours_and_old():
    files = {"boot.py": b"b", "deskonomy/a.mpy": b"new", "board/x/y.mpy": b"y"}
    on_board = {
        "boot.py": sha256(b"b"),
        "deskonomy/a.mpy": sha256(b"old"),
        "deskonomy/a.py": sha256(b"hides a.mpy"),
        "config.json": sha256(b"mine"),
        "notes.txt": sha256(b"mine"),
    }
    plan = deploy.plan(files, on_board, ["deskonomy"])
    assert plan.folders == ["board", "board/x"]
    assert plan.send == {"deskonomy/a.mpy": b"new", "board/x/y.mpy": b"y"}
    assert plan.remove == ["deskonomy/a.py"]
    assert plan.kept == ["boot.py"]
    assert deploy.plan({}, {"notes.txt": "1"}, []).empty


def test_every_file_compiles_for_every_architecture_that_boards_have():
    sources = paths.firmware_files()
    for architecture in ("xtensawin", "rv32imc", None):
        files = deploy.compiled(sources, architecture)
        assert {"boot.py", "main.py", "deskonomy/kernel.mpy", "board/wifi.mpy"} <= set(files)
        # The third byte of an .mpy file is its architecture, in its upper bits; none for bytecode.
        assert bool(files["deskonomy/kernel.mpy"][2] >> 2) == (architecture is not None)


def test_a_source_that_does_not_compile_is_named(tmp_path):
    (tmp_path / "bad.py").write_text("import micropython\n@micropython.viper\ndef f(a: int):\n    return a + 'x'\n")
    with pytest.raises(Failed, match=r"deskonomy/bad.py does not compile: .*ViperTypeError"):
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
    with loop.manage(lambda: SimulatedMachine(micropython, flash, signals)) as machine:
        first = loop.run(deploy.deploy(machine.serial))
        assert len(first.send) == len(files) + 1 and (flash / "config.json").exists()
        (flash / "config.json").write_text('{"city": "MINE"}')
        (flash / "notes.txt").write_text("mine")
        assert loop.run(deploy.deploy(machine.serial)).empty
        with open(sources / "deskonomy" / "goods.py", "a") as file:
            file.write("MORE = 1\n")
        third = loop.run(deploy.deploy(machine.serial))
        assert list(third.send) == ["deskonomy/goods.mpy"] and not third.remove
        assert (flash / "config.json").read_text() == '{"city": "MINE"}'
        assert (flash / "notes.txt").read_text() == "mine"


def test_a_folder_given_is_flash_that_stays(loop, micropython, tmp_path):
    async def live(**words):
        async with SimulatedBoard(dir=tmp_path, micropython=micropython, **words) as board:
            return board.status, board.plan

    status, _ = loop.run(live(name="OAKHAM", seed=5, locals_=12))
    assert (status["city"], status["seed"], status["locals"]) == ("OAKHAM", 5, 12)
    status, plan = loop.run(live(seed=6))
    assert (status["city"], status["seed"], status["locals"]) == ("OAKHAM", 6, 12)
    assert list(plan.send) == ["config.json"]
    assert json.loads((tmp_path / "config.json").read_text())["seed"] == 6


def test_a_port_that_is_none_is_said_in_one_line(loop):
    with pytest.raises(Failed, match="mpremote could not work on /dev/no-such-port: "):
        loop.run(asyncio.wait_for(deploy.deploy("/dev/no-such-port"), 20))
