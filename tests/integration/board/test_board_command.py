"""`deskonomy board sim` and `board sense` as a user types them; they leave no process and no file."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.commands import COMMAND, PATIENCE_S, PIPE_BYTES
from helpers.ports import find_free_ports


@pytest.fixture
def environment(tmp_path, micropython):
    """Return the environment of commands, in which no other board is running."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    return {
        **os.environ,
        "XDG_RUNTIME_DIR": str(runtime),
        "TMPDIR": str(tmp_path),
        "DESKONOMY_MICROPYTHON": micropython,
    }


@pytest.fixture
def type_command(environment):
    """Return type_command(*arguments): it runs a command to its end."""

    def run(*arguments):
        return subprocess.run(
            [*COMMAND, *arguments], env=environment, text=True, capture_output=True, timeout=PATIENCE_S
        )

    return run


@pytest.fixture
def sim(environment):
    """Return sim(*arguments): it starts `deskonomy board sim --json` and returns its process and its first line."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [*COMMAND, "board", "sim", "--json", *arguments],
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


def list_interpreters(text):
    """Return the command lines of simulated boards that contain this text."""
    if os.path.isdir("/proc/self"):
        lines = []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue  # it has ended meanwhile
    else:
        lines = subprocess.run(["ps", "-axwwo", "args"], capture_output=True, text=True).stdout.splitlines()
    return [line for line in lines if text in line and "power_on.py" in line]


def is_refused(port):
    """Return whether no program listens on this port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S).close()
    except ConnectionRefusedError:
        return True
    return False


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_first_line_has_addresses_and_status_lines_follow(sim, type_command):
    process, where = sim("--name", "OAKHAM", "--seed", "3", "--locals", "12", "--sensor", "light=0.75")
    assert set(where) == {"serial", "address", "city"} and where["city"] == "OAKHAM"
    host, port = where["address"].split(":")
    socket.create_connection((host, int(port)), timeout=PATIENCE_S).close()
    status = json.loads(process.stdout.readline())
    assert (status["seed"], status["locals"], status["address"]) == (3, 12, where["address"])
    assert abs(status["yield"]["wood"] - 1.5) < 0.01
    assert type_command("board", "sense", "light", "0").stdout == "light reads 0\n"
    assert type_command("influence", "OAKHAM", "bed", "0.5").stdout == "OAKHAM: one act of making bed gives 0.5\n"
    while status["yield"]["wood"] > 0.1 or status["yield"]["bed"] != 0.5:
        status = json.loads(process.stdout.readline())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signal_ends_board_without_leaving_anything(sim, tmp_path, number):
    [port] = find_free_ports(1)  # 55555 may be in use by another city
    process, where = sim("--port", str(port))
    assert where["address"] == f"127.0.0.1:{port}"
    assert list_interpreters(str(tmp_path))
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE_S)
    wait_until(lambda: not list_interpreters(str(tmp_path)))
    wait_until(lambda: is_refused(port))  # its sockets close a moment after its command line is gone
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert "Traceback" not in errors
        assert "no saved city: DESKTOWN is born\n" in errors and "accepts any peer, because it has no key\n" in errors
        assert not list(tmp_path.glob("deskonomy-*"))


def test_board_forgets_road_whose_peer_has_vanished(sim, type_command):
    process, where = sim()
    host, port = where["address"].split(":")

    def wait_for_road(state):
        while json.loads(process.stdout.readline())["roads"].get("SEASIDE", {}).get("state") != state:
            pass

    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as peer:
        peer.sendall(b"SEASIDE\n")
        wait_for_road("up")
        done = type_command("board", "forget", "SEASIDE", where["serial"])
        assert done.returncode == 1
        assert "SEASIDE is connected to DESKTOWN: only a road that is down can be forgotten" in done.stderr
    wait_for_road("down")
    done = type_command("board", "forget", "SEASIDE", where["serial"])
    assert re.fullmatch(r"DESKTOWN has forgotten the road to SEASIDE; \d+ merchants? returns?\n", done.stdout)
    wait_for_road(None)
    done = type_command("forget", "DESKTOWN", "SEASIDE")
    assert (done.returncode, done.stderr) == (1, "deskonomy: DESKTOWN has no road to SEASIDE\n")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as peer:
        peer.sendall(b"SEASIDE\n")
        wait_for_road("up")
    wait_for_road("down")
    assert type_command("forget", "DESKTOWN", "SEASIDE").returncode == 0
    process.terminate()
    assert process.communicate(timeout=PATIENCE_S)[1].count("the road to SEASIDE is forgotten") == 2


def test_message_for_older_micropython(type_command, tmp_path):
    older = tmp_path / "micropython"
    older.write_text("#!/bin/sh\necho micropython 1 28\n")
    older.chmod(0o755)
    done = type_command("board", "sim", "--micropython", str(older))
    assert done.returncode == 1
    assert "is MicroPython 1.28, which loses what is typed while its REPL starts: give 1.29" in done.stderr


@pytest.mark.parametrize(
    "arguments, status, line",
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
def test_message_for_invalid_arguments_is_one_line(type_command, arguments, status, line):
    done = type_command("board", "sim", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert line in done.stderr and done.stderr.count("\n") == 1


def test_log_of_start_is_shown_and_two_boards_cannot_share_a_flash(sim, type_command, tmp_path):
    (tmp_path / "flash").mkdir()
    (tmp_path / "flash" / "city.state").write_bytes(b"not a city")
    process, _ = sim("--dir", str(tmp_path / "flash"))
    done = type_command("board", "sim", "--dir", str(tmp_path / "flash"))
    assert done.returncode == 1 and "is the flash of a simulated board that runs: name another" in done.stderr
    done = type_command("board", "sense", "light", "1", "--board", "NOPE")
    assert done.returncode == 1 and "no simulated board is called NOPE, only DESKTOWN" in done.stderr
    process.terminate()
    assert "DESKTOWN is born anew; the old file is city.damaged now" in process.communicate(timeout=PATIENCE_S)[1]


def test_message_for_sense_without_board_is_one_line(type_command):
    done = type_command("board", "sense", "light", "0.5")
    assert done.returncode == 1
    assert done.stderr == "deskonomy: no simulated board is running; start one: deskonomy board sim --name DESKTOWN\n"
    assert type_command("board", "sense", "light", "2").returncode == 2
