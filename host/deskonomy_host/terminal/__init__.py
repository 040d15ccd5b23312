"""Statuses in a terminal: JSON lines, plain lines, or a live view."""
