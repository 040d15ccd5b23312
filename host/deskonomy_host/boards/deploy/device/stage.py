"""Run on a board by mpremote: prepare a slot for the files that will be sent. The slot that runs is not changed.

WORK, set before: remove: paths of files. folders: paths to make. copy: {new path: path in the other slot}.
"""

import os

WORK = globals()["WORK"]

for path in WORK["remove"]:
    os.remove(path)
for path in WORK["folders"]:
    os.mkdir(path)
for path in WORK["copy"]:
    with open(WORK["copy"][path], "rb") as source, open(path, "wb") as target:
        while True:
            block = source.read(512)
            if not block:
                break
            target.write(block)
