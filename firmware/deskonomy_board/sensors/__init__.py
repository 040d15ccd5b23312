"""Sensors: what each kind is, how it is read, and what its level changes in the city."""
