"""Runs on a board, by mpremote: makes a slot ready for the files that will be sent. The one that runs is not touched.

WORK, set before: remove: paths. folders: to make. copy: {to: from}, what the other slot has already.
"""

import os

WORK = globals()["WORK"]

for path in WORK["remove"]:
    os.remove(path)
for path in WORK["folders"]:
    os.mkdir(path)
for path in WORK["copy"]:
    with open(WORK["copy"][path], "rb") as old, open(path, "wb") as new:
        while True:
            block = old.read(512)
            if not block:
                break
            new.write(block)
