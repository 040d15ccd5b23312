"""Runs on MicroPython: imports every module of the firmware, `bench_import.py FIRMWARE FOLDER...`.

Prints one line of JSON with the bytes of heap in use before and after. With a heap too small it ends in a MemoryError;
the host finds the smallest that does.
"""

import gc
import json
import os
import sys

from bench_answers import look_in

look_in(sys.argv[1:])
gc.collect()
before = gc.mem_alloc()
for package in ("deskonomy", "board"):
    for entry in sorted(os.listdir(sys.argv[1] + "/" + package)):
        if not entry.startswith("__"):
            __import__(package + "." + entry.rsplit(".", 1)[0])
gc.collect()
print(json.dumps({"before": before, "after": gc.mem_alloc()}))
