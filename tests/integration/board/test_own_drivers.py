"""Drivers of the board's owner: how they are loaded, how they fail, and that deploys keep them."""

import pytest
from deskonomy_host import paths
from deskonomy_host.boards.deploy.deploy import deploy
from deskonomy_host.boards.deploy.inventory import Inventory
from deskonomy_host.boards.deploy.ownership import make_main, owned_paths, sha256
from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.boards.spec.defaults import fill_defaults
from deskonomy_host.boards.spec.options import parse_sensor
from deskonomy_host.errors import OperationError, UsageError

TEMPLATES = paths.BOARDS / "drivers"
SOIL = "bed drivers/soil pin=33 low=2900 high=1300 good=thread samples=2"


@pytest.fixture
def write_driver(tmp_path):
    """Return a function that writes the body of read_sensor(settings) into drivers/mine.py beside a story."""
    (tmp_path / "drivers").mkdir()

    def write(body, top=""):
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        (tmp_path / "drivers" / "mine.py").write_text(f"{top}\ndef read_sensor(settings):\n{lines}")

    return write


def read(sense, samples=60, **settings):
    [result] = sense({"kind": "drivers/mine", **settings}, ({}, samples))
    return result["sensors"]["it"], result["log"]


def test_driver_of_owner_is_read_with_its_settings(sense, write_driver):
    write_driver("yield settings['offset'] + 7.9")
    status, _ = read(sense, 1, offset=400)
    assert status == {"good": "wood", "raw": 407, "level": 0.407}


@pytest.mark.parametrize(
    "body, top, error",
    [
        ("yield unknown", "", "NameError: name 'unknown' isn't defined"),
        ("yield 'much'", "", None),  # a ValueError of int()
        ("yield [1]", "", "TypeError: "),
        ("yield settings['absent']", "", "KeyError: absent"),
        ("yield 1 // 0", "", "ZeroDivisionError: "),
        ("yield (1", "", "SyntaxError: "),
        ("return iter(())", "", "StopIteration: "),
        ("yield 1", "import absent", "ImportError: no module named 'absent'"),
        ("yield 1", "raise OSError('at the top')", "OSError: at the top"),
        ("yield 1", "int('x')", "ValueError: "),
    ],
)
def test_fault_of_driver_is_reported_as_such_and_not_as_one_of_wiring(sense, write_driver, body, top, error):
    write_driver(body, top)
    status, log = read(sense)
    assert len(log) == 1
    if error:
        assert status["error"].startswith("its driver failed: " + error)
        assert log == [f"sensor it: {status['error']}"]


def test_absent_driver_of_owner_is_reported(sense):
    status, _ = read(sense)
    assert status["error"] == "its driver failed: ImportError: no module named 'drivers'"


@pytest.mark.parametrize("failure", ["OSError('too wet')", "Exception('too wet')", "ValueError('too wet')"])
def test_failure_of_sensor_that_driver_reports_asks_for_wiring(sense, write_driver, failure):
    write_driver(f"raise {failure}\nyield")
    assert read(sense)[1] == ["sensor it: too wet. Is it wired as config.json says?"]


def test_fault_of_driver_leaves_other_sensors_and_their_yields(sense, write_driver):
    write_driver("yield None + 1")
    sensors = [{"kind": "drivers/mine", "good": "bed"}, {"name": "light", "kind": "adc", "pin": 34}]
    [result] = sense(sensors, ({"34": 1000}, 60))
    assert result["yield_mills"]["wood"] == 2000 and result["sensors"]["light"]["raw"] == 1000


@pytest.fixture(scope="module")
def own(loop, micropython, tmp_path_factory):
    """A simulated board with the template as its owner's driver, and a file of the owner in the slot."""
    flash = tmp_path_factory.mktemp("own")
    settings = {"drivers": TEMPLATES, "new_sensors": [parse_sensor(SOIL)], "heap": "400k"}
    with loop.manage(lambda: SimulatedBoard(dir=flash, micropython=micropython, **settings)) as board:
        board.flash = flash
        yield board


def test_simulated_board_runs_template_and_sets_its_reading(loop, own):
    loop.call(own.sense, "bed", 1)
    status = loop.run(own.wait_for(lambda status: status["sensors"]["bed"].get("level", 0) > 0.9))
    assert status["sensors"]["bed"]["raw"] == 1300 and status["sensors"]["bed"]["good"] == "thread"


def test_template_reports_broken_wire(loop, own):
    loop.call(own.machine.pins.update, {33: 0})
    loop.call(own.machine.set_signals)
    status = loop.run(own.wait_for(lambda status: "error" in status["sensors"]["bed"]))
    assert status["sensors"]["bed"]["error"] == "impossible answer 0"


def test_deploy_keeps_drivers_of_owner_and_names_those_in_its_own_folders(loop, own):
    misplaced = own.flash / "a" / "deskonomy_board" / "sensors" / "drivers" / "mine.py"
    misplaced.write_text("")
    plan = loop.run(deploy(own.serial))
    assert plan.misplaced == [str(misplaced.relative_to(own.flash))]
    assert (own.flash / "drivers" / "soil.py").read_bytes() == (TEMPLATES / "soil.py").read_bytes()
    loop.run(own.wait_for(lambda status: status["address"]))


def test_deploy_of_sensor_without_its_driver_fails_before_any_change(loop, own):
    before = (own.flash / "config.json").read_bytes()
    config = {**own.config, "sensors": [fill_defaults(parse_sensor("it drivers/absent low=0 high=9"))]}
    with pytest.raises(OperationError, match=r"has no /drivers/absent.py: mpremote connect .* cp -r drivers :"):
        loop.run(deploy(own.serial, config))
    assert (own.flash / "config.json").read_bytes() == before


def test_simulated_board_without_drivers_in_folder_is_rejected(loop, micropython, tmp_path):
    board = SimulatedBoard(drivers=tmp_path, micropython=micropython)
    with pytest.raises(UsageError, match="--drivers takes a folder of drivers"):
        loop.run(board.__aenter__())


def test_erase_keeps_drivers_of_owner():
    files = {"main.py": sha256(make_main("a")), "a/main.mpy": "", "drivers/soil.py": ""}
    assert owned_paths(Inventory(files=files, folders=["a", "drivers"])) == ["a/main.mpy", "main.py", "a"]
