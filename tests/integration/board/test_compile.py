"""Compiled firmware: it does what the sources say on a real MicroPython, with other modules, names and texts."""

import ast
import re
import subprocess
import sys

import pytest
from deskonomy_host import paths
from deskonomy_host.boards.deploy.compile import compile_firmware
from deskonomy_host.boards.deploy.shrink import new_names
from deskonomy_host.boards.deploy.shrink.__main__ import restore_names
from deskonomy_host.boards.deploy.shrink.bundle import bundle_modules, find_original_names
from deskonomy_host.boards.deploy.shrink.source_module import bound_names
from deskonomy_host.boards.deploy.shrink.type_hints import remove_type_hints
from deskonomy_host.errors import OperationError
from helpers.stubs import find_folder

SOURCES = {
    "deskonomy/__init__.py": '"""A package."""\n',
    "deskonomy/texts.py": """
from .compat import TYPE_CHECKING, check
from .limits import MOST, LimitError
if TYPE_CHECKING:
    from collections.abc import Sequence
_count: "Sequence[int]" = [0]
def format(text: str) -> str:
    '''Count, and return a text.'''
    _count[0] += 1
    return check("more than ten: %s, %d" % (text, MOST))
def name(raw):
    return "the name is %s" % raw
""",
    "deskonomy/compat.py": """
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
def check(value: "Any"):
    return value
""",
    "deskonomy/limits.py": """
from micropython import const
MOST = const(7)
_OWN = const(8)
class LimitError(ValueError):
    maximum: int
    def __init__(self, reason, depth=_OWN):
        super().__init__(reason)
        self._depth = depth
    def depth(self):
        return self._depth
def format(text):
    return [_OWN, text]
""",
    "deskonomy/town.py": """
import sys
from . import limits, texts
from .texts import format
class Town:
    limit = limits.MOST
    def __init__(self, name, first=1, *rest, last=texts.format("last")) -> None:
        self._name, self._first, self._rest, self._last = texts.name(name), first, rest, last
    def every(self):
        for name in (self._name, self._first, self._rest, self._last):
            yield name
    def found(self, format: "Sequence[int]"):
        inner = lambda text: [format for format in text if format != self._first]
        return inner(format), limits.format(format), {number: texts.MOST for number in format}
    def jumps(self, count):
        total = 0
        while count > 0:
            try:
                if count % 3 == 0:
                    continue
                elif count % 5 == 0 or count == 1 and total > 10000:
                    total += len("a long text that stands here for its length alone") * 2
                elif count % 7 == 0:
                    total = total * 3 + sum([count, total, count - 1, count - 2, count - 3, count - 4, count - 5])
                    total = max(total, count, total - 1, total - 2, total - 3, total - 4, total - 5, total - 6)
                    raise texts.LimitError("count %d" % count, depth=count)
                else:
                    total += 1
            except limits.LimitError as error:
                total += error.depth() + len(format(error.args[0]))
            finally:
                count -= 1
        return total
""",
    "main.py": """
from deskonomy import texts
from deskonomy.town import Town
UNLOADED = ("deskonomy_board.config",)
def main():
    town = Town("Ä", 3, 4, last=texts.format("it"))
    print(list(town.every()), town.found([1, 2, 3]), town.jumps(100), Town.limit, Town("B", first=2).found([2]))
    from deskonomy.limits import MOST, LimitError, format
    from deskonomy_board.config import read
    print(MOST, issubclass(LimitError, ValueError), format(1), read())
""",
    "deskonomy_board/__init__.py": "",
    "deskonomy_board/config.py": """
from deskonomy.texts import name
from deskonomy import limits
TEXT = "unloaded with config"
def read():
    return name(TEXT), limits.MOST, limits.format(1)
""",
}


