"""What a board does before any firmware file: `micropython -i power_on.py FLASH SIGNALS [raw]`.

Here: the stand-ins are loaded, the folder FLASH becomes the whole file system, boot.py runs, and main.py unless the
REPL is raw. Then the interpreter (-i) goes on to its REPL, as after a reset on any board.
"""

import os
import sys

import vfs

sys.path.insert(0, sys.path[0] + "/stand_ins")

import hardware
import machine  # noqa: F401 - these two so that they are known when the host's files are out of sight
import network  # noqa: F401

hardware.signals = vfs.VfsPosix(sys.argv[2])
vfs.umount("/")
vfs.mount(vfs.VfsPosix(sys.argv[1]), "/")
os.chdir("/")
sys.path[:] = ["", ".frozen", "/lib"]
hardware.start(("boot.py",) if sys.argv[3:] == ["raw"] else ("boot.py", "main.py"), globals())
