"""What a board does about crashes, a config.json that cannot be used, and a flash without room."""

import pytest
from deskonomy_host import paths
from deskonomy_host.boards.deploy import deploy

CONFIG = {"city": "DESKTOWN", "wifi": [["SIMULATED", ""]]}
CITY_STATUS = '{"city": "DESKTOWN"'
RESETS = "Reset in 3 s"
SAFE = "SAFE MODE: 3 starts in a row crashed"


@pytest.fixture
def deployed(bench, loop):
    """A bench that runs the firmware. bench.crash(line): from now on this line runs in place of the city."""
    made = loop.run(deploy.deploy(bench.machine.serial, CONFIG))
    bench.wait_for(CITY_STATUS)
    source = (paths.FIRMWARE / "main.py").read_text(encoding="utf-8")
    body = source.index("    from board import console")

    def crash(line):
        (bench.flash / made.slot / "main.mpy").unlink(missing_ok=True)
        (bench.flash / made.slot / "main.py").write_text(f"{source[:body]}    {line}\n{source[body:]}")

    bench.crash = crash
    return bench


def log(board):
    return (board.flash / "crash.log").read_text()


def starts(board):
    file = board.flash / "starts.txt"
    return int(file.read_text().split()[0]) if file.exists() else 0


def test_three_crashed_starts_leave_the_prompt_and_the_cause(deployed, loop, mpremote):
    deployed.crash("raise ValueError('no such good: fur')")
    deployed.reset()
    for _ in range(3):
        said = deployed.wait_for(RESETS)
        assert any("ValueError: no such good: fur" in line for line in said)
    said = deployed.wait_for("The next reset tries again")
    assert any(SAFE in line for line in said) and any("no such good: fur" in line for line in said)
    assert log(deployed).count("ValueError: no such good: fur") == 3
    assert "not by Python" not in log(deployed)
    assert mpremote(deployed.machine.serial, "resume", "eval", "6 * 7") == "42"
    # It tries again when somebody resets it, and a deploy puts it right.
    deployed.reset()
    deployed.wait_for(RESETS)
    loop.run(deploy.deploy(deployed.machine.serial))
    deployed.wait_for(CITY_STATUS)


def test_a_crash_loop_is_stopped_by_ctrl_c(deployed, loop):
    deployed.crash("1 / 0")
    deployed.reset()
    deployed.wait_for(RESETS)
    loop.call(deployed.machine.type, b"\x03")
    deployed.wait_for("KeyboardInterrupt")
    deployed.wait_for("MicroPython ")
    assert starts(deployed) == 0


@pytest.mark.parametrize(
    "cause, words", [("watchdog", "The watchdog reset the board"), ("hard", "not by Python")], ids=["watchdog", "fault"]
)
def test_a_reset_that_nobody_asked_for_counts_and_somebodys_hand_does_not(deployed, cause, words):
    assert starts(deployed) == 1
    for count in (2, 3):
        deployed.reset(cause)
        deployed.wait_for(CITY_STATUS)
        assert starts(deployed) == count
    deployed.reset(cause)
    deployed.wait_for(SAFE)
    assert log(deployed).count(words) == 3
    for _ in range(4):
        deployed.reset("power")
        deployed.wait_for(CITY_STATUS)
    assert starts(deployed) == 1


def test_the_log_stays_small(deployed):
    (deployed.flash / "crash.log").write_text("old\n" * 1000)
    deployed.crash("raise ValueError('x' * 3000)")
    deployed.reset()
    deployed.wait_for(RESETS)
    assert 0 < len(log(deployed)) <= 2048 and log(deployed).endswith("xxx\n")


def test_ctrl_c_ends_the_city_and_counts_no_crash(deployed, loop):
    loop.call(deployed.machine.type, b"\x03")
    deployed.wait_for("KeyboardInterrupt")
    deployed.wait_for("MicroPython ")
    assert starts(deployed) == 0


@pytest.mark.parametrize(
    "text, words",
    [
        (None, 'there is no config.json: it says at least {"city": "DESKTOWN"}'),
        ('{"city": "DESK', "config.json is not JSON: look for a missing comma, quote or bracket"),
        ("\0\xff" * 40, "config.json is not JSON"),
        ("[]", "config.json: it must be an object in { }, not []"),
        ('{"city": ""}', 'config.json: "city" must be a name'),
        ('{"city": "A", "wifi": "HOME"}', 'config.json: "wifi" must be a list of'),
    ],
    ids=["none", "cut", "noise", "list", "no name", "no network"],
)
def test_a_config_that_cannot_be_used_is_said_with_what_to_do(deployed, loop, text, words):
    config = deployed.flash / "config.json"
    config.unlink()
    if text is not None:
        config.write_bytes(text.encode("latin-1"))
    deployed.reset()
    said = deployed.wait_for("Put that right with: deskonomy board setup")
    assert any(words in line for line in said)
    assert starts(deployed) == 0
    loop.run(deploy.deploy(deployed.machine.serial, CONFIG))
    deployed.wait_for(CITY_STATUS)


def test_a_full_flash_is_said_and_the_city_runs(deployed):
    """The folder that is its flash refuses new files, as a full one does."""
    (deployed.flash / "starts.txt").unlink()
    (deployed.flash / "starts.txt").mkdir()
    deployed.reset()
    said = deployed.wait_for(CITY_STATUS)
    assert any("crashes cannot be counted" in line and "is the flash full?" in line for line in said)


def test_a_crash_that_cannot_be_counted_does_not_reset(deployed):
    (deployed.flash / "starts.txt").unlink()
    (deployed.flash / "starts.txt").mkdir()
    (deployed.flash / "crash.log").mkdir()
    deployed.crash("1 / 0")
    deployed.reset()
    said = deployed.wait_for("No reset, for crashes cannot be counted")
    assert any("ZeroDivisionError" in line for line in said)
    assert any("crash.log cannot be written" in line for line in said)
