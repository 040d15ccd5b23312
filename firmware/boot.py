"""Runs first after every reset. Nothing to do yet: the city starts in main.py."""
