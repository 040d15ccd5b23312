"""Runs on a board, by mpremote: prints what a deploy has to know, as one line of JSON."""

import binascii
import hashlib
import json
import os
import sys


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while True:
            block = file.read(512)
            if not block:
                return binascii.hexlify(digest.digest()).decode()
            digest.update(block)


def walk(folder, files, folders):
    for entry in os.ilistdir(folder or "."):
        path = folder + entry[0]
        if entry[1] == 0x4000:
            folders.append(path)
            walk(path + "/", files, folders)
        else:
            files[path] = (sha256(path), os.stat(path)[6])


def is_frozen():
    """Whether the firmware is part of the image that the chip runs."""
    before = sys.path[:]
    sys.path[:] = [".frozen"]
    try:
        import deskonomy_board.watchdog  # noqa: F401 - small, and nobody else has one of this name
    except ImportError:
        return False
    finally:
        sys.path[:] = before
    return True


files, folders = {}, []
walk("", files, folders)
space = os.statvfs("/")
print(
    json.dumps(
        {
            "mpy": getattr(sys.implementation, "_mpy", 0),
            "machine": sys.implementation._machine,
            "build": getattr(sys.implementation, "_build", ""),
            "platform": sys.platform,
            "version": sys.implementation[1][:3],
            "frozen": is_frozen(),
            "block": space[0],
            "free": space[3],
            "files": files,
            "folders": folders,
        }
    )
)
