"""Runs on a board, by mpremote, when a whole config.new is there: lets it be the config.json."""

import os

os.rename("config.new", "config.json")