def run(micropython, folder, program):
    """Return what this program prints on MicroPython, with the modules of the folder."""
    command = [micropython, "-c", "import sys; sys.path.insert(0, %r); %s" % (str(folder), program)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.fixture
def folders(tmp_path):
    """Return two folders: with the sources, and with the compiled firmware."""
    for path, text in SOURCES.items():
        (tmp_path / "plain" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "plain" / path).write_text(text)
    files = compile_firmware({path: tmp_path / "plain" / path for path in SOURCES}, None)
    for path, data in files.items():
        (tmp_path / "compiled" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "compiled" / path).write_bytes(data)
    return tmp_path / "plain", tmp_path / "compiled"


def test_compiled_program_prints_what_sources_print(micropython, folders):
    plain, compiled = [run(micropython, folder, "import main; main.main()") for folder in folders]
    assert compiled == plain and plain.count("\n") == 2


def test_bundled_module_is_imported_by_its_own_name(micropython, folders):
    program = "from deskonomy.limits import MOST, format; from deskonomy.town import Town"
    program += "; print(MOST, format(2), *Town(1).every())"
    plain, compiled = [run(micropython, folder, program) for folder in folders]
    assert compiled == plain


def test_modules_become_one_and_constants_become_numbers():
    bundled = bundle_modules(SOURCES)
    bundle = bundled["deskonomy/__init__.py"]
    assert "import sys" in bundle and "from ." not in bundle and "const(" not in bundle and "MOST" not in bundle
    library = bundle_modules({path: text for path, text in SOURCES.items() if path != "main.py"})
    bundle = library["deskonomy/__init__.py"]
    assert "def texts_format(text)" in bundle or "def limits_format(text)" in bundle
    assert bundled["deskonomy/limits.py"].startswith("MOST = 7\nfrom deskonomy import LimitError as LimitError\n")
    config = bundled["deskonomy_board/config.py"]
    assert "unloaded with config" in config and "limits.MOST" not in config


def test_type_hints_are_removed():
    bundled = bundle_modules(SOURCES)
    for source in bundled.values():
        assert not any(text in source for text in ("Sequence", "Any", "->", ": int", ": str"))
    assert [path for path, source in bundled.items() if "TYPE_CHECKING" in source] == ["deskonomy/compat.py"]
    assert bundled["deskonomy/compat.py"].startswith("TYPE_CHECKING = False\n")  # for a module that is not compiled


def test_native_function_keeps_its_annotations():
    source = "import micropython\n@micropython.viper\ndef f(a: int) -> int:\n    return a\n"
    source += "def g(a: int) -> int:\n    return a\n"
    sources = SOURCES | {"deskonomy/native.py": source + "f, g\n"}
    native = bundle_modules(sources)["deskonomy/native.py"]
    assert re.search(r"@micropython.viper\ndef \w+\(a: int\) -> int:", native) and re.search(r"\ndef \w+\(a\):", native)


def test_module_that_only_a_function_imports_stays_alone():
    sources = SOURCES | {"deskonomy/late.py": "from .limits import MOST\nx = MOST\n"}
    sources["deskonomy/texts.py"] += "def late():\n    from .late import x\n    return x\nlate\n"
    bundled = bundle_modules(sources)
    assert re.fullmatch(r"\w+ = 7\n", bundled["deskonomy/late.py"])
    assert "from deskonomy.late import" in bundled["deskonomy/__init__.py"]


def test_module_that_main_imports_under_a_condition_stays_alone():
    sources = SOURCES | {"deskonomy/rare.py": "def rare():\n    return 1\n"}
    sources["main.py"] += "    if len(MOST) > 8:\n        from deskonomy.rare import rare\n        rare()\n"
    assert re.fullmatch(r"def \w+\(\):\n    return 1\n", bundle_modules(sources)["deskonomy/rare.py"])


def test_texts_become_names_except_in_unloaded_modules(folders):
    text = b"more than ten: %s, %d"
    bundle = (folders[1] / "deskonomy/__init__.mpy").read_bytes()
    assert text in bundle and b"\x05" + bytes([len(text)]) + text not in bundle
    config = (folders[1] / "deskonomy_board/config.mpy").read_bytes()
    text = b"unloaded with config"
    assert b"\x05" + bytes([len(text)]) + text + b"\0" in config  # an object of type 5


def test_private_names_and_names_of_arguments_take_no_memory(folders):
    data = (folders[1] / "deskonomy/__init__.mpy").read_bytes()
    assert not any(name in data for name in (b"_first\0", b"_depth\0", b"raw\0"))
    assert all(name in data for name in (b"first\0", b"last\0", b"depth\0", b"found\0"))


def test_names_of_a_program_are_replaced_unless_texts_or_main_use_them():
    sources = SOURCES | {
        "deskonomy/names.py": """
class Names:
    def used_by_text(self):
        return self.used_by_nothing
    def used_by_main(self):
        self.used_by_nothing = getattr(self, "used_by_text")
    def used_nowhere(self):
        pass
class NameError(Exception):
    pass
_base = NameError
"""
    }
    sources["main.py"] += "    from deskonomy.names import Names\n    Names().used_by_main()\n"
    bundle = bundle_modules(sources)["deskonomy/__init__.py"]
    assert all(name in bundle for name in ("def used_by_text(", "def used_by_main(", "class NameError("))
    assert not any(name in bundle for name in ("used_by_nothing", "used_nowhere", "class Names"))
    library = bundle_modules({path: text for path, text in sources.items() if path != "main.py"})
    bundle = library["deskonomy/__init__.py"]
    assert all(name in bundle for name in ("used_by_nothing", "used_nowhere", "class Names"))


def test_names_of_sources_are_put_beside_those_of_a_traceback():
    originals = find_original_names(SOURCES)
    (new,) = [new for new, names in originals.items() if names[0] == "deskonomy.town.Town"]
    traceback = f'  File "deskonomy", line 1, in {new}\n  File "main", line 1, in main\nValueError: in {new} now\n'
    lines = restore_names(traceback, originals).splitlines()
    assert lines[0].startswith(f'  File "deskonomy", line 1, in {new} (deskonomy.town.Town')
    assert lines[1:] == traceback.splitlines()[1:]


def list_attributes(sources):
    """Return the names of attributes that sources define, and those that they use of anything but asyncio."""
    defined, used = set(), set()
    for node in (node for text in sources.values() for node in ast.walk(remove_type_hints(ast.parse(text)))):
        if isinstance(node, ast.Attribute):
            if not (isinstance(node.value, ast.Name) and node.value.id == "asyncio"):
                (defined if isinstance(node.ctx, ast.Store) else used).add(node.attr)
        elif isinstance(node, ast.ClassDef):
            defined |= set(bound_names(node.body))
    return defined, used


def test_firmware_finds_all_its_names_after_renaming(tmp_path):
    sources = {path: file for path, file in paths.list_firmware_files().items() if file.suffix == ".py"}
    sources = {path: file.read_text(encoding="utf-8") for path, file in sources.items()}
    bundled = bundle_modules(sources)
    defined_before, _ = list_attributes(sources)
    defined, used = list_attributes(bundled)
    assert not used & (defined_before - defined)
    for path, text in bundled.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_firmware_renames_no_attribute_of_micropython(tmp_path):
    members = set()
    for file in find_folder("ESP32_GENERIC", tmp_path).rglob("*.pyi"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                members |= set(bound_names(node.body))
    sources = {path: file for path, file in paths.list_firmware_files().items() if file.suffix == ".py"}
    sources = {path: file.read_text(encoding="utf-8") for path, file in sources.items()}
    defined_before, _ = list_attributes(sources)
    defined, _ = list_attributes(bundle_modules(sources))
    renamed = {name for name in defined_before - defined if not name.startswith("_")}
    assert renamed
    assert renamed & members == set(), "add these to new_names._FOREIGN"


def test_new_names_take_no_memory(micropython):
    assignments = "\n".join(f"{name} = 0" for name in f"{new_names.EVERYWHERE} {new_names.BUILT_IN}".split())
    program = f"import micropython\nmicropython.qstr_info()\nexec({assignments!r})\nmicropython.qstr_info()"
    command = [micropython, "-X", "heapsize=1m", "-c", program]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    before, after = re.findall(r"n_qstr=(\d+)", output)
    assert before == after


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def f():\n    global x\n", "has a global statement"),
        ("from . import limits\nx = [limits]\n", "uses the module limits as an object"),
        ("import sys as os\n", "imports another os"),
        ("def\n", "does not compile"),
    ],
)
def test_unsupported_source_fails_compilation(tmp_path, text, reason):
    sources = SOURCES | {"deskonomy/second.py": text, "deskonomy/first.py": "import os\n"}
    sources["main.py"] = "from deskonomy import first, second\nsecond.f\n"
    for path, source in sources.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(source)
    with pytest.raises(OperationError, match=reason):
        compile_firmware({path: tmp_path / path for path in sources}, None)


