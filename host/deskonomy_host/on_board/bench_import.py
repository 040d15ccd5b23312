"""Runs on MicroPython: imports every module of the firmware, `bench_import.py FIRMWARE STAND_INS`.

Prints one line of JSON with the bytes of heap in use before, with the stand-ins for what a board has built in, and with
all of it. With a heap too small it ends in a MemoryError; the host finds the smallest that does.
"""

import gc
import json
import os
import sys

from bench_answers import look_in


def used():
    gc.collect()
    return gc.mem_alloc()


look_in(sys.argv[1:])
result = {"before": used()}
for name in ("machine", "network"):
    __import__(name)
result["stand_ins"] = used()
for package in ("deskonomy", "board"):
    for entry in sorted(os.listdir(sys.argv[1] + "/" + package)):
        if not entry.startswith("__"):
            __import__(package + "." + entry.rsplit(".", 1)[0])
result["all"] = used()
print(json.dumps(result))
