"""What boards/ and firmware/ say of themselves: each list of files is whole, and MicroPython can build each board."""

import ast
import json
import sys
from pathlib import Path

import pytest
from deskonomy_board import config
from deskonomy_host import paths
from deskonomy_host.boards.deploy import deploy
from deskonomy_host.boards.deploy import inventory as survey
from deskonomy_host.boards.deploy.inventory import Survey
from deskonomy_host.boards.deploy.shrink.bundle import as_on_board
from deskonomy_host.boards.spec import catalog as boards
from deskonomy_host.boards.spec import pins
from deskonomy_host.errors import OperationError, UsageError
from helpers.repository import REPO

CHIPS = [name for name in boards.names() if name != "SIMULATED"]


def needed():
    """What a board has to hold to run: {path on it: path here}."""
    return {path: here.relative_to(paths.FIRMWARE).as_posix() for path, here in paths.firmware_files().items()}


def test_package_json_lists_just_what_is_needed():
    words = json.loads((paths.FIRMWARE / "package.json").read_text(encoding="utf-8"))
    assert dict(words["urls"]) == needed() and len(words["urls"]) == len(needed())


def calls(manifest):
    """What a MicroPython manifest does: [(function, first argument)]."""
    tree = ast.parse(manifest.read_text(encoding="utf-8"))
    return [
        (node.value.func.id, ast.literal_eval(node.value.args[0]))
        for node in tree.body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]


def test_the_manifest_freezes_just_what_a_deploy_puts_together(monkeypatch):
    frozen = {}

    def module(path, base_path, opt):
        frozen[path] = Path(base_path, path).read_text(encoding="utf-8")

    def package(name, base_path, opt):
        for file in Path(base_path, name).rglob("*.py"):
            module(file.relative_to(base_path).as_posix(), base_path, opt)

    monkeypatch.chdir(paths.FIRMWARE)  # as MicroPython's build runs it
    monkeypatch.setattr(sys, "path", sys.path[:])
    manifest = (paths.FIRMWARE / "manifest.py").read_text(encoding="utf-8")
    exec(manifest, {"module": module, "package": package})
    # A page cannot be frozen: a deploy puts it beside such an image.
    sources = {path: paths.FIRMWARE / here for path, here in needed().items() if path.endswith(".py")}
    assert frozen == as_on_board({path: here.read_text(encoding="utf-8") for path, here in sources.items()})


@pytest.mark.parametrize("name", CHIPS)
def test_a_board_is_a_board_dir_of_micropython(name):
    folder = paths.BOARDS / name
    words = json.loads((folder / "board.json").read_text(encoding="utf-8"))
    assert {"deploy", "docs", "features", "images", "mcu", "product", "thumbnail", "url", "vendor"} <= set(words)
    assert words["deploy_options"]["flash_offset"] == {"esp32": "0x1000"}.get(words["mcu"], "0")
    cmake = (folder / "mpconfigboard.cmake").read_text(encoding="utf-8")
    assert f"include(boards/mpconfigboard_{words['mcu']}_common.cmake)" in cmake
    assert "set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)" in cmake
    header = (folder / "mpconfigboard.h").read_text(encoding="utf-8")
    assert "#define MICROPY_HW_BOARD_NAME " in header and "#define MICROPY_HW_MCU_NAME " in header


@pytest.mark.parametrize("name", boards.names())
def test_the_firmware_can_be_frozen_into_an_image_for_each_board(name):
    folder, theirs = paths.BOARDS / name, "variants/standard" if name == "SIMULATED" else "boards"
    included = [argument for function, argument in calls(folder / "manifest.py") if function == "include"]
    assert included == ["$(PORT_DIR)/%s/manifest.py" % theirs, "../../firmware/manifest.py"]
    assert (folder / included[1]).resolve() == paths.FIRMWARE / "manifest.py"


@pytest.mark.parametrize("name", boards.names())
def test_what_a_board_begins_with_is_a_config_that_the_firmware_takes(name):
    board = boards.load(name)
    boards.check(board.config)
    boards.check({**board.config, "sensors": [*board.config["sensors"], board.light]})
    assert board.light["pin"] in board.pins["adc"]


def test_kinds_of_sensors_are_the_same_everywhere():
    kinds = {path.stem for path in (paths.BOARD / "sensors" / "drivers").glob("*.py")}
    assert set(config._KINDS) == kinds
    for name in boards.names():
        assert set(boards.load(name).pins) <= {"adc", "touch", "in", "out"}
    assert set(pins._NEEDS) - {"led", "neopixel"} == {
        kind for kind, takes in config._KINDS.items() if set(takes) & {"pin", "scl"}
    }


def test_a_sensor_that_cannot_be_on_a_board_is_said():
    touch = {"name": "pad", "kind": "touch", "pin": 4}
    assert [pins.why_not(touch, boards.load(name)) for name in CHIPS] == [
        None,
        "the touch sensor pad needs a pin that ESP32_GENERIC_C3 does not have",
        None,
    ]
    light = {"name": "light", "kind": "adc", "pin": 4}
    esp32 = boards.load("ESP32_GENERIC")
    where = "32 to 36, 39 of ESP32_GENERIC, not to 4"
    assert pins.why_not(light, esp32) == "the adc sensor light goes to one of the pins " + where
    assert pins.why_not({"name": "air", "kind": "rssi"}, esp32) is None
    for kind, pin in (("digital", 6), ("dht22", 34), ("ds18b20", 24), ("button", 1)):
        assert pins.why_not({"name": "it", "kind": kind, "pin": pin}, esp32).endswith(f"of ESP32_GENERIC, not to {pin}")
    lux = {"name": "lux", "kind": "bh1750", "scl": 22, "sda": 21}
    assert [pins.why_not(lux, boards.load(name)) is None for name in CHIPS] == [True, False, False]


