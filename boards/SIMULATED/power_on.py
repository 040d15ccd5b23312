"""What a board does before any firmware file: `micropython -i power_on.py FLASH SIGNALS friendly`.

Here: the stand-ins are loaded, the folder FLASH becomes the whole file system, boot.py runs, and main.py unless the
REPL is `raw`. Then the interpreter (-i) goes on to its REPL, as after a reset on any board. What a board has built in
takes none of its heap; so the simulator asks first, with `weigh`, how many bytes it takes here. What only some kinds of
sensors need is loaded if config.json names one.
"""

import gc
import os
import sys

import vfs

sys.path.insert(0, sys.path[0] + "/stand_ins")

import hardware

hardware.signals = vfs.VfsPosix(sys.argv[2])
if hardware.read("clock") != 1:
    __import__("clock")  # before anybody asks what time it is
for part in ("machine", "network"):  # before the host's files are out of sight
    __import__(part)

# Kinds of sensors and lights, and what they need; one text, since each text of its own would be kept as a name.
PARTS = """dht11 dht
dht22 dht
ds18b20 onewire ds18x20
mcu esp32
touch touch_pad
bh1750 i2c
bme280 i2c
digital inputs
button inputs
neopixel neopixel"""


def load_parts(config):
    for line in PARTS.split("\n"):
        kind, *parts = line.split()
        if b'"%s"' % kind in config:
            for part in parts:
                __import__(part)


if "config.json" in os.listdir(sys.argv[1]):
    with open(sys.argv[1] + "/config.json", "rb") as file:
        load_parts(file.read())
if sys.argv[3] == "weigh":
    gc.collect()
    print(gc.mem_alloc())
    sys.exit()

vfs.umount("/")
vfs.mount(vfs.VfsPosix(sys.argv[1]), "/")
os.chdir("/")
sys.path[:] = ["", ".frozen", "/lib"]
hardware.start(("boot.py",) if sys.argv[3:] == ["raw"] else ("boot.py", "main.py"), globals())
