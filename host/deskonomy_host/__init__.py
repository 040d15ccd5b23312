"""The host tool of Deskonomy, and its library for programs: Road, Harbour, Merchant, History, NoRoadError.

Here: the public names. They are loaded at their first use, so that the command line starts at once. Not here: the
`deskonomy` command (cli/), roads and merchants (roads/client.py, roads/merchant.py), histories (history/reader.py).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deskonomy_host.history.reader import History
    from deskonomy_host.roads.client import Harbour, Merchant, NoRoadError, Road

__all__ = ["Harbour", "History", "Merchant", "NoRoadError", "Road"]


def __getattr__(name: str) -> Any:
    """Return a public name from its module."""
    if name not in __all__:
        raise AttributeError(f"deskonomy_host has no {name}, only {', '.join(__all__)}")
    from deskonomy_host.history import reader
    from deskonomy_host.roads import client

    return getattr(reader if name == "History" else client, name)
