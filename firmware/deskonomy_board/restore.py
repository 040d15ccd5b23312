"""The city that a start begins with: the saved one, or one that is born.

Here: which of them, and what is said of it. Not here: saving it (storage.py). The board needs this once, and lets go.
"""

import os

from deskonomy.economy.city import City
from deskonomy.roads.ledger import Ledger

from deskonomy_board.checkpoints import FILE, NEW

DAMAGED = "city.damaged"  # the last one that could not be used, for whoever wants to look at it


def wake(settings, merchants_max, room, log=print):
    """The saved city, or one that is born now as the settings say; the log says which.

    room: a list that holds memory in one piece; it is emptied when the city's array needs that.
    """
    saves = settings["checkpoint_s"] > 0
    city = _saved(settings["city"], merchants_max, room, log) if saves else None
    return city or _born(settings, merchants_max, room, saves)


def _born(settings, merchants_max, room, saves):
    room.clear()
    city = City(
        settings["city"], settings["seed"], settings["locals"], settings["merchants"], merchants_max=merchants_max
    )
    _open_ledger(city, not saves)
    return city


def _open_ledger(city, volatile):
    city.ledger = Ledger(int.from_bytes(os.urandom(4), "little") >> 2, volatile)


def _saved(name, merchants_max, room, log):
    """The saved city of this name. None if there is none, or none that can be used; that is put aside."""
    from deskonomy.errors import InvalidCheckpointError
    from deskonomy.storage.decode import thaw

    _remove(NEW)
    try:
        with open(FILE, "rb") as file:
            data = file.read()
        room.clear()
        city = thaw(data, name, merchants_max=merchants_max)
        log("%s goes on from tick %d" % (name, city.tick))
        return city
    except OSError as error:
        log("no saved city (%s): %s is born" % (error, name))
    except InvalidCheckpointError as error:
        log("the saved city is %s. %s is born anew; the old file is %s now" % (error, name, DAMAGED))
        os.rename(FILE, DAMAGED)


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass  # it was not there
