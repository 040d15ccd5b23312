"""Powers a simulated board on: `micropython -i power_on.py FLASH SIGNALS MODE [STAND_IN ...]`.

Here: what happens on a board before any file of the firmware runs. The stand-ins are loaded, the folder FLASH becomes
the whole file system, boot.py runs, and main.py too if MODE is `friendly`; if it is `raw`, the REPL is raw. The
interpreter (-i) then starts its REPL, as after a reset on any board. Not here: which stand-ins the sensors of a
config.json need (host/deskonomy_host/boards/spec/sensors.py).

What a board has built in takes no heap there. So the simulator first asks, with the MODE `weigh`, how many bytes of
heap the stand-ins take here, and adds them.
"""

import gc
import os
import sys

import vfs

sys.path.insert(0, sys.path[0] + "/stand_ins")

import hardware

flash, signals, mode, *stand_ins = sys.argv[1:]
hardware.signals = vfs.VfsPosix(signals)
if hardware.read("clock") != 1:
    __import__("clock")  # before any module imports the time
for module in ["machine", "network"] + stand_ins:  # before the host's files are out of reach
    __import__(module)
if mode == "weigh":
    gc.collect()
    print(gc.mem_alloc())
    sys.exit()

vfs.umount("/")
vfs.mount(vfs.VfsPosix(flash), "/")
os.chdir("/")
sys.path[:] = ["", ".frozen", "/lib"]
hardware.start(("boot.py",) if mode == "raw" else ("boot.py", "main.py"), globals())
