"""The versions that a city states: of the software, and of the wire protocol.

Here: both numbers, the only source of them (pyproject.toml and package.json take the first from here). Not here: the
format of saved cities (storage/encode.py), of histories and of the host's store (the host's history/, runtime/).
"""

from deskonomy.compat import const

SOFTWARE = const("0.2.0")
WIRE = const(2)  # 1 is that of 0.1.0, which states none; both trade with each other
FEATURES = const("")  # of the wire, by their names with a space between; none so far that a peer has to know
