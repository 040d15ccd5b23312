"""The two ways in which a command ends before its time, each one line for whoever typed it.

Here: what any part of the host tool raises. Not here: how it is said and which exit status it becomes (cli.py).
"""


class Failed(Exception):
    """Something outside went wrong: a port, a file, a peer, a city that does not run. Exit status 1."""


class Wrong(Exception):
    """The words typed, or a world file, make no sense; the message says what to type instead. Exit status 2."""
