"""The cities of a run: in one process or several, saved, controlled."""
