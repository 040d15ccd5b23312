# What is frozen into a MicroPython for the simulated board: what its unix port freezes anyway, and the firmware.
include("$(PORT_DIR)/variants/standard/manifest.py")
include("../../firmware/manifest.py")
