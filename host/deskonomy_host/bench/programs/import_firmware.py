"""Runs on MicroPython: starts the firmware until a city is born; it is compiled together with the firmware.

Prints one line of JSON: the bytes of heap in use before, with the stand-ins for hardware, with all modules that stay
loaded, and with the city. With too small a heap it ends in a MemoryError; the host searches for the smallest heap that
suffices.
"""

import gc
import json


def used():
    gc.collect()
    return gc.mem_alloc()


result = {"before": used()}
for name in ("machine", "network"):
    __import__(name)
result["stand_ins"] = used()
gc.threshold(1024)  # as main.py does
reserve = [bytearray(7168)]
import main  # noqa: E402 - found only now
from deskonomy_board import config  # noqa: E402

settings = config.check_settings({"city": "SEASIDE"})
del config
main.unload_modules()
result["modules"] = used() - len(reserve[0])
city = main.restore_city(settings, reserve)
result["city"] = used()
print(json.dumps(result))
