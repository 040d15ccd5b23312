"""The saved city of a board, on a real littlefs whose power is cut at every step of the flash."""

import json
import pathlib
import subprocess

import pytest

PROGRAM = pathlib.Path(__file__).parent / "programs" / "littlefs.py"


@pytest.fixture
def check(micropython):
    def run(name):
        command = [micropython, "-X", "heapsize=64m", str(PROGRAM), name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    return run


def test_a_power_cut_leaves_the_old_city_or_the_new_one(check):
    counts = check("cuts")
    assert counts["cuts"] == counts["old"] + counts["new"] >= 1000
    assert counts["old"] and counts["new"]


def test_a_checkpoint_takes_little_more_than_one_erase(check):
    counts = check("erases")
    assert counts["bytes"] <= 4096
    assert counts["erases"] <= 1.2 * counts["checkpoints"]


def test_a_full_flash_is_said_and_nobody_is_let_go(check):
    check("full")


def test_what_a_start_finds(check):
    check("start")


def test_a_city_is_saved_where_memory_is_short(check):
    check("short")


def test_nothing_is_written_while_nobody_crosses(check):
    check("skipped")
