"""`deskonomy board sim` and `board sense` as a user types them, and what they leave behind: nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.commands import PATIENCE_S, PIPE_BYTES, WORDS
from proofs.chaos.town import free_ports


@pytest.fixture
def environment(tmp_path, micropython):
    """No other board, of another test or of the developer, is running in it."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    return {
        **os.environ,
        "XDG_RUNTIME_DIR": str(runtime),
        "TMPDIR": str(tmp_path),
        "DESKONOMY_MICROPYTHON": micropython,
    }


@pytest.fixture
def typed(environment):
    def run(*words):
        return subprocess.run([*WORDS, *words], env=environment, text=True, capture_output=True, timeout=PATIENCE_S)

    return run


@pytest.fixture
def sim(environment):
    """Starts `deskonomy board sim --json`; (its process, its first line)."""
    started = []

    def start(*words):
        process = subprocess.Popen(
            [*WORDS, "board", "sim", "--json", *words],
            **{"env": environment, "text": True, "stdout": -1, "stderr": -1, "pipesize": PIPE_BYTES},
        )
        started.append(process)
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        return process, json.loads(line)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def running(text):
    """The command lines with this in them."""
    if os.path.isdir("/proc/self"):
        lines = []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue  # it has ended meanwhile
    else:
        lines = subprocess.run(["ps", "-axo", "args"], capture_output=True, text=True).stdout.splitlines()
    return [line for line in lines if text in line and "power_on.py" in line]


def is_refused(port):
    """Whether nobody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S).close()
    except ConnectionRefusedError:
        return True
    return False


def until(happened):
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_first_line_says_where_it_is_and_status_lines_follow(sim, typed):
    process, where = sim("--name", "OAKHAM", "--seed", "3", "--locals", "12", "--sensor", "light=0.75")
    assert set(where) == {"serial", "address", "city"} and where["city"] == "OAKHAM"
    host, port = where["address"].split(":")
    socket.create_connection((host, int(port)), timeout=PATIENCE_S).close()
    status = json.loads(process.stdout.readline())
    assert (status["seed"], status["locals"], status["address"]) == (3, 12, where["address"])
    assert abs(status["yield"]["wood"] - 1.5) < 0.01
    assert typed("board", "sense", "light", "0").stdout == "light reads 0\n"
    assert typed("influence", "OAKHAM", "bed", "0.5").stdout == "OAKHAM: one act of making bed gives 0.5\n"
    while status["yield"]["wood"] > 0.1 or status["yield"]["bed"] != 0.5:
        status = json.loads(process.stdout.readline())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_it_leaves_nothing_behind(sim, tmp_path, how):
    [port] = free_ports(1)  # not one that another city comes to use, as it does 55555
    process, where = sim("--port", str(port))
    assert where["address"] == f"127.0.0.1:{port}"
    assert running(str(tmp_path))
    process.send_signal(how)
    _, said = process.communicate(timeout=PATIENCE_S)
    until(lambda: not running(str(tmp_path)))
    until(lambda: is_refused(port))  # a process lets go of its sockets a moment after its command line is gone
    if how != signal.SIGKILL:
        assert process.returncode == 130
        assert "Traceback" not in said
        assert not list(tmp_path.glob("deskonomy-*"))


def test_an_older_micropython_is_said(typed, tmp_path):
    older = tmp_path / "micropython"
    older.write_text("#!/bin/sh\necho micropython 1 28\n")
    older.chmod(0o755)
    done = typed("board", "sim", "--micropython", str(older))
    assert done.returncode == 1
    assert "is MicroPython 1.28, which loses what is typed while its REPL starts: give 1.29" in done.stderr


@pytest.mark.parametrize(
    "words, status, line",
    [
        (["--micropython", "/no/such"], 1, "no MicroPython at /no/such: give a MicroPython"),
        (
            ["--micropython", sys.executable],
            1,
            "is no MicroPython built for the unix port: give one with --micropython",
        ),
        (["--sensor", "light"], 2, "--sensor takes NAME=0..1, such as light=0.5"),
        (["--sensor", "sound=1"], 2, "has no sensor sound, only: light"),
        (["--heap", "much"], 2, "--heap takes a size from 32k to 65536k, such as 224k, not 'much'"),
        (["--heap", "8k"], 2, "--heap takes a size from 32k to 65536k, such as 224k, not '8k'"),
        (["--connect", "nowhere"], 2, "--connect takes HOST:PORT"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(typed, words, status, line):
    done = typed("board", "sim", *words)
    assert (done.returncode, done.stdout) == (status, "")
    assert line in done.stderr and done.stderr.count("\n") == 1


def test_two_boards_do_not_share_a_flash(sim, typed, tmp_path):
    sim("--dir", str(tmp_path / "flash"))
    done = typed("board", "sim", "--dir", str(tmp_path / "flash"))
    assert done.returncode == 1 and "is the flash of a simulated board that runs: name another" in done.stderr
    done = typed("board", "sense", "light", "1", "--board", "NOPE")
    assert done.returncode == 1 and "no simulated board is called NOPE, only DESKTOWN" in done.stderr


def test_sensing_without_a_board_is_said_in_one_line(typed):
    done = typed("board", "sense", "light", "0.5")
    assert done.returncode == 1
    assert done.stderr == "deskonomy: no simulated board is running; start one: deskonomy board sim --name DESKTOWN\n"
    assert typed("board", "sense", "light", "2").returncode == 2
