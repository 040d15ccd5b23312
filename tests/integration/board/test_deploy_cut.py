"""An interrupted deploy: the old firmware runs or the new one, never a mixture, and the next deploy continues."""

import os
import shutil

import pytest
from deskonomy_host import paths
from deskonomy_host.boards.deploy.deploy import deploy
from deskonomy_host.boards.serial import mpremote as mpremote_module
from deskonomy_host.errors import OperationError

PARTS = ("deskonomy_board/one.py", "deskonomy_board/two.py", "deskonomy_board/three.py")
MAIN = """
from deskonomy_board import one, three, two

def main():
    print("RUNS", "%s", one.VERSION, two.VERSION, three.VERSION)
    while True:
        pass

if __name__ == "__main__":
    main()
"""


class InterruptError(Exception):
    """Interrupts a deploy."""


@pytest.fixture
def release(tmp_path, monkeypatch):
    """Return release(version): it makes a firmware of this version, small enough for an interrupt at every file."""
    sources = tmp_path / "sources"
    (sources / "deskonomy_board").mkdir(parents=True)

    def write(version):
        (sources / "main.py").write_text(MAIN % version)
        (sources / "deskonomy_board/__init__.py").write_text("")
        for part in PARTS:
            (sources / part).write_text(f'VERSION = "{version}"\n')

    monkeypatch.setattr(
        paths,
        "list_firmware_files",
        lambda: {path: sources / path for path in ("main.py", "deskonomy_board/__init__.py", *PARTS)},
    )
    return write


def read_running(bench):
    """Return the versions that run after the power was off for a moment."""
    bench.reset()
    return bench.wait_for("RUNS ")[-1].split()[1:]


def test_old_firmware_runs_after_interrupt_at_any_file(bench, loop, release):
    old, new = ["old"] * 4, ["new"] * 4
    release("old")
    loop.run(deploy(bench.machine.serial))
    assert read_running(bench) == old
    release("new")
    before = bench.flash.parent / "before"
    shutil.copytree(bench.flash, before)
    steps = []
    for interrupted_at in range(100):

        def interrupt(bytes_sent, bytes_total, path, last=interrupted_at):
            steps.append(path)
            if len(steps) > last:
                raise InterruptError

        steps.clear()
        with pytest.raises(InterruptError):
            loop.run(deploy(bench.machine.serial, None, interrupt))
        if steps[-1] == "":
            break  # only the reset is missing
        assert read_running(bench) == old, steps
        shutil.rmtree(bench.flash / "b", ignore_errors=True)
        (bench.flash / "main.new").unlink(missing_ok=True)
    assert steps == [
        "b/deskonomy_board/one.mpy",
        "b/deskonomy_board/three.mpy",
        "b/deskonomy_board/two.mpy",
        "b/main.mpy",
        "main.new",
        "",
    ]
    assert read_running(bench) == new


def test_deploy_continues_interrupted_deploy(bench, loop, release):
    release("old")
    loop.run(deploy(bench.machine.serial))
    bench.wait_for("RUNS old")
    release("new")

    def interrupt(bytes_sent, bytes_total, path):
        if path == "b/main.mpy":
            raise InterruptError

    with pytest.raises(InterruptError):
        loop.run(deploy(bench.machine.serial, None, interrupt))
    plan = loop.run(deploy(bench.machine.serial))  # the program is stopped, without a reset in between
    assert set(plan.send) <= {"b/main.mpy", "b/deskonomy_board/two.mpy"} and "b/deskonomy_board/one.mpy" in plan.kept
    bench.wait_for("RUNS new new new new")


def test_incomplete_file_fails_deploy(bench, loop, release):
    release("old")
    loop.run(deploy(bench.machine.serial))
    release("new")

    def truncate(bytes_sent, bytes_total, path):
        if path == "main.new":
            (bench.flash / "b/deskonomy_board/one.mpy").write_bytes(b"M")

    with pytest.raises(OperationError, match="reports: a file did not arrive whole: deploy again"):
        loop.run(deploy(bench.machine.serial, None, truncate))
    assert read_running(bench) == ["old"] * 4


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no file that is always full")
def test_old_firmware_runs_after_flash_was_full(bench, loop, release):
    release("old")
    loop.run(deploy(bench.machine.serial))
    release("new")

    def fill(bytes_sent, bytes_total, path):
        if path == "b/deskonomy_board/one.mpy":
            (bench.flash / "b/main.mpy").symlink_to("/dev/full")

    with pytest.raises(OperationError, match=r"the flash of the board at .* is full: remove files of yours"):
        loop.run(deploy(bench.machine.serial, None, fill))
    assert read_running(bench) == ["old"] * 4
    (bench.flash / "b/main.mpy").unlink()
    loop.run(deploy(bench.machine.serial))
    bench.wait_for("RUNS new new new new")


def test_secrets_are_in_no_file_and_no_argument(bench, loop, release, monkeypatch):
    secret = "correct horse battery staple"
    readable = []
    start = mpremote_module.asyncio.create_subprocess_exec

    async def start_and_record(*arguments, **options):
        for argument in arguments:
            readable.append(argument.encode())
            if os.path.isfile(argument):
                with open(argument, "rb") as file:
                    readable.append(file.read())
        return await start(*arguments, **options)

    monkeypatch.setattr(mpremote_module.asyncio, "create_subprocess_exec", start_and_record)
    release("old")
    loop.run(deploy(bench.machine.serial, {"city": "DESKTOWN", "wifi": [["HOME", secret]]}))
    bench.wait_for("RUNS old")
    assert secret in (bench.flash / "config.json").read_text()
    assert readable and not any(secret.encode() in data for data in readable)
