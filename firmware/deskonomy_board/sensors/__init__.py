"""Sensors: the table of kinds, a driver for each kind, and the effect of a sensor on the city."""
