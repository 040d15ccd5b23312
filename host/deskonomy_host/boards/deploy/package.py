"""firmware/package.json, from which mip installs the firmware's sources on a board.

Here: making the file from the firmware's files; `python -m deskonomy_host.boards.deploy.package` writes it. Not here:
the firmware's files (paths.py), a deploy, which compiles them (deploy.py).
"""

import json

from deskonomy.version import SOFTWARE

from deskonomy_host import paths

FILE = paths.FIRMWARE / "package.json"


def format_package() -> str:
    """Return the text of package.json: the path of each file on a board, and below firmware/."""
    urls = [(path, file.relative_to(paths.FIRMWARE).as_posix()) for path, file in paths.list_firmware_files().items()]
    rows = ",\n".join("    " + json.dumps(url) for url in urls)
    return '{\n  "version": %s,\n  "urls": [\n%s\n  ],\n  "deps": []\n}\n' % (json.dumps(SOFTWARE), rows)


def main() -> None:
    """Write package.json."""
    FILE.write_text(format_package(), encoding="utf-8")


if __name__ == "__main__":
    main()
