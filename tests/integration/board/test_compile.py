"""What is deployed does what the sources say, on a real MicroPython, though modules, names and texts are others."""

import subprocess

import pytest
from deskonomy_host.boards.deploy import compile as build
from deskonomy_host.boards.deploy.shrink.bundle import bundled
from deskonomy_host.errors import OperationError

SOURCES = {
    "deskonomy/__init__.py": '"""A package."""\n',
    "deskonomy/words.py": """
from .limits import MOST, Wrong
_count = [0]
def shown(text):
    '''Counts, and says so.'''
    _count[0] += 1
    return "more than ten: %s, %d" % (text, MOST)
def name(raw):
    return "the name is %s" % raw
""",
    "deskonomy/limits.py": """
from micropython import const
MOST = const(7)
_OWN = const(8)
class Wrong(ValueError):
    def __init__(self, reason, depth=_OWN):
        super().__init__(reason)
        self._depth = depth
    def depth(self):
        return self._depth
def shown(text):
    return [_OWN, text]
""",
    "deskonomy/town.py": """
import sys
from . import limits, words
from .words import shown
class Town:
    limit = limits.MOST
    def __init__(self, name, first=1, *rest, last=words.shown("last")):
        self._name, self._first, self._rest, self._last = words.name(name), first, rest, last
    def every(self):
        for name in (self._name, self._first, self._rest, self._last):
            yield name
    def found(self, shown):
        inner = lambda text: [shown for shown in text if shown != self._first]
        return inner(shown), limits.shown(shown), {one: words.MOST for one in shown}
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
                    raise words.Wrong("count %d" % count, depth=count)
                else:
                    total += 1
            except limits.Wrong as error:
                total += error.depth() + len(shown(error.args[0]))
            finally:
                count -= 1
        return total
""",
    "main.py": """
from deskonomy import words
from deskonomy.town import Town
def main():
    town = Town("Ä", 3, 4, last=words.shown("it"))
    print(list(town.every()), town.found([1, 2, 3]), town.jumps(100), Town.limit, Town("B", first=2).found([2]))
    from deskonomy.limits import MOST, Wrong, shown
    from board.config import read
    print(MOST, issubclass(Wrong, ValueError), shown(1), read())
""",
    "deskonomy_board/__init__.py": "",
    "deskonomy_board/config.py": """
from deskonomy.words import name
from deskonomy import limits
TEXT = "a text of which nothing stays when it is dropped"
def read():
    return name(TEXT), limits.MOST, limits.shown(1)
""",
}


def said(micropython, folder, program):
    words = [micropython, "-c", "import sys; sys.path.insert(0, %r); %s" % (str(folder), program)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.fixture
def folders(tmp_path):
    """The sources, and what is made of them."""
    for path, text in SOURCES.items():
        (tmp_path / "plain" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "plain" / path).write_text(text)
    files = build.compiled({path: tmp_path / "plain" / path for path in SOURCES}, None)
    for path, data in files.items():
        (tmp_path / "built" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "built" / path).write_bytes(data)
    return tmp_path / "plain", tmp_path / "built"


def test_what_is_built_says_what_the_sources_say(micropython, folders):
    plain, built = [said(micropython, folder, "import main; main.main()") for folder in folders]
    assert built == plain and plain.count("\n") == 2


def test_a_module_is_still_found_by_its_name(micropython, folders):
    program = "from deskonomy.limits import MOST, shown; from deskonomy.town import Town; print(MOST, shown(2), Town)"
    plain, built = [said(micropython, folder, program) for folder in folders]
    assert built == plain


def test_modules_become_one_and_constants_numbers():
    new = bundled(SOURCES, ["deskonomy_board/config.py"])
    one = new["deskonomy/__init__.py"]
    assert "import sys" in one and "from ." not in one and "const(" not in one and "MOST" not in one
    assert "def words_shown(text)" in one or "def limits_shown(text)" in one
    assert new["deskonomy/limits.py"].startswith("MOST = 7\nfrom deskonomy import Wrong as Wrong\n")
    assert "TEXT" in new["deskonomy_board/config.py"] and "limits.MOST" not in new["deskonomy_board/config.py"]


def test_what_only_a_function_imports_stays_a_module():
    late = SOURCES | {"deskonomy/late.py": "from .limits import MOST\nx = MOST\n"}
    late["deskonomy/words.py"] += "def late():\n    from .late import x\n    return x\n"
    new = bundled(late, ["deskonomy_board/config.py"])
    assert new["deskonomy/late.py"] == "x = 7\n" and "from deskonomy.late import x" in new["deskonomy/__init__.py"]


def test_texts_are_names_but_in_modules_that_are_dropped(folders):
    text = b"more than ten: %s, %d"
    one = (folders[1] / "deskonomy/__init__.mpy").read_bytes()
    assert text in one and b"\x05" + bytes([len(text)]) + text not in one
    config = (folders[1] / "deskonomy_board/config.mpy").read_bytes()
    assert b"\x05\x30a text of which nothing stays when it is dropped\0" in config  # an object of kind 5, 48 bytes long


def test_private_names_and_names_of_arguments_take_no_memory(folders):
    data = (folders[1] / "deskonomy/__init__.mpy").read_bytes()
    assert not any(name in data for name in (b"_first\0", b"_depth\0", b"raw\0"))
    assert all(name in data for name in (b"first\0", b"last\0", b"depth\0", b"found\0"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def f():\n    global x\n", "says global"),
        ("from . import limits\nx = [limits]\n", "uses the module limits as an object"),
        ("import sys as os\n", "imports another os"),
        ("def\n", "does not compile"),
    ],
)
def test_what_cannot_be_put_together_is_refused(tmp_path, text, reason):
    sources = SOURCES | {"deskonomy/more.py": text, "deskonomy/again.py": "import os\n"}
    sources["main.py"] = "from deskonomy import again, more\n"
    for path, source in sources.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(source)
    with pytest.raises(OperationError, match=reason):
        build.compiled({path: tmp_path / path for path in sources}, None)
