"""What only a host has: the `deskonomy` command and all that it does; and Road and Merchant, for programs.

Those are loaded when they are asked for, so that the command's words are answered at once.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .history_reader import History
    from .library import Harbour, Merchant, NoRoad, Road

__all__ = ["Harbour", "History", "Merchant", "NoRoad", "Road"]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"deskonomy_host has no {name}, only {', '.join(__all__)}")
    from . import history_reader, library

    return getattr(history_reader if name == "History" else library, name)
