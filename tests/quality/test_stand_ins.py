"""The stand-ins have nothing that an ESP32 lacks: every name and signature of theirs is in the ESP32's stubs."""

import ast

import pytest
from deskonomy_host import paths
from deskonomy_host.boards.spec.sensors import KINDS
from helpers import stubs

STAND_INS = paths.BOARDS / "SIMULATED" / "stand_ins"
PART_OF = {"clock": "time", "i2c": "machine", "inputs": "machine", "touch_pad": "machine"}
# What other chips do not have, or have under another name: these stand in for the ESP32's alone.
NOT_ON = {"ESP32_GENERIC": [], "ESP32_GENERIC_S3": ["esp32"], "ESP32_GENERIC_C3": ["esp32", "touch_pad"]}


def find_public(body):
    """Return {name: [definitions]} of the public names of a module or a class body."""
    names = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            names.setdefault(target.id, []).append(node)
    return {name: nodes for name, nodes in names.items() if not name.startswith("_") or name == "__init__"}


def find_parameters(function):
    """Return (positional names, keyword-only names, whether it takes *args) of a function, without self."""
    arguments = function.args
    positional = [arg.arg for arg in arguments.posonlyargs + arguments.args if arg.arg != "self"]
    return positional, {arg.arg for arg in arguments.kwonlyargs}, arguments.vararg is not None


def compare(where, stand_in, real):
    """Check that each public name of a stand-in's body is in the body of the real module or class."""
    for name, [node, *others] in find_public(stand_in).items():
        assert not others, f"{where}.{name} twice"
        found = find_public(real).get(name)
        assert found, f"an ESP32 has no {where}.{name}"
        if isinstance(node, ast.ClassDef):
            compare(f"{where}.{name}", node.body, found[0].body)
        elif isinstance(node, ast.FunctionDef):
            signatures = [find_parameters(other) for other in found if isinstance(other, ast.FunctionDef)]
            assert signatures, f"{where}.{name} is no function on an ESP32"
            positional, keyword_only, _ = find_parameters(node)
            count_max = max(99 if takes_any else len(names) for names, _, takes_any in signatures)
            assert len(positional) <= count_max, f"{where}.{name} takes {len(positional)} by position"
            assert keyword_only <= set().union(*(set(names) | keywords for names, keywords, _ in signatures)), (
                f"{where}.{name}"
            )
        else:
            assert ast.dump(node.value) == ast.dump(found[0].value), f"{where}.{name} has another value"


@pytest.mark.parametrize("board", stubs.CHIPS)
def test_every_name_of_a_stand_in_is_on_its_chip(board, tmp_path):
    folder = stubs.find_folder(board, tmp_path)
    for file in sorted(path.stem for path in STAND_INS.glob("*.py") if path.stem != "hardware"):
        module = PART_OF.get(file, file)
        stand_in = ast.parse((STAND_INS / (file + ".py")).read_text(encoding="utf-8")).body
        real = ast.parse((folder / (module + ".pyi")).read_text(encoding="utf-8")).body
        stand_in = [node for node in stand_in if not assigns_attribute(node)]
        if file in NOT_ON[board]:
            with pytest.raises(AssertionError, match="an ESP32 has no"):
                compare(module, stand_in, real)
        else:
            compare(module, stand_in, real)


def assigns_attribute(node):
    """Return whether a statement is `machine.X = X`, or the like."""
    return isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name)


def test_every_stand_in_is_loaded_for_a_kind_or_for_every_board():
    of_kinds = {module for spec in KINDS.values() for module in spec.stand_ins}
    assert of_kinds | {"hardware", "clock", "machine", "network"} == {path.stem for path in STAND_INS.glob("*.py")}


def test_firmware_does_not_mention_stand_ins():
    # The table of sensor kinds is for the simulator too.
    for path, file in paths.list_firmware_files().items():
        if path == "deskonomy_board/sensors/specs.py":
            continue
        text = file.read_text(encoding="utf-8").lower()
        assert "simulat" not in text and "import hardware" not in text, path
