"""The simulated machine behind its serial port: the real mpremote, resets, Ctrl-C."""

import asyncio
import os
import subprocess
import sys

import pytest
from deskonomy_host.boards.simulator.pty_port import PtyPort
from helpers.commands import PATIENCE_S


@pytest.fixture
def output(machine, loop):
    """Return the interpreter's output from now on, while its REPL is not raw; wait_for(text) waits for a text."""

    class Output(bytearray):
        def __init__(self):
            machine._on_output = self.extend

        def wait_for(self, text):
            async def poll():
                while text not in self:
                    await asyncio.sleep(0.01)

            loop.run(asyncio.wait_for(poll(), PATIENCE_S))

    return Output()


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


def test_flash_is_the_whole_file_system(machine, mpremote):
    mpremote(machine.serial, "exec", "open('/at_root.txt', 'w').close()")
    assert (machine.flash / "at_root.txt").exists()
    assert mpremote(machine.serial, "eval", "'etc' in __import__('os').listdir('/')") == "False"


def test_soft_reset_in_raw_repl_runs_only_boot(machine, mpremote):
    (machine.flash / "boot.py").write_text("booted = 1\n")
    (machine.flash / "main.py").write_text("started = 1\n")
    try:
        arguments = (
            "exec",
            "left = 1",
            "soft-reset",
            "exec",
            "print(sorted(set(dir()) & {'booted', 'started', 'left'}))",
        )
        assert mpremote(machine.serial, *arguments) == "['booted']"
        assert mpremote(machine.serial, "eval", "__import__('machine').reset_cause()") == "5"
    finally:
        (machine.flash / "boot.py").unlink()
        (machine.flash / "main.py").unlink()


def test_every_reset_runs_boot_and_main(machine, mpremote, output):
    (machine.flash / "main.py").write_text("import machine\nprint('reset', machine.reset_cause())\n")
    try:
        mpremote(machine.serial, "reset")
        output.wait_for(b"reset 2\r\n")
        output.wait_for(b">>> ")
        send_from_outside(machine, output, b"\x04")
        output.wait_for(b"MPY: soft reboot\r\n")
        output.wait_for(b"reset 5\r\n")
    finally:
        (machine.flash / "main.py").unlink()


def test_reset_pressed_during_a_reset_of_the_program_counts(bench, loop, monkeypatch):
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
        machine.send(b"machine.reset()\r")
        await (await pressing.get())
        return machine.reset_cause

    assert loop.run(story()) == "watchdog"
    bench.wait_for("reset 3")


def test_input_during_start_is_read(bench, loop, monkeypatch):
    """The last bytes of an mpremote are dropped; otherwise they would precede the first command for the city."""
    (bench.flash / "main.py").write_text("print('read', repr(input()))\n")
    machine = bench.machine
    weigh = machine._weigh

    async def weigh_and_type():
        machine.send(b"\r\x02hello\r")
        return await weigh()

    monkeypatch.setattr(machine, "_weigh", weigh_and_type)
    bench.reset()
    bench.wait_for("read 'hello'")


def test_ctrl_c_interrupts_main_and_mpremote_connects(machine, mpremote, output):
    (machine.flash / "main.py").write_text("print('running')\nwhile True:\n    pass\n")
    try:
        mpremote(machine.serial, "reset")
        output.wait_for(b"running\r\n")
        send_from_outside(machine, output, b"\x03")
        output.wait_for(b"KeyboardInterrupt")
        output.wait_for(b">>> ")
        mpremote(machine.serial, "reset")
        output.wait_for(b"running\r\n")
        assert mpremote(machine.serial, "eval", "1 + 1") == "2"
    finally:
        (machine.flash / "main.py").unlink()


def test_mpremote_connects_after_a_killed_mpremote(machine, mpremote):
    command = [sys.executable, "-m", "mpremote", "connect", machine.serial, "exec", "print('in')\nwhile True: pass"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stuck:
        assert stuck.stdout.readline().strip() == "in"
        stuck.kill()
    assert mpremote(machine.serial, "eval", "1 + 1") == "2"


def test_output_arrives_after_port_was_full(monkeypatch):
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


def test_unread_output_is_dropped_and_program_goes_on(machine, mpremote, output):
    (machine.flash / "main.py").write_text("for n in range(20000): print(n)\nprint('done')\n")
    try:
        mpremote(machine.serial, "reset")
        output.wait_for(b"done\r\n")
        assert mpremote(machine.serial, "eval", "1 + 1") == "2"
    finally:
        (machine.flash / "main.py").unlink()


def send_from_outside(machine, output, data):
    """Send bytes to the serial port from outside, as a terminal does."""
    output.clear()
    port = os.open(machine.serial, os.O_RDWR | os.O_NOCTTY)
    os.write(port, data)
    os.close(port)
