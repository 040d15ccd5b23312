"""Runs on a board, by mpremote: removes WORK["old"], paths of files and, after what is in them, of folders."""

import os

for path in globals()["WORK"]["old"]:
    try:
        os.remove(path)
    except OSError:
        os.rmdir(path)
