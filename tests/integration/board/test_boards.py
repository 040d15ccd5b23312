"""boards/ and firmware/: their lists of files are complete, MicroPython can build each board, pins fit the sensors."""

import ast
import json

import pytest
from deskonomy_host import paths
from deskonomy_host.boards.deploy.deploy import deploy
from deskonomy_host.boards.deploy.inventory import Inventory, decode_architecture
from deskonomy_host.boards.deploy.package import FILE, format_package
from deskonomy_host.boards.spec import catalog, pins
from deskonomy_host.boards.spec.sensors import KINDS, SENSORS
from deskonomy_host.errors import OperationError, UsageError
from helpers.repository import REPO

CHIPS = [name for name in catalog.list_boards() if name != "SIMULATED"]


def test_package_json_lists_all_files_of_firmware():
    assert FILE.read_text(encoding="utf-8") == format_package(), "python -m deskonomy_host.boards.deploy.package"
    urls = json.loads(format_package())["urls"]
    assert dict(urls) == {path: path for path in paths.list_firmware_files()} and len(dict(urls)) == len(urls)


def list_calls(manifest):
    """Return the calls of a MicroPython manifest: [(function, first argument)]."""
    tree = ast.parse(manifest.read_text(encoding="utf-8"))
    return [
        (node.value.func.id, ast.literal_eval(node.value.args[0]))
        for node in tree.body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]


def test_manifest_freezes_all_modules_of_firmware():
    frozen = set()
    for function, argument in list_calls(paths.FIRMWARE / "manifest.py"):
        assert function in ("module", "package")
        frozen |= {argument} if function == "module" else set((paths.FIRMWARE / argument).rglob("*.py"))
    names = {path if isinstance(path, str) else path.relative_to(paths.FIRMWARE).as_posix() for path in frozen}
    # The page cannot be frozen: a deploy puts it beside such an image.
    assert names == {path for path in paths.list_firmware_files() if path.endswith(".py")}


def test_manifest_imports_nothing_of_host():
    tree = ast.parse((paths.FIRMWARE / "manifest.py").read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]


@pytest.mark.parametrize("name", CHIPS)
def test_folder_of_board_is_board_dir_of_micropython(name):
    folder = paths.BOARDS / name
    entry = json.loads((folder / "board.json").read_text(encoding="utf-8"))
    assert {"deploy", "docs", "features", "images", "mcu", "product", "thumbnail", "url", "vendor"} <= set(entry)
    assert entry["deploy_options"]["flash_offset"] == {"esp32": "0x1000"}.get(entry["mcu"], "0")
    cmake = (folder / "mpconfigboard.cmake").read_text(encoding="utf-8")
    assert f"include(boards/mpconfigboard_{entry['mcu']}_common.cmake)" in cmake
    assert "set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)" in cmake
    header = (folder / "mpconfigboard.h").read_text(encoding="utf-8")
    assert "#define MICROPY_HW_BOARD_NAME " in header and "#define MICROPY_HW_MCU_NAME " in header


@pytest.mark.parametrize("name", catalog.list_boards())
def test_manifest_of_board_includes_firmware(name):
    folder = paths.BOARDS / name
    port_folder = "variants/standard" if name == "SIMULATED" else "boards"
    included = [argument for function, argument in list_calls(folder / "manifest.py") if function == "include"]
    assert included == ["$(PORT_DIR)/%s/manifest.py" % port_folder, "../../firmware/manifest.py"]
    assert (folder / included[1]).resolve() == paths.FIRMWARE / "manifest.py"


@pytest.mark.parametrize("name", catalog.list_boards())
def test_first_config_of_board_is_valid(name):
    board = catalog.load_board(name)
    catalog.check_config(board.config)
    catalog.check_config({**board.config, "sensors": [*board.config["sensors"], board.light]})
    assert board.light["pin"] in board.pins["adc"]


def test_kinds_of_sensors_agree_with_drivers_and_pins():
    assert set(SENSORS) == {path.stem for path in (paths.BOARD / "sensors" / "drivers").glob("*.py")}
    capabilities = {capability for spec in KINDS.values() for _, capability in spec.pins}
    assert capabilities == {"adc", "touch", "in", "out"}
    for name in catalog.list_boards():
        assert set(catalog.load_board(name).pins) <= capabilities
    wired = {kind for kind, spec in SENSORS.items() if {setting for setting, _ in spec.pins} & {"pin", "scl"}}
    assert wired == {kind for kind, spec in SENSORS.items() if spec.pins}


