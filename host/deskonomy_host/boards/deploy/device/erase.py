"""Run on a board by mpremote: remove the paths of WORK["remove"], each file before the folder that holds it."""

import os

for path in globals()["WORK"]["remove"]:
    try:
        os.remove(path)
    except OSError:
        os.rmdir(path)
