"""Types: the firmware against each chip's API (its stubs), the host against CPython's; annotations; the linter."""

import ast
import json
import pathlib
import subprocess
import sys

import pytest
from deskonomy_host.boards.spec import catalog
from helpers import stubs
from helpers.repository import REPO

EXAMPLES = "host/examples"
PROGRAMS = ("host/deskonomy_host/bench/programs", "host/deskonomy_host/boards/deploy/device")  # run by MicroPython
STRICT = tuple(f"host/deskonomy_host/{name}" for name in ("roads", "telemetry", "world", "control", "boards/spec"))


def path_from_config(folder, tmp_path):
    """Return the relative path from a configuration in tmp_path to a folder; pyright takes relative paths only."""
    return str(pathlib.Path(*[".."] * len(tmp_path.parts[1:]), *REPO.parts[1:], folder))


def run_pyright(folders, settings, tmp_path):
    """Run pyright over some folders, and return its errors: {file in this repository: [line and text]}."""
    settings |= {
        "include": [path_from_config(folder, tmp_path) for folder in folders],
        "extraPaths": [
            path_from_config(folder, tmp_path) for folder in ("firmware", "host", *PROGRAMS, EXAMPLES, "tests")
        ],
        "pythonVersion": "3.11",
        "typeCheckingMode": "standard",
        "reportMissingModuleSource": False,
    }
    config = tmp_path / "pyrightconfig.json"
    config.write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "-p", str(config), "--pythonpath", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    result = json.loads(done.stdout)
    assert result["summary"]["filesAnalyzed"] > 0, done.stdout
    errors = {}
    for item in result["generalDiagnostics"]:
        file = pathlib.Path(item["file"]).relative_to(REPO).as_posix()
        errors.setdefault(file, []).append(f"{item['range']['start']['line'] + 1}: {item['message']}")
    return errors


def firmware_settings(folder):
    """Return the settings for a chip's stubs.

    The protocol's states ensure that a peer's name and key are not None where they are used; no type checker sees that.
    """
    optional = {"reportOptionalMemberAccess": False, "reportOptionalOperand": False, "reportOptionalSubscript": False}
    return {"stubPath": str(folder), "typeshedPath": str(folder), **optional}


def host_settings(tmp_path):
    """Return the settings for the host tool: strict for the packages that other programs and people build on."""
    return {
        "exclude": [path_from_config(folder, tmp_path) for folder in PROGRAMS],
        "strict": [path_from_config(folder, tmp_path) for folder in STRICT],
    }


@pytest.mark.parametrize("board", stubs.CHIPS)
def test_firmware_is_typed_for_each_chip_except_sensors_that_it_lacks(board, tmp_path):
    errors = run_pyright(
        ["firmware", "boards/drivers"], firmware_settings(stubs.find_folder(board, tmp_path)), tmp_path
    )
    lacking = [capability for capability, pins in catalog.load_board(board).pins.items() if not pins]
    drivers = sorted(f"firmware/deskonomy_board/sensors/drivers/{name}.py" for name in lacking)
    assert sorted(errors) == drivers, errors


@pytest.mark.parametrize("board", stubs.CHIPS)
def test_each_chip_has_one_function_for_its_temperature(board, tmp_path):
    nodes = ast.parse((stubs.find_folder(board, tmp_path) / "esp32.pyi").read_text(encoding="utf-8")).body
    functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    assert len(functions & {"mcu_temperature", "raw_temperature"}) == 1


def test_host_is_typed(tmp_path):
    assert run_pyright(["host"], host_settings(tmp_path), tmp_path) == {}


def public_functions(tree):
    """Yield every function of a module and method of a class whose name is public, and __init__."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and (
            not node.name.startswith("_") or node.name == "__init__"
        ):
            yield node


def is_annotated(function):
    """Return whether a function's result and all its arguments but self and cls are annotated."""
    arguments = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    arguments += [argument for argument in (function.args.vararg, function.args.kwarg) if argument]
    return (function.returns is not None or function.name == "__init__") and all(
        argument.annotation is not None for argument in arguments if argument.arg not in ("self", "cls")
    )


@pytest.mark.parametrize("folder", ["host/deskonomy_host", "firmware"])
def test_public_functions_are_annotated(folder):
    missing = [
        f"{path.relative_to(REPO)}:{function.lineno} {function.name}"
        for path in sorted((REPO / folder).rglob("*.py"))
        if not any(program in path.as_posix() for program in PROGRAMS)
        for function in public_functions(ast.parse(path.read_text(encoding="utf-8")))
        if not is_annotated(function)
    ]
    assert missing == []


@pytest.mark.parametrize(
    "command", sorted(path.relative_to(REPO) for path in REPO.glob("tests/proofs/*/run.py")), ids=str
)
def test_long_proof_starts_from_any_folder(command, tmp_path):
    arguments = [sys.executable, str(REPO / command), "--help"]
    done = subprocess.run(arguments, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.startswith("usage: run.py") or "pip install -e '.[fuzz]'" in done.stderr, done.stderr


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_ruff_finds_nothing(command):
    done = subprocess.run([sys.executable, "-m", "ruff", *command, str(REPO)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