def test_message_for_sensor_on_unsuitable_pin():
    touch = {"name": "pad", "kind": "touch", "pin": 4}
    assert [pins.explain_misplaced(touch, catalog.load_board(name)) for name in CHIPS] == [
        None,
        "the touch sensor pad needs a pin that ESP32_GENERIC_C3 does not have",
        None,
    ]
    light = {"name": "light", "kind": "adc", "pin": 4}
    esp32 = catalog.load_board("ESP32_GENERIC")
    where = "32 to 36, 39 of ESP32_GENERIC, not to 4"
    assert pins.explain_misplaced(light, esp32) == "the adc sensor light goes to one of the pins " + where
    assert pins.explain_misplaced({"name": "air", "kind": "rssi"}, esp32) is None
    for kind, pin in (("digital", 6), ("dht22", 34), ("ds18b20", 24), ("button", 1)):
        assert pins.explain_misplaced({"name": "it", "kind": kind, "pin": pin}, esp32).endswith(
            f"of ESP32_GENERIC, not to {pin}"
        )
    lux = {"name": "lux", "kind": "bh1750", "scl": 22, "sda": 21}
    assert [pins.explain_misplaced(lux, catalog.load_board(name)) is None for name in CHIPS] == [True, False, False]


@pytest.mark.parametrize("kind", ["led", "neopixel"])
def test_message_for_light_on_unsuitable_pin(kind):
    light = {"kind": kind, "pin": 34}
    assert pins.explain_misplaced(light, catalog.load_board("ESP32_GENERIC")).startswith(
        "the board's own light (--indicator) goes to "
    )
    assert pins.explain_misplaced(light, catalog.load_board("SIMULATED")) is None


@pytest.mark.parametrize("name", CHIPS)
def test_first_config_of_board_uses_suitable_pins(name):
    board = catalog.load_board(name)
    config = {**board.config, "sensors": [*board.config["sensors"], board.light]}
    assert [
        pins.explain_misplaced(part, board) for part in [*config["sensors"], config["indicator"], board.indicator]
    ] == 4 * [None]
    assert pins.explain_clash(config) is None


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
def test_sensors_that_may_share_a_pin(sensors, light, pin):
    named = [{"name": str(number), **sensor} for number, sensor in enumerate(sensors)]
    problem = pins.explain_clash({"sensors": named, "indicator": light})
    assert problem is None if pin is None else f"are both at pin {pin}: give one of them another" in problem


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
def test_board_is_detected_by_chip(machine, build, architecture, name):
    found = catalog.detect_board(Inventory(platform="esp32", machine=machine, build=build, architecture=architecture))
    assert found.name == name and architecture in (found.architecture, None)


def test_architecture_of_micropython_is_decoded():
    """The numbers are those of sys.implementation._mpy of 1.22 and 1.23 on an ESP32, and of a C3's 1.24."""
    assert [decode_architecture(mpy) for mpy in (10 << 10 | 0x306, 11 << 10 | 0x306)] == ["xtensawin", "rv32imc"]
    for mpy in (10 << 10 | 0x206, 10 << 10 | 6, 0x305):
        with pytest.raises(OperationError, match=r"older than 1\.23, or newer than this program knows"):
            decode_architecture(mpy)


def test_message_for_chip_without_board():
    c6 = Inventory(platform="esp32", machine="ESP32-C6 with ESP32-C6", build="ESP32_GENERIC_C6", architecture="rv32imc")
    with pytest.raises(OperationError, match=r"nothing for ESP32-C6 with ESP32-C6: boards/README.md says how to add"):
        catalog.detect_board(c6)
    with pytest.raises(OperationError, match="nothing for LOLIN S2 mini with ESP32-S2FN4R2"):
        catalog.detect_board(
            Inventory(platform="esp32", machine="LOLIN S2 mini with ESP32-S2FN4R2", architecture="xtensawin")
        )
    with pytest.raises(OperationError, match="nothing for Raspberry Pi Pico with RP2040"):
        catalog.detect_board(Inventory(platform="rp2", machine="Raspberry Pi Pico with RP2040"))
    with pytest.raises(UsageError, match="there is no board TEAPOT"):
        catalog.load_board("TEAPOT")
    with pytest.raises(OperationError, match=r'config.json: "city" must be a name'):
        catalog.check_config({"city": ""})


def test_deploy_replaces_firmware_that_mip_installed(loop, bench, mpremote):
    (bench.flash / "config.json").write_text('{"city": "MIPTOWN"}')
    mpremote(bench.machine.serial, "mip", "install", "--target", "/", str(REPO / "firmware" / "package.json"))
    installed = {file.relative_to(bench.flash).as_posix() for file in bench.flash.rglob("*.*")} - {"config.json"}
    assert installed == set(paths.list_firmware_files())
    mpremote(bench.machine.serial, "reset")
    bench.wait_for('{"city": "MIPTOWN"')
    plan = loop.run(deploy(bench.machine.serial))
    assert {path for path in plan.superseded if "." in path} == installed - {"main.py"}
    bench.wait_for('{"city": "MIPTOWN"')
    assert {path.name for path in bench.flash.iterdir()} <= {"a", "config.json", "main.py", "starts.txt", "city.state"}
