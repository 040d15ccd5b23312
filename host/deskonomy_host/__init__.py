"""What only a host has: the `deskonomy` command and all that it does; and Road and Merchant, for programs.

Those are loaded when they are asked for, so that the command's words are answered at once.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deskonomy_host.history.reader import History
    from deskonomy_host.roads.client import Harbour, Merchant, NoRoadError, Road

__all__ = ["Harbour", "History", "Merchant", "NoRoadError", "Road"]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"deskonomy_host has no {name}, only {', '.join(__all__)}")
    from deskonomy_host.history import reader as history_reader
    from deskonomy_host.roads import client as library

    return getattr(history_reader if name == "History" else library, name)
