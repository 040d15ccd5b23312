"""Putting the firmware on a board, real or simulated, with mpremote.

A board has two slots, /a and /b, each with a whole firmware. main.py, the firmware's only file outside the slots that
runs, selects the slot; renaming a new main.py over the old one is the switch. A deploy fills the slot that does not
run, so an interrupted deploy leaves the running firmware as it is, and the next deploy continues from there.

config.json and every file that is not the firmware's belong to the board's owner and stay. An owner's main.py gets
another name; a slot that holds an owner's files is not used. If the firmware is part of the MicroPython image, a deploy
sends only the page and the settings.
"""