def test_new_names_hide_nothing_that_the_compiler_loads(micropython, tmp_path):
    """A program whose globals have all new names still handles exceptions in `async with`, `async for` and `assert`."""
    names = f"{new_names.EVERYWHERE} {new_names.BUILT_IN}".split()
    program = """
import asyncio
class Lock:
    async def __aenter__(self):
        pass
    async def __aexit__(self, kind, error, trace):
        events_.append(kind.__name__)
class Twice:
    count_ = 0
    def __aiter__(self):
        return self
    async def __anext__(self):
        self.count_ += 1
        if self.count_ > 2:
            raise StopAsyncIteration
        return self.count_
async def run_all():
    try:
        async with Lock():
            raise asyncio.CancelledError
    except asyncio.CancelledError:
        events_.append("cancelled")
    async for number_ in Twice():
        events_.append(number_)
    try:
        assert not events_
    except Exception as error_:
        events_.append(type(error_).__name__)
events_ = []
NAMES
asyncio.run(run_all())
write_(events_)
"""
    assignments = "\n".join(f"{name} = None" for name in names if name not in ("type", "print", "run"))
    (tmp_path / "program.py").write_text("write_ = print\n" + program.replace("NAMES", assignments + "\nprint = None"))
    done = subprocess.run([micropython, tmp_path / "program.py"], capture_output=True, text=True, timeout=60)
    assert done.stdout == "['CancelledError', 'cancelled', 1, 2, 'AssertionError']\n", done.stdout + done.stderr
