"""The checkpoints of a board on a real littlefs, with a power cut at every step of the flash."""

import json
import pathlib
import subprocess

import pytest

PROGRAM = pathlib.Path(__file__).parent / "programs" / "littlefs.py"


@pytest.fixture
def check(micropython):
    """Return check(name): it runs this check of littlefs.py and returns what the check counts."""

    def run(name):
        command = [micropython, "-X", "heapsize=64m", str(PROGRAM), name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    return run


def test_power_cut_leaves_old_or_new_checkpoint(check):
    counts = check("cuts")
    assert counts["cuts"] == counts["old"] + counts["new"] >= 1000
    assert counts["old"] and counts["new"]


def test_checkpoint_takes_little_more_than_one_erase(check):
    counts = check("erases")
    assert counts["bytes"] <= 4096
    assert counts["erases"] <= 1.2 * counts["checkpoints"]


def test_full_flash_is_logged_and_no_merchant_leaves(check):
    check("full")


def test_start_restores_usable_checkpoint(check):
    check("start")


def test_older_format_is_migrated_and_kept_and_newer_one_is_refused_and_stays(check):
    check("formats")


def test_city_is_saved_without_free_memory(check):
    check("short")


def test_city_without_trade_is_saved_after_ten_minutes(check):
    check("idle")


def test_clean_ledger_writes_no_checkpoint(check):
    check("skipped")
