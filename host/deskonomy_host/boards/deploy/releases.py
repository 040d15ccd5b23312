"""Earlier releases of the firmware: how their files on a board are recognised.

Here: the main.py and the paths of each release before this one, from releases.json. Not here: the files of this
release (paths.py), which files of a board belong to the firmware (ownership.py).

Only main.py is recognised by its SHA-256. The compiled files of a release differ between versions of mpy-cross, so
they are recognised by their paths.
"""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).with_name("releases.json")


class Release(NamedTuple):
    """An earlier release.

    Attributes:
        main_sha256: {hex SHA-256 of a main.py: the slot that it runs, "" for the main.py that mip installs}.
        sources: Paths of its source files, below a slot or where mip puts them.
    """

    main_sha256: dict[str, str]
    sources: frozenset[str]


@cache
def earlier_releases() -> dict[str, Release]:
    """Return {version: release} of all earlier releases that a deploy brings up to date."""
    releases = {}
    for version, recorded in json.loads(_FILE.read_text(encoding="utf-8")).items():
        mains = {digest: "" if name == "mip" else name for name, digest in recorded["main_sha256"].items()}
        releases[version] = Release(mains, frozenset(recorded["files"]))
    return releases
