"""Types: the firmware against the real API of each chip (its stubs), the host against CPython's; the linter's word."""

import ast
import json
import pathlib
import subprocess
import sys

import pytest
from deskonomy_host.boards.spec import catalog as boards
from helpers import stubs
from helpers.repository import REPO

EXAMPLES = "host/examples"
PROGRAMS = ("host/deskonomy_host/bench/programs", "host/deskonomy_host/boards/deploy/device")  # run by MicroPython


def from_config(folder, tmp_path):
    """A folder of this repository as a configuration in tmp_path must name it: pyright takes relative paths only."""
    return str(pathlib.Path(*[".."] * len(tmp_path.parts[1:]), *REPO.parts[1:], folder))


def check(folders, settings, tmp_path):
    """Run pyright over some folders; returns its complaints, {file in this repository: [line and words]}."""
    settings |= {
        "include": [from_config(folder, tmp_path) for folder in folders],
        "extraPaths": [from_config(folder, tmp_path) for folder in ("firmware", "host", *PROGRAMS, EXAMPLES, "tests")],
        "pythonVersion": "3.11",
        "typeCheckingMode": "standard",
        "reportMissingModuleSource": False,
    }
    config = tmp_path / "pyrightconfig.json"
    config.write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "-p", str(config), "--pythonpath", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] > 0, done.stdout
    complaints = {}
    for item in found["generalDiagnostics"]:
        file = pathlib.Path(item["file"]).relative_to(REPO).as_posix()
        complaints.setdefault(file, []).append(f"{item['range']['start']['line'] + 1}: {item['message']}")
    return complaints


def firmware_settings(stubs):
    # What is None until a peer is named, or a key asked, is told by the protocol's states, which no checker sees.
    until = {"reportOptionalMemberAccess": False, "reportOptionalOperand": False}
    return {"stubPath": str(stubs), "typeshedPath": str(stubs), **until}


def host_settings(tmp_path):
    return {"exclude": [from_config(folder, tmp_path) for folder in PROGRAMS]}


@pytest.mark.parametrize("board", stubs.CHIPS)
def test_firmware_is_typed_for_each_chip_but_for_the_kinds_of_sensors_that_it_lacks(board, tmp_path):
    complaints = check(["firmware"], firmware_settings(stubs.folder(board, tmp_path)), tmp_path)
    lacking = [kind for kind, pins in boards.load(board).pins.items() if not pins]
    assert sorted(complaints) == sorted(f"firmware/deskonomy_board/sensors/drivers/{kind}.py" for kind in lacking), (
        complaints
    )


@pytest.mark.parametrize("board", stubs.CHIPS)
def test_each_chip_tells_its_temperature_in_one_of_two_ways(board, tmp_path):
    told = ast.parse((stubs.folder(board, tmp_path) / "esp32.pyi").read_text(encoding="utf-8")).body
    functions = {node.name for node in told if isinstance(node, ast.FunctionDef)}
    assert len(functions & {"mcu_temperature", "raw_temperature"}) == 1


def test_host_is_typed(tmp_path):
    assert check(["host"], host_settings(tmp_path), tmp_path) == {}


@pytest.mark.parametrize(
    "command", sorted(path.relative_to(REPO) for path in REPO.glob("tests/proofs/*/run.py")), ids=str
)
def test_the_long_proofs_find_what_they_need(command, tmp_path):
    words = [sys.executable, str(REPO / command), "--help"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.startswith("usage: run.py") or "pip install -e '.[fuzz]'" in done.stderr, done.stderr


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_ruff(command):
    done = subprocess.run([sys.executable, "-m", "ruff", *command, str(REPO)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
