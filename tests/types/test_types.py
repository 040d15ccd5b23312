"""Types: the firmware against the ESP32's real API (its stubs), the host against CPython's; and the linter's word."""

import json
import pathlib
import subprocess
import sys
import sysconfig

import pytest
from places import REPO

STUBS = pathlib.Path(sysconfig.get_path("purelib"))


ON_BOARD = "host/deskonomy_host/on_board"  # programs that the host runs on a MicroPython


def from_config(folder, tmp_path):
    """A folder of this repository as a configuration in tmp_path must name it: pyright takes relative paths only."""
    return str(pathlib.Path(*[".."] * len(tmp_path.parts[1:]), *REPO.parts[1:], folder))


def check(folders, settings, tmp_path):
    """Run pyright over some folders; returns its complaints."""
    settings |= {
        "include": [from_config(folder, tmp_path) for folder in folders],
        "extraPaths": [from_config(folder, tmp_path) for folder in ("firmware", "host", ON_BOARD, "tests/core")],
        "pythonVersion": "3.11",
        "typeCheckingMode": "standard",
        "reportMissingModuleSource": False,
    }
    config = tmp_path / "pyrightconfig.json"
    config.write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "-p", str(config), "--pythonpath", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] > 0, done.stdout
    complaints = found["generalDiagnostics"]
    return [f"{item['file']}:{item['range']['start']['line'] + 1}: {item['message']}" for item in complaints]


def firmware_settings():
    return {"stubPath": str(STUBS), "typeshedPath": str(STUBS)}


def host_settings(tmp_path):
    return {"exclude": [from_config(ON_BOARD, tmp_path)]}


@pytest.mark.skipif(not (STUBS / "machine.pyi").exists(), reason="the ESP32's stubs are not installed")
def test_firmware_is_typed_for_the_esp32(tmp_path):
    assert check(["firmware"], firmware_settings(), tmp_path) == []


def test_host_is_typed(tmp_path):
    assert check(["host"], host_settings(tmp_path), tmp_path) == []


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_ruff(command):
    done = subprocess.run([sys.executable, "-m", "ruff", *command, str(REPO)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
