"""Histories: what running cities reported, recorded in a file, read back, exported and drawn."""
