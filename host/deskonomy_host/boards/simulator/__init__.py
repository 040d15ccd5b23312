"""The simulated board: the real firmware on a real MicroPython of this machine, behind a serial port of its own."""
