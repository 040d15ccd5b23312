"""The core of deskonomy, one source for the board (MicroPython) and the host (CPython)."""
