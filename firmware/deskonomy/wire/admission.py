"""Admission control: which new connections a city takes while places are short.

Here: places for connections without a road, and hosts whose connections fail again and again. Not here: accepting a
connection (wire/network.py), the limits of a host for strangers. A board loads this module when it first needs it.

If the places are taken, a new connection takes the place of the one that has been silent for longest, so that no host
blocks the others, and no connection the others of its host.
"""

from deskonomy.compat import TYPE_CHECKING, const

if TYPE_CHECKING:
    from deskonomy.wire.network import Network

_NAMING_MAX = const(32)  # connections without a road
_NAMING_HOST_MAX = const(12)  # of one host
_NAMING_SILENT_MS = const(400)  # longer than a peer is silent before its proof
FAILURES_MAX = const(20)  # connections of one host within _FAILURES_MS that end without a name or a proof
_FAILURES_MS = const(60_000)
_FAILING_MAX = const(16)  # hosts whose failures are counted


def find_place(network: "Network", host: "str | None") -> bool:
    """Return whether there is a place for a new connection from this host. A silent one may have to leave it."""
    active = [connection for connection in network.connections if not connection.ended.is_set()]
    naming = [connection for connection in active if connection.road is None and not connection.dialled]
    waiting = [connection for connection in naming if connection.host == host]
    if len(waiting) < (network.failing_places if is_failing(network, host) else _NAMING_HOST_MAX):
        if len(naming) < _NAMING_MAX and len(active) < network.connections_max:
            return True
        waiting = naming
    for connection in waiting:  # the oldest first
        if network.clock.now_ms() - connection.received_ms >= _NAMING_SILENT_MS:
            connection.end("it is silent, and others wait for its place")
            return True
    return False


def is_failing(network: "Network", host: "str | None") -> bool:
    """Return whether this host has failed so often that few of its connections are taken at a time for now."""
    failures, until_ms = network.failing.get(host, (0, 0))
    if network.clock.now_ms() >= until_ms:
        network.failing.pop(host, None)
        return False
    return failures >= FAILURES_MAX


def count_failures(network: "Network", host: "str | None", count: int) -> None:
    """Count failed connections of a host."""
    failing = network.failing
    if host not in failing:
        if len(failing) >= _FAILING_MAX:
            failing.pop(next(iter(failing)))
        failing[host] = [0, network.clock.now_ms() + _FAILURES_MS]
    failing[host][0] += count
