"""Runs on a board, by mpremote, before a reset that somebody wants: crashed starts of before do not count."""

import os

if "starts.txt" in os.listdir():
    os.remove("starts.txt")
