"""The city that a start begins with: the saved one, or a new one.

Here: which of both, the log line about it, and what becomes of a file that is unusable or of an older format. Not here:
saving the city (checkpoints.py), the format of a checkpoint (deskonomy/storage/). main.py unloads this module after the
start.
"""

import errno
import os

from deskonomy.compat import TYPE_CHECKING
from deskonomy.economy.city import City
from deskonomy.events import CITY_BORN, CITY_REFUSED, CITY_RESTORED, print_text
from deskonomy.roads.ledger import Ledger

from deskonomy_board.checkpoints import FILE, NEW

if TYPE_CHECKING:
    from collections.abc import Callable

DAMAGED = "city.damaged"  # the latest unusable checkpoint, kept for an investigation
OLD = "city.old"  # a copy of the checkpoint of an older format, until a start has restored one of the current format


def restore_city(
    settings: dict, merchants_max: int, reserve: list, log: "Callable[[str, str], None]" = print_text
) -> "City | None":
    """Return the saved city; where there is none, or none that can be used, a new one.

    None if a later version has saved the city: the file stays as it is, and the log says what to do.

    Args:
        settings: The settings of config.json.
        merchants_max: The number of merchants that the city's state array has places for.
        reserve: A list that holds memory in one piece; it is emptied when the state array needs that memory.
        log: Called with an event and a line of text.
    """
    is_saved = settings["checkpoint_s"] > 0
    city = None
    if is_saved:
        from deskonomy.storage.decode import NewerFormatError

        try:
            city = _load_city(settings["city"], merchants_max, reserve, log)
        except NewerFormatError as error:
            log(
                CITY_REFUSED,
                "the saved city is %s. It stays as it is, and the city waits: deploy a deskonomy that reads it, or "
                "remove %s for a new city" % (error, FILE),
            )
            return None
    if city is None:
        reserve.clear()
        city = City(
            settings["city"], settings["seed"], settings["locals"], settings["merchants"], merchants_max=merchants_max
        )
        city.ledger = Ledger(int.from_bytes(os.urandom(4), "little") >> 2, not is_saved)
    return city


def _load_city(name, merchants_max, reserve, log):
    """Return the saved city of this name, or None. An unusable checkpoint is renamed to DAMAGED.

    Raises:
        NewerFormatError: A later version has saved it.
    """
    from deskonomy.errors import InvalidCheckpointError
    from deskonomy.storage.decode import NewerFormatError, decode_city, read_format
    from deskonomy.storage.encode import FORMAT

    _remove(NEW)
    try:
        with open(FILE, "rb") as file:
            data = file.read()
        reserve.clear()
        city = decode_city(data, name, merchants_max=merchants_max)
        log(CITY_RESTORED, "%s goes on from tick %d" % (name, city.tick))
        if read_format(data) == FORMAT:
            _remove(OLD)
        else:
            _keep_old(data, log)
        return city
    except OSError as error:
        cause = "" if error.errno == errno.ENOENT else " (%s)" % error
        log(CITY_BORN, "no saved city%s: %s is born" % (cause, name))
    except NewerFormatError:
        raise
    except InvalidCheckpointError as error:
        log(CITY_BORN, "the saved city is %s. %s is born anew; the old file is %s now" % (error, name, DAMAGED))
        os.rename(FILE, DAMAGED)


def _keep_old(data, log):
    """Copy a checkpoint of an older format to OLD, before one of the current format takes its place."""
    try:
        with open(OLD, "wb") as file:
            file.write(data)
        log(CITY_RESTORED, "an older version has saved it; the old file is kept as %s until the next start" % OLD)
    except OSError as error:
        _remove(OLD)
        log(CITY_RESTORED, "an older version has saved it, and the old file cannot be kept as %s: %s" % (OLD, error))


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass  # there was no such file
