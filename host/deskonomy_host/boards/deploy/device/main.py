"""What deskonomy board deploy puts on a board as main.py: the one file that says which slot runs."""

import sys

sys.path.insert(0, "/SLOT")

import main  # the slot's

main.main()
