"""The types of events that the log of a city knows.

Here: one constant for each type of event. Code that logs calls log(event, text): `event` is one of these constants,
`text` is one sentence for a person, which no program parses. Not here: what happens to a log line (a board prints it,
a host makes a logging record of it).
"""

from deskonomy.compat import const
from deskonomy.text import escape

# Roads over the wire.
LISTENING = const("listening")
ROAD_OPEN = const("road-open")
ROAD_CLOSED = const("road-closed")
ROAD_FORGOTTEN = const("road-forgotten")
DIAL_FAILED = const("dial-failed")
CONNECTION_REJECTED = const("connection-rejected")  # a named peer, or an address that never sent a name
CONNECTIONS_FULL = const("connections-full")
LINE_REJECTED = const("line-rejected")  # by this city
MERCHANT_RETURNED = const("merchant-returned")  # rejected by the peer
PRICES_DROPPED = const("prices-dropped")  # no memory for the prices that a merchant knows
BUG = const("bug")  # an exception that no caller expects; its text is the traceback

# A city.
CITY_BORN = const("city-born")
CITY_RESTORED = const("city-restored")
CITY_REFUSED = const("city-refused")  # a later version has saved it
SAVE_FAILED = const("save-failed")
SAVE_RESTORED = const("save-restored")
YIELD_SET = const("yield-set")
COMMAND_FAILED = const("command-failed")

# A board.
SENSOR_FAILED = const("sensor-failed")
SENSOR_RESTORED = const("sensor-restored")
WIFI_UP = const("wifi-up")
WIFI_LOST = const("wifi-lost")
WIFI_FAILED = const("wifi-failed")
LISTEN_FAILED = const("listen-failed")
PAGE_OPEN = const("page-open")
PAGE_FAILED = const("page-failed")
INDICATOR_FAILED = const("indicator-failed")
STATUS_SKIPPED = const("status-skipped")


def print_text(event: str, text: str) -> None:
    """Print the text of an event: the log of a program that has no other."""
    print(escape(text))
