"""Run on a board by mpremote after all files have arrived: check the slot, then make main.py run it.

The rename is atomic: before it the old firmware starts, after it the new firmware. WORK, set before: slot: the folder
that shall run. digest: its expected slot digest. renamed_main: the new name of the owner's main.py, "" for none.
"""

import binascii
import hashlib
import os

WORK = globals()["WORK"]


def list_files(folder):
    """Yield the paths of all files in a folder and below it."""
    for entry in os.ilistdir(folder):
        path = folder + "/" + entry[0]
        if entry[1] == 0x4000:
            yield from list_files(path)
        else:
            yield path


def slot_digest(slot):
    """Return the hex SHA-256 of a slot: of each file, in the order of paths, its path and then its bytes."""
    digest = hashlib.sha256()
    for path in sorted(list_files(slot)):
        digest.update(path.encode())
        with open(path, "rb") as file:
            while True:
                block = file.read(512)
                if not block:
                    break
                digest.update(block)
    return binascii.hexlify(digest.digest()).decode()


if slot_digest(WORK["slot"]) != WORK["digest"]:
    raise OSError("a file did not arrive whole: deploy again")
if "main.new" in os.listdir():
    if WORK["renamed_main"] and "main.py" in os.listdir():
        os.rename("main.py", WORK["renamed_main"])
    os.rename("main.new", "main.py")
