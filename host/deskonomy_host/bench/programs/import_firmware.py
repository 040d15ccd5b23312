"""Runs on MicroPython: starts the firmware as far as a city that is born, `import_firmware.py FIRMWARE STAND_INS`.

Prints one line of JSON with the bytes of heap in use before, with the stand-ins for what a board has built in, with all
modules that stay, and with the city. With a heap too small it ends in a MemoryError; the host finds the smallest that
does.
"""

import gc
import json
import sys


def used():
    gc.collect()
    return gc.mem_alloc()


sys.path[:0] = sys.argv[1:]  # first, for there is another main.py beside this file
result = {"before": used()}
for name in ("machine", "network"):
    __import__(name)
result["stand_ins"] = used()
gc.threshold(1024)  # these two as main.py does
room = [bytearray(7168)]
import main  # noqa: E402 - found only now
from deskonomy_board import config  # noqa: E402

settings = config.check({"city": "SEASIDE"})
del config
main.unload()
result["modules"] = used() - len(room[0])
city = main.restore(settings, room)
result["city"] = used()
print(json.dumps(result))
