"""TCP ports that are free at the moment.

Here: choosing them. Not here: which port a city takes if its own is in use (deskonomy/wire/network.py).
"""

import socket


def find_free_ports(count: int) -> list[int]:
    """Return this many different ports of this machine that no process uses now."""
    sockets = [socket.socket() for _ in range(count)]
    for sock in sockets:
        sock.bind(("127.0.0.1", 0))
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports
