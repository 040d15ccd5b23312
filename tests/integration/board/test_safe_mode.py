"""A board after crashes, with an unusable config.json, and with a full flash."""

import pytest
from deskonomy.economy.city import City
from deskonomy.storage.encode import encode_city
from deskonomy_host import paths
from deskonomy_host.boards.deploy import deploy
from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.errors import OperationError
from helpers.formats import replace_format

CONFIG = {"city": "DESKTOWN", "wifi": [["SIMULATED", ""]]}
CITY_STATUS = '{"city": "DESKTOWN"'
RESETS = "Reset in 3 s"
SAFE = "SAFE MODE: 3 starts in a row crashed"


@pytest.fixture
def deployed(bench, loop):
    """A bench that runs the firmware; bench.crash(line) makes it run this line in place of the city."""
    plan = loop.run(deploy.deploy(bench.machine.serial, CONFIG))
    bench.wait_for(CITY_STATUS)
    source = (paths.FIRMWARE / "main.py").read_text(encoding="utf-8")
    body = source.index("    from deskonomy.economy.clock import")

    def crash(line):
        (bench.flash / plan.slot / "main.mpy").unlink(missing_ok=True)
        (bench.flash / plan.slot / "main.py").write_text(f"{source[:body]}    {line}\n{source[body:]}")

    bench.crash = crash
    return bench


def read_log(board):
    return (board.flash / "crash.log").read_text()


def read_starts(board):
    file = board.flash / "starts.txt"
    return int(file.read_text().split()[0]) if file.exists() else 0


def test_three_crashed_starts_end_in_safe_mode_with_the_cause(deployed, loop, mpremote):
    deployed.crash("raise ValueError('no such good: fur')")
    deployed.reset()
    for _ in range(3):
        output = deployed.wait_for(RESETS)
        assert any("ValueError: no such good: fur" in line for line in output)
    output = deployed.wait_for("The next reset tries again")
    assert any(SAFE in line for line in output) and any("no such good: fur" in line for line in output)
    assert read_log(deployed).count("ValueError: no such good: fur") == 3
    assert "not by Python" not in read_log(deployed)
    assert mpremote(deployed.machine.serial, "resume", "eval", "6 * 7") == "42"
    # It tries again after a reset, and a deploy corrects it.
    deployed.reset()
    deployed.wait_for(RESETS)
    loop.run(deploy.deploy(deployed.machine.serial))
    deployed.wait_for(CITY_STATUS)


def test_ctrl_c_stops_a_crash_loop(deployed, loop):
    deployed.crash("1 / 0")
    deployed.reset()
    deployed.wait_for(RESETS)
    loop.call(deployed.machine.send, b"\x03")
    deployed.wait_for("KeyboardInterrupt")
    deployed.wait_for("MicroPython ")
    assert read_starts(deployed) == 0


@pytest.mark.parametrize(
    "cause, text", [("watchdog", "The watchdog reset the board"), ("hard", "not by Python")], ids=["watchdog", "fault"]
)
def test_unexpected_reset_counts_and_power_cut_does_not(deployed, cause, text):
    assert read_starts(deployed) == 1
    for count in (2, 3):
        deployed.reset(cause)
        deployed.wait_for(CITY_STATUS)
        assert read_starts(deployed) == count
    deployed.reset(cause)
    deployed.wait_for(SAFE)
    assert read_log(deployed).count(text) == 3
    for _ in range(4):
        deployed.reset("power")
        deployed.wait_for(CITY_STATUS)
    assert read_starts(deployed) == 1


def test_crash_log_has_a_size_limit(deployed):
    (deployed.flash / "crash.log").write_text("old\n" * 1000)
    deployed.crash("raise ValueError('x' * 3000)")
    deployed.reset()
    deployed.wait_for(RESETS)
    assert 0 < len(read_log(deployed)) <= 2048 and read_log(deployed).endswith("xxx\n")


def test_ctrl_c_ends_the_city_and_is_no_crash(deployed, loop):
    loop.call(deployed.machine.send, b"\x03")
    deployed.wait_for("KeyboardInterrupt")
    deployed.wait_for("MicroPython ")
    assert read_starts(deployed) == 0


@pytest.mark.parametrize(
    "text, message",
    [
        (None, 'there is no config.json: it contains at least {"city": "DESKTOWN"}'),
        ('{"city": "DESK', "config.json is not JSON: look for a missing comma, quote or bracket"),
        ("\0\xff" * 40, "config.json is not JSON"),
        ("[]", "config.json: it must be an object in { }, not []"),
        ('{"city": ""}', 'config.json: "city" must be a name'),
        ('{"city": "A", "wifi": "HOME"}', 'config.json: "wifi" must be a list of'),
    ],
    ids=["none", "cut", "noise", "list", "no name", "no network"],
)
def test_unusable_config_is_reported_with_what_to_do(deployed, loop, text, message):
    config = deployed.flash / "config.json"
    config.unlink()
    if text is not None:
        config.write_bytes(text.encode("latin-1"))
    deployed.reset()
    output = deployed.wait_for("Correct the file with: deskonomy board setup")
    assert any(message in line for line in output)
    assert read_starts(deployed) == 0
    loop.run(deploy.deploy(deployed.machine.serial, CONFIG))
    deployed.wait_for(CITY_STATUS)


def test_city_of_newer_format_is_reported_and_stays(deployed, loop):
    state = deployed.flash / "city.state"
    newer = replace_format(encode_city(City("DESKTOWN", 7)), b"deskonomy3 0.3.0")
    loop.call(deployed.machine.send, b"\x03")
    deployed.wait_for("MicroPython ")
    state.write_bytes(newer)
    message = "the saved city is of format 3, by deskonomy 0.3.0; deskonomy"
    for _ in range(2):
        deployed.reset()
        output = deployed.wait_for("remove city.state for a new city")
        assert any(message in line for line in output) and not any(line.startswith("{") for line in output)
        deployed.wait_for("MicroPython ")
        assert state.read_bytes() == newer and not (deployed.flash / "city.damaged").exists()
        assert read_starts(deployed) == 0
    with pytest.raises(OperationError, match=f"the board's program has ended: {message}"):
        loop.run(start_simulated_board(deployed.flash))


async def start_simulated_board(flash):
    async with SimulatedBoard(dir=flash):
        raise AssertionError("it has started")


def test_full_flash_is_reported_and_the_city_runs(deployed):
    """The folder that is its flash refuses new files, as a full flash does."""
    (deployed.flash / "starts.txt").unlink()
    (deployed.flash / "starts.txt").mkdir()
    deployed.reset()
    output = deployed.wait_for(CITY_STATUS)
    assert any("crashes cannot be counted" in line and "is the flash full?" in line for line in output)


def test_crash_that_cannot_be_counted_does_not_reset(deployed):
    (deployed.flash / "starts.txt").unlink()
    (deployed.flash / "starts.txt").mkdir()
    (deployed.flash / "crash.log").mkdir()
    deployed.crash("1 / 0")
    deployed.reset()
    output = deployed.wait_for("No reset, because crashes cannot be counted")
    assert any("ZeroDivisionError" in line for line in output)
    assert any("crash.log cannot be written" in line for line in output)
