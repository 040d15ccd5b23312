"""`python -m deskonomy_host.boards.deploy.shrink < crash.log`: a board's traceback with the names of the sources.

Here: the names behind each line of a traceback, for the firmware of this installation. Not here: how names are chosen
(new_names.py).
"""

import re
import sys
from collections.abc import Mapping

from deskonomy_host import paths
from deskonomy_host.boards.deploy.shrink.bundle import find_original_names

_FUNCTION = re.compile(r"(, in )(\w+)$", re.MULTILINE)


def restore_names(traceback: str, originals: Mapping[str, list[str]]) -> str:
    """Return a traceback in which the names from the sources follow each new name, {new name: names}."""

    def restore(match: re.Match[str]) -> str:
        names = originals.get(match[2])
        return match[0] + (" (%s)" % " or ".join(names) if names else "")

    return _FUNCTION.sub(restore, traceback)


def main() -> None:
    """Read a traceback from stdin, and print it with the names of the sources."""
    sources = {path: file for path, file in paths.list_firmware_files().items() if file.suffix == ".py"}
    texts = {path: file.read_text(encoding="utf-8") for path, file in sources.items()}
    print(restore_names(sys.stdin.read(), find_original_names(texts)), end="")


if __name__ == "__main__":
    main()