@pytest.mark.parametrize("kind", ["led", "neopixel"])
def test_a_light_that_cannot_be_on_a_board_is_said(kind):
    light = {"kind": kind, "pin": 34}
    assert pins.why_not(light, boards.load("ESP32_GENERIC")).startswith("the board's own light (--indicator) goes to ")
    assert pins.why_not(light, boards.load("SIMULATED")) is None


@pytest.mark.parametrize("name", CHIPS)
def test_what_a_board_begins_with_is_at_pins_that_it_has(name):
    board = boards.load(name)
    config = {**board.config, "sensors": [*board.config["sensors"], board.light]}
    assert [pins.why_not(one, board) for one in [*config["sensors"], config["indicator"], board.indicator]] == 4 * [
        None
    ]
    assert pins.clash(config) is None


DHT, WIRE, LUX = {"kind": "dht22", "pin": 4}, {"kind": "ds18b20", "pin": 4}, {"kind": "bh1750", "scl": 22, "sda": 21}
WEATHER, LED, MOTION = (
    {"kind": "bme280", "scl": 22, "sda": 21},
    {"kind": "led", "pin": 4},
    {"kind": "digital", "pin": 4},
)


@pytest.mark.parametrize(
    "sensors, light, pin",
    [
        ([DHT, DHT], None, None),
        ([WIRE, WIRE], None, None),
        ([LUX, WEATHER], {"kind": "led", "pin": 2}, None),
        ([DHT, {"kind": "dht11", "pin": 4}], None, 4),
        ([DHT, WIRE], None, 4),
        ([MOTION, MOTION], None, 4),
        ([LUX, {**WEATHER, "scl": 21, "sda": 23}], None, 21),
        ([{"kind": "mcu"}, DHT], LED, 4),
    ],
)
def test_who_may_share_a_pin(sensors, light, pin):
    named = [{"name": str(n), **one} for n, one in enumerate(sensors)]
    why = pins.clash({"sensors": named, "indicator": light})
    assert why is None if pin is None else f"are both at pin {pin}: give one of them another" in why


@pytest.mark.parametrize(
    "machine, build, architecture, name",
    [
        ("Generic ESP32 module with ESP32", "ESP32_GENERIC", "xtensawin", "ESP32_GENERIC"),
        (
            "Generic ESP32S3 module with Octal-SPIRAM with ESP32S3",
            "ESP32_GENERIC_S3-X",
            "xtensawin",
            "ESP32_GENERIC_S3",
        ),
        ("LOLIN C3 mini with ESP32-C3FH4", "LOLIN_C3_MINI", "rv32imc", "ESP32_GENERIC_C3"),
        ("LOLIN C3 mini with ESP32-C3FH4", "LOLIN_C3_MINI", None, "ESP32_GENERIC_C3"),  # MicroPython 1.23
        ("M5Stack Atom with ESP32-PICO-D4", "M5STACK_ATOM", "xtensawin", "ESP32_GENERIC"),
    ],
)
def test_a_chip_finds_its_board(machine, build, architecture, name):
    found = boards.detect(Survey(platform="esp32", machine=machine, build=build, architecture=architecture))
    assert found.name == name and architecture in (found.architecture, None)


def test_a_micropython_whose_machine_code_is_another_is_said():
    """The numbers are those of sys.implementation._mpy of 1.22 and 1.23 on an ESP32, and of a C3's 1.24."""
    assert [survey.architecture(mpy) for mpy in (10 << 10 | 0x306, 11 << 10 | 0x306)] == ["xtensawin", "rv32imc"]
    for mpy in (10 << 10 | 0x206, 10 << 10 | 6, 0x305):
        with pytest.raises(OperationError, match=r"not 1\.23 or later, or too new"):
            survey.architecture(mpy)


def test_a_chip_without_a_board_is_said():
    c6 = Survey(platform="esp32", machine="ESP32-C6 with ESP32-C6", build="ESP32_GENERIC_C6", architecture="rv32imc")
    with pytest.raises(OperationError, match=r"nothing for ESP32-C6 with ESP32-C6: boards/README.md says how to add"):
        boards.detect(c6)
    with pytest.raises(OperationError, match="nothing for LOLIN S2 mini with ESP32-S2FN4R2"):
        boards.detect(Survey(platform="esp32", machine="LOLIN S2 mini with ESP32-S2FN4R2", architecture="xtensawin"))
    with pytest.raises(OperationError, match="nothing for Raspberry Pi Pico with RP2040"):
        boards.detect(Survey(platform="rp2", machine="Raspberry Pi Pico with RP2040"))
    with pytest.raises(UsageError, match="there is no board TEAPOT"):
        boards.load("TEAPOT")
    with pytest.raises(OperationError, match=r'config.json: "city" must be a name'):
        boards.check({"city": ""})


def test_mip_installs_a_firmware_that_runs_and_a_deploy_takes_its_place(loop, bench, mpremote):
    (bench.flash / "config.json").write_text('{"city": "MIPTOWN"}')
    mpremote(bench.machine.serial, "mip", "install", "--target", "/", str(REPO / "firmware" / "package.json"))
    installed = {file.relative_to(bench.flash).as_posix() for file in bench.flash.rglob("*.*")} - {"config.json"}
    assert installed == set(needed())
    mpremote(bench.machine.serial, "reset")
    bench.wait_for('{"city": "MIPTOWN"')
    made = loop.run(deploy.deploy(bench.machine.serial))
    assert {path for path in made.old if "." in path} == installed - {"main.py"}
    bench.wait_for('{"city": "MIPTOWN"')
    assert {path.name for path in bench.flash.iterdir()} <= {"a", "config.json", "main.py", "starts.txt", "city.state"}
