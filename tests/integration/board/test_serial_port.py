"""The simulated machine behind its serial port: what real mpremote does with it, resets, Ctrl-C."""

import asyncio
import os
import subprocess
import sys

import pytest
from deskonomy_host.boards.simulator.pty_port import PtyPort
from helpers.commands import PATIENCE_S


@pytest.fixture
def said(machine, loop):
    """What the interpreter says from now on, while its REPL is not raw; wait_for(text) waits for it."""

    class Said(bytearray):
        def __init__(self):
            machine._on_output = self.extend

        def wait_for(self, text):
            async def seen():
                while text not in self:
                    await asyncio.sleep(0.01)

            loop.run(asyncio.wait_for(seen(), PATIENCE_S))

    return Said()


def test_mpremote_evaluates_and_runs(machine, mpremote):
    assert mpremote(machine.serial, "eval", "6 * 7") == "42"
    assert mpremote(machine.serial, "exec", "for n in range(3): print(n)").split() == ["0", "1", "2"]
    assert mpremote(machine.serial, "eval", "__import__('os').getcwd()") == "/"


def test_mpremote_copies_there_and_back(machine, mpremote, tmp_path):
    data = os.urandom(20_000)
    (tmp_path / "data.bin").write_bytes(data)
    mpremote(machine.serial, "fs", "cp", str(tmp_path / "data.bin"), ":")
    assert (machine.flash / "data.bin").read_bytes() == data
    mpremote(machine.serial, "fs", "cp", ":/data.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").read_bytes() == data
    assert "data.bin" in mpremote(machine.serial, "ls")


def test_mpremote_copies_folders(machine, mpremote, tmp_path):
    (tmp_path / "lib" / "inner").mkdir(parents=True)
    (tmp_path / "lib" / "one.py").write_text("ONE = 1\n")
    (tmp_path / "lib" / "inner" / "two.py").write_text("TWO = 2\n")
    mpremote(machine.serial, "fs", "cp", "-r", str(tmp_path / "lib"), ":")
    assert (machine.flash / "lib" / "inner" / "two.py").read_text() == "TWO = 2\n"
    assert mpremote(machine.serial, "eval", "__import__('one').ONE") == "1"  # /lib is on the path, as on a board


def test_the_flash_is_all_that_there_is(machine, mpremote):
    mpremote(machine.serial, "exec", "open('/at_root.txt', 'w').close()")
    assert (machine.flash / "at_root.txt").exists()
    assert mpremote(machine.serial, "eval", "'etc' in __import__('os').listdir('/')") == "False"


def test_a_soft_reset_in_the_raw_repl_runs_boot_only(machine, mpremote):
    (machine.flash / "boot.py").write_text("booted = 1\n")
    (machine.flash / "main.py").write_text("started = 1\n")
    try:
        words = ("exec", "left = 1", "soft-reset", "exec", "print(sorted(set(dir()) & {'booted', 'started', 'left'}))")
        assert mpremote(machine.serial, *words) == "['booted']"
        assert mpremote(machine.serial, "eval", "__import__('machine').reset_cause()") == "5"
    finally:
        (machine.flash / "boot.py").unlink()
        (machine.flash / "main.py").unlink()


def test_a_reset_runs_boot_and_main_again_and_again(machine, mpremote, said):
    (machine.flash / "main.py").write_text("import machine\nprint('reset', machine.reset_cause())\n")
    try:
        mpremote(machine.serial, "reset")
        said.wait_for(b"reset 2\r\n")
        said.wait_for(b">>> ")
        machine_type(machine, said, b"\x04")
        said.wait_for(b"MPY: soft reboot\r\n")
        said.wait_for(b"reset 5\r\n")
    finally:
        (machine.flash / "main.py").unlink()


def test_a_reset_pressed_while_its_own_is_under_way_counts(bench, loop, monkeypatch):
    (bench.flash / "main.py").write_text("import machine\nprint('reset', machine.reset_cause())\n")
    bench.reset()
    bench.wait_for("reset 1")
    machine, pressing = bench.machine, asyncio.Queue()
    weigh = machine._weigh

    async def weigh_and_press():
        monkeypatch.undo()
        pressing.put_nowait(asyncio.create_task(machine.hard_reset("watchdog")))
        await asyncio.sleep(0)
        return await weigh()

    async def story():
        monkeypatch.setattr(machine, "_weigh", weigh_and_press)
        machine.type(b"machine.reset()\r")
        await (await pressing.get())
        return machine.reset_cause

    assert loop.run(story()) == "watchdog"
    bench.wait_for("reset 3")


def test_what_is_typed_while_it_starts_is_heard(bench, loop, monkeypatch):
    """But not what an mpremote leaves with, which would else lie before the first command that a city is given."""
    (bench.flash / "main.py").write_text("print('heard', repr(input()))\n")
    machine = bench.machine
    weigh = machine._weigh

    async def weigh_and_type():
        machine.type(b"\r\x02hello\r")
        return await weigh()

    monkeypatch.setattr(machine, "_weigh", weigh_and_type)
    bench.reset()
    bench.wait_for("heard 'hello'")


def test_ctrl_c_interrupts_main_and_mpremote_gets_in(machine, mpremote, said):
    (machine.flash / "main.py").write_text("print('running')\nwhile True:\n    pass\n")
    try:
        mpremote(machine.serial, "reset")
        said.wait_for(b"running\r\n")
        machine_type(machine, said, b"\x03")
        said.wait_for(b"KeyboardInterrupt")
        said.wait_for(b">>> ")
        mpremote(machine.serial, "reset")
        said.wait_for(b"running\r\n")
        assert mpremote(machine.serial, "eval", "1 + 1") == "2"
    finally:
        (machine.flash / "main.py").unlink()


def test_who_comes_after_a_stuck_mpremote_gets_in(machine, mpremote):
    words = [sys.executable, "-m", "mpremote", "connect", machine.serial, "exec", "print('in')\nwhile True: pass"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as stuck:
        assert stuck.stdout.readline().strip() == "in"
        stuck.kill()
    assert mpremote(machine.serial, "eval", "1 + 1") == "2"


def test_output_that_the_port_does_not_take_yet_comes_later(monkeypatch):
    write, full = os.write, [True, True]

    def write_or_wait(fd, data):
        if full:
            full.pop()
            raise BlockingIOError
        return write(fd, data)

    async def story():
        port = PtyPort(lambda data: None, lambda: None)
        monkeypatch.setattr(os, "write", write_or_wait)
        port.write(b"late, but whole")
        reader = os.open(port.path, os.O_RDONLY | os.O_NOCTTY)
        try:
            assert await asyncio.to_thread(os.read, reader, 100) == b"late, but whole"
        finally:
            os.close(reader)
            port.close()

    asyncio.run(story())


def test_output_that_nobody_reads_is_lost_and_stops_nothing(machine, mpremote, said):
    (machine.flash / "main.py").write_text("for n in range(20000): print(n)\nprint('done')\n")
    try:
        mpremote(machine.serial, "reset")
        said.wait_for(b"done\r\n")
        assert mpremote(machine.serial, "eval", "1 + 1") == "2"
    finally:
        (machine.flash / "main.py").unlink()


def machine_type(machine, said, data):
    """Type at the serial port from outside, as a terminal does."""
    said.clear()
    port = os.open(machine.serial, os.O_RDWR | os.O_NOCTTY)
    os.write(port, data)
    os.close(port)
