"""The stand-ins say nothing that an ESP32 would not: every name and signature of theirs is in the ESP32's stubs."""

import ast

import pytest
from deskonomy_host import paths
from helpers import stubs

STAND_INS = paths.BOARDS / "SIMULATED" / "stand_ins"
PART_OF = {"clock": "time", "i2c": "machine", "inputs": "machine", "touch_pad": "machine"}
# What other chips do not have, or have under another name: these stand in for the ESP32's alone.
NOT_ON = {"ESP32_GENERIC": [], "ESP32_GENERIC_S3": ["esp32"], "ESP32_GENERIC_C3": ["esp32", "touch_pad"]}


def public(body):
    """{name: [definitions]} of what a module or a class body says in public."""
    names = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            names.setdefault(target.id, []).append(node)
    return {name: nodes for name, nodes in names.items() if not name.startswith("_") or name == "__init__"}


def parameters(function):
    """(by position, by keyword only, takes any) of a function; names, without self."""
    words = function.args
    by_position = [arg.arg for arg in words.posonlyargs + words.args if arg.arg != "self"]
    return by_position, {arg.arg for arg in words.kwonlyargs}, words.vararg is not None


def compare(where, ours, theirs):
    for name, [node, *more] in public(ours).items():
        assert not more, f"{where}.{name} twice"
        found = public(theirs).get(name)
        assert found, f"an ESP32 has no {where}.{name}"
        if isinstance(node, ast.ClassDef):
            compare(f"{where}.{name}", node.body, found[0].body)
        elif isinstance(node, ast.FunctionDef):
            functions = [parameters(other) for other in found if isinstance(other, ast.FunctionDef)]
            assert functions, f"{where}.{name} is no function on an ESP32"
            by_position, by_keyword, _ = parameters(node)
            positions = max(99 if takes_any else len(other) for other, _, takes_any in functions)
            assert len(by_position) <= positions, f"{where}.{name} takes {len(by_position)} by position"
            assert by_keyword <= set().union(*(set(other) | words for other, words, _ in functions)), f"{where}.{name}"
        else:
            assert ast.dump(node.value) == ast.dump(found[0].value), f"{where}.{name} has another value"


@pytest.mark.parametrize("board", stubs.CHIPS)
def test_whatever_a_stand_in_has_its_chip_has_too(board, tmp_path):
    folder = stubs.folder(board, tmp_path)
    for file in sorted(path.stem for path in STAND_INS.glob("*.py") if path.stem != "hardware"):
        module = PART_OF.get(file, file)
        ours = ast.parse((STAND_INS / (file + ".py")).read_text(encoding="utf-8")).body
        theirs = ast.parse((folder / (module + ".pyi")).read_text(encoding="utf-8")).body
        ours = [node for node in ours if not is_put_elsewhere(node)]
        if file in NOT_ON[board]:
            with pytest.raises(AssertionError, match="an ESP32 has no"):
                compare(module, ours, theirs)
        else:
            compare(module, ours, theirs)


def is_put_elsewhere(node):
    """Whether it says `machine.X = X`, or the like."""
    return isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name)


def test_no_firmware_file_knows_of_stand_ins():
    for path, here in paths.firmware_files().items():
        text = here.read_text(encoding="utf-8").lower()
        assert "simulat" not in text and "import hardware" not in text, path


def test_stand_ins_take_nothing_of_a_boards_heap(machine, mpremote):
    """What was weighed is what is in use, give or take what ran before mpremote, and MicroPython's own books."""
    used, free = map(
        int, mpremote(machine.serial, "exec", "import gc; gc.collect(); print(gc.mem_alloc(), gc.mem_free())").split()
    )
    assert abs(used - machine.built_in_bytes) < 2_000
    assert 0.98 * 224 * 1024 < used + free - machine.built_in_bytes <= 224 * 1024
