"""The command that forgets a road of a board's city.

Here: the check of the command, and its log line. Not here: what becomes of the road and its merchants
(deskonomy/wire/vacancy.py). The console loads this module when the command is typed.
"""

from deskonomy.compat import TYPE_CHECKING
from deskonomy.events import ROAD_FORGOTTEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from deskonomy.wire.network import Network


def execute_forget(network: "Network | None", name: object, log: "Callable[[str, str], None]") -> None:
    """Forget the road to a city that has vanished; its merchants return.

    Args:
        network: The city's network; None before the board has ever had an address.
        name: The name of the city that has vanished.
        log: Called with an event and a line of text.

    Raises:
        ValueError: There is no such road, or it is up, or there is no memory now.
    """
    if network is None or not isinstance(name, str):
        raise ValueError("forget takes a city's name, and the board must have been on Wi-Fi")
    try:
        count = network.forget(name)
    except MemoryError:
        raise ValueError("there is no memory for the merchants that return") from None
    log(ROAD_FORGOTTEN, "the road to %s is forgotten; merchants that return: %d" % (name, count))
