"""The strength of the Wi-Fi signal in dBm, which needs no wiring; -100 without a network."""

import network
from deskonomy.compat import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_sensor(settings: dict) -> "Iterator[int]":
    """Yield readings of the signal strength."""
    station = network.WLAN(network.STA_IF)
    while True:
        yield station.status("rssi") if station.isconnected() else -100
