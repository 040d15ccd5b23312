"""Runs on a board, by mpremote, when all files are there: checks them, then lets them be what runs.

The rename is atomic: before it the old firmware starts, after it the new one. WORK, set before: slot: the folder that
shall run. digest: see slot_digest(). aside: a new name for a main.py that is its owner's, "" for none.
"""

import binascii
import hashlib
import os

WORK = globals()["WORK"]


def paths(folder):
    """All files in a folder and below."""
    for entry in os.ilistdir(folder):
        path = folder + "/" + entry[0]
        if entry[1] == 0x4000:
            yield from paths(path)
        else:
            yield path


def slot_digest(slot):
    """Hex SHA-256 of all that a slot holds: each path, then what is in it, in the order of paths."""
    digest = hashlib.sha256()
    for path in sorted(paths(slot)):
        digest.update(path.encode())
        with open(path, "rb") as file:
            while True:
                block = file.read(512)
                if not block:
                    break
                digest.update(block)
    return binascii.hexlify(digest.digest()).decode()


if slot_digest(WORK["slot"]) != WORK["digest"]:
    raise OSError("not all of it arrived whole: deploy once more")
if "main.new" in os.listdir():
    if WORK["aside"] and "main.py" in os.listdir():
        os.rename("main.py", WORK["aside"])
    os.rename("main.new", "main.py")
