"""The strength of the Wi-Fi signal in dBm, which needs no wiring; -100 without a network.

The driver of the radio reports 0 before the first beacon and -127 or less without one; what is received is between.
"""

import network
from deskonomy.compat import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_sensor(settings: dict) -> "Iterator[int]":
    """Yield readings of the signal strength."""
    station = network.WLAN(network.STA_IF)
    while True:
        rssi = station.status("rssi") if station.isconnected() else -100
        if not -127 < rssi < 0:
            raise OSError("impossible answer %d" % rssi)
        yield max(-100, rssi)
