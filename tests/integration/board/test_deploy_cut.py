"""A deploy that is cut off: the old firmware runs or the new one, never half of each, and the next one goes on."""

import os
import shutil

import pytest
from deskonomy_host import paths
from deskonomy_host.boards.deploy import deploy
from deskonomy_host.boards.serial import mpremote as mpremote_run
from deskonomy_host.errors import OperationError

PARTS = ("deskonomy_board/one.py", "deskonomy_board/two.py", "deskonomy_board/three.py")
MAIN = """
from board import one, three, two

def main():
    print("RUNS", "%s", one.VERSION, two.VERSION, three.VERSION)
    while True:
        pass

if __name__ == "__main__":
    main()
"""


class Cut(Exception):
    pass


@pytest.fixture
def release(tmp_path, monkeypatch):
    """release(version): from now on this is the firmware, small enough to be cut at every file."""
    sources = tmp_path / "sources"
    (sources / "deskonomy_board").mkdir(parents=True)

    def write(version):
        (sources / "main.py").write_text(MAIN % version)
        (sources / "deskonomy_board/__init__.py").write_text("")
        for part in PARTS:
            (sources / part).write_text(f'VERSION = "{version}"\n')

    monkeypatch.setattr(
        paths, "firmware_files", lambda: {p: sources / p for p in ("main.py", "deskonomy_board/__init__.py", *PARTS)}
    )
    return write


def runs(bench):
    """What runs after its power was cut for a moment."""
    bench.reset()
    return bench.wait_for("RUNS ")[-1].split()[1:]


def test_cut_at_every_file(bench, loop, release):
    old, new = ["old"] * 4, ["new"] * 4
    release("old")
    loop.run(deploy.deploy(bench.machine.serial))
    assert runs(bench) == old
    release("new")
    before = bench.flash.parent / "before"
    shutil.copytree(bench.flash, before)
    steps = []
    for cut_at in range(100):
        left = [cut_at]

        def step(done, whole, what, left=left):
            steps.append(what)
            if left[0] == 0:
                raise Cut
            left[0] -= 1

        steps.clear()
        with pytest.raises(Cut):
            loop.run(deploy.deploy(bench.machine.serial, None, step))
        if steps[-1] == "":
            break  # all was there, only the reset was not
        assert runs(bench) == old, steps
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
    assert runs(bench) == new


def test_a_deploy_goes_on_where_it_was_cut_off(bench, loop, release):
    release("old")
    loop.run(deploy.deploy(bench.machine.serial))
    bench.wait_for("RUNS old")
    release("new")

    def cut(done, whole, what):
        if what == "b/main.mpy":
            raise Cut

    with pytest.raises(Cut):
        loop.run(deploy.deploy(bench.machine.serial, None, cut))
    made = loop.run(deploy.deploy(bench.machine.serial))  # what runs is stopped, and nobody pressed reset
    assert set(made.send) <= {"b/main.mpy", "b/deskonomy_board/two.mpy"} and "b/deskonomy_board/one.mpy" in made.kept
    bench.wait_for("RUNS new new new new")


def test_a_file_that_does_not_arrive_whole_is_noticed(bench, loop, release):
    release("old")
    loop.run(deploy.deploy(bench.machine.serial))
    release("new")

    def spoil(done, whole, what):
        if what == "main.new":
            (bench.flash / "b/deskonomy_board/one.mpy").write_bytes(b"M")

    with pytest.raises(OperationError, match="says: not all of it arrived whole: deploy once more"):
        loop.run(deploy.deploy(bench.machine.serial, None, spoil))
    assert runs(bench) == ["old"] * 4


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no file that is always full")
def test_a_flash_that_gets_full_leaves_what_runs(bench, loop, release):
    release("old")
    loop.run(deploy.deploy(bench.machine.serial))
    release("new")

    def fill(done, whole, what):
        if what == "b/deskonomy_board/one.mpy":
            (bench.flash / "b/main.mpy").symlink_to("/dev/full")

    with pytest.raises(OperationError, match=r"the flash of the board at .* is full: remove files of yours"):
        loop.run(deploy.deploy(bench.machine.serial, None, fill))
    assert runs(bench) == ["old"] * 4
    (bench.flash / "b/main.mpy").unlink()
    loop.run(deploy.deploy(bench.machine.serial))
    bench.wait_for("RUNS new new new new")


def test_secrets_are_in_no_file_and_no_words_here(bench, loop, release, monkeypatch):
    secret = "correct horse battery staple"
    said = []
    start = mpremote_run.asyncio.create_subprocess_exec

    async def listening(*words, **more):
        for word in words:
            said.append(word.encode())
            if os.path.isfile(word):
                with open(word, "rb") as file:
                    said.append(file.read())
        return await start(*words, **more)

    monkeypatch.setattr(mpremote_run.asyncio, "create_subprocess_exec", listening)
    release("old")
    loop.run(deploy.deploy(bench.machine.serial, {"city": "DESKTOWN", "wifi": [["HOME", secret]]}))
    bench.wait_for("RUNS old")
    assert secret in (bench.flash / "config.json").read_text()
    assert said and not any(secret.encode() in text for text in said)
