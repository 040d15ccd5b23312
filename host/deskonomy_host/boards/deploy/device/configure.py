"""Run on a board by mpremote after config.new has arrived whole: make it the board's config.json."""

import os

os.rename("config.new", "config.json")
