"""Boards and their settings as data: chips, sensor kinds, pins, and what config.json may contain.

Here: the catalog of boards (catalog.py), the table of sensor kinds (sensors.py), usual values (defaults.py), pins
(pins.py), and options as a user gives them or is asked for them (options.py, questions.py). Not here: a board on a port
(serial/, deploy/), a simulated board (simulator/).
"""
