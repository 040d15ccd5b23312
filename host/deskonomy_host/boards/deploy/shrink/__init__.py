"""Making the firmware smaller: a board's heap holds its code, since a stock image cannot run it from the flash.

Here: one function, and the order of its steps. Not here: the steps: what a board does not need (type_hints.py,
unused.py), one module out of many (bundle.py, scopes.py, source_module.py), other names (new_names.py), texts and
arguments in compiled files (mpy.py, mpy_file.py, bytecode.py).

docs/memory.md says what each step saves. Nothing in the sources, and nothing outside this package, depends on it: the
files do what the sources say. A traceback on a board has other names; `python -m deskonomy_host.boards.deploy.shrink`
puts those of the sources beside them.
"""

from collections.abc import Callable, Mapping

from deskonomy_host.boards.deploy.shrink.bundle import PROGRAM, bundle_modules, list_unloaded
from deskonomy_host.boards.deploy.shrink.mpy import shrink_files


def shrink(sources: Mapping[str, str], compile_module: Callable[[str, str], bytes]) -> dict[str, bytes]:
    """Compile the firmware into files that take less of a board's heap than its sources, compiled as they are.

    Args:
        sources: {path in a slot: Python source} of all modules. With a main.py they are a whole program; without, other
            programs may use their public names.
        compile_module: Called as compile_module(path, source); returns the module as an .mpy file.

    Returns:
        {path in a slot: .mpy file}, with a file for each source, so that every module can still be imported.

    Raises:
        SyntaxError: A source is no Python.
        ValueError: A source uses what the bundle does not support: a `global` statement, a bundled module as an object,
            or one name for imports of different things.
    """
    bundled = bundle_modules(sources)
    files = {_mpy_path(path): compile_module(path, source) for path, source in bundled.items()}
    return shrink_files(files, [_mpy_path(path) for path in list_unloaded(sources)], closed=PROGRAM in sources)


def _mpy_path(path: str) -> str:
    return path.removesuffix(".py") + ".mpy"
