"""The stand-ins say nothing that an ESP32 would not: every name and signature of theirs is in the ESP32's stubs."""

import ast
import importlib.metadata
from pathlib import Path

import pytest
from deskonomy_host import paths

STAND_INS = paths.BOARDS / "SIMULATED" / "stand_ins"


def stub(module):
    files = importlib.metadata.files("micropython-esp32-stubs")
    [file] = [file for file in files if str(file) == module + ".pyi"]
    return ast.parse(Path(file.locate()).read_text(encoding="utf-8")).body


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


@pytest.mark.parametrize("module", ["machine", "network"])
def test_whatever_a_stand_in_has_an_esp32_has_too(module):
    ours = ast.parse((STAND_INS / (module + ".py")).read_text(encoding="utf-8")).body
    compare(module, ours, stub(module))


def test_no_firmware_file_knows_of_stand_ins():
    for path, here in paths.firmware_files().items():
        text = here.read_text(encoding="utf-8").lower()
        assert "simulat" not in text and "import hardware" not in text, path
