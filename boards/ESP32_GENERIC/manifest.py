# What is frozen into an image for this board: what MicroPython freezes anyway, and the firmware.
include("$(PORT_DIR)/boards/manifest.py")
include("../../firmware/manifest.py")
