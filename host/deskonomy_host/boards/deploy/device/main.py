"""The main.py that deskonomy board deploy writes: the single file that selects the slot that runs."""

import sys

sys.path.insert(0, "/SLOT")

import main  # of the slot, which is first on the path

main.main()
