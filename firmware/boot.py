"""Runs first after every reset, also when somebody copies files: does nothing that could stand in the way of that."""

import gc

gc.threshold(1024)  # collect often, so that what stays lies close together and leaves room in one piece
