"""Run on a board by mpremote: print what a deploy needs to know about the board, as one line of JSON."""

import binascii
import hashlib
import json
import os
import sys


def sha256(path):
    """Return the hex SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while True:
            block = file.read(512)
            if not block:
                return binascii.hexlify(digest.digest()).decode()
            digest.update(block)


def walk(folder, files, folders):
    """Add {path: (hex SHA-256, bytes)} of the files below a folder ("" or "NAME/"), and the paths of its folders."""
    for entry in os.ilistdir(folder or "."):
        path = folder + entry[0]
        if entry[1] == 0x4000:
            folders.append(path)
            walk(path + "/", files, folders)
        else:
            files[path] = (sha256(path), os.stat(path)[6])


def find_frozen_package():
    """Return the name of the firmware's package in the MicroPython image, "" if the image has no firmware."""
    before = sys.path[:]
    sys.path[:] = [".frozen"]
    try:
        for package in ("deskonomy_board", "board"):  # of this firmware; of release 0.1.0
            try:
                __import__(package + ".watchdog")  # a small module whose name no other project is likely to use
                return package
            except ImportError:
                pass
    finally:
        sys.path[:] = before
    return ""


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
            "frozen_package": find_frozen_package(),
            "block_bytes": space[0],
            "free_blocks": space[3],
            "files": files,
            "folders": folders,
        }
    )
)
