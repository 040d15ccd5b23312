"""Network addresses as a user types them: HOST:PORT in, a host and a port out, and back.

Here: parsing and formatting for the whole host tool, and where other machines reach this one. Not here: finding the
machine of a name (roads/mdns.py), the firmware's own check of its settings (deskonomy_board/config.py).
"""

import contextlib
import socket
from typing import NamedTuple

from deskonomy_host.errors import UsageError

PORT_MAX = 65535
_NOT_IN_HOST = frozenset(" \t/@[]")
# {address that stands for every network of this machine: a distant address to find a route to}. These are reserved for
# documentation (RFC 5737, RFC 3849), and no packet is sent to them.
_DISTANT = {"0.0.0.0": "192.0.2.1", "::": "2001:db8::1"}


class Address(NamedTuple):
    """A host, by name or by number, and a TCP port. Its text is HOST:PORT, with an IPv6 address in brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(value: object, label: str, example: str = "127.0.0.1:55555") -> Address:
    """Return the Address of "HOST:PORT".

    Args:
        value: the text; an IPv6 host stands in brackets.
        label: the name of the argument in the error message, such as "--connect".
        example: an address that the argument may have, for the error message.

    Raises:
        UsageError: the value is anything else, or the port is not from 1 to 65535.
    """
    host, colon, port = str(value).rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    valid = colon and host and not set(host) & _NOT_IN_HOST and port.isascii() and port.isdigit()
    if not valid or not 1 <= int(port) <= PORT_MAX:
        raise UsageError(f"{label} takes HOST:PORT, such as {example}, not {value!r}")
    return Address(host, int(port))


def parse_host(value: object, label: str) -> tuple[str, int | None]:
    """Return the host and the port of "HOST" or "HOST:PORT"; the port is None if there is none. Raises UsageError."""
    text = str(value)
    is_bare = text.endswith("]") or ":" not in text
    try:
        host, port = parse_address(f"{text}:1" if is_bare else text, label)
    except UsageError:
        raise UsageError(f"{label} takes HOST or HOST:PORT, such as desktown.local, not {value!r}") from None
    return host, None if is_bare else port


def format_address(host: str, port: int) -> str:
    """Return "HOST:PORT" as a user types it."""
    return str(Address(host, port))


def find_reachable_host(listen: str) -> str:
    """Return where other machines reach what listens at this address.

    Returns:
        For "0.0.0.0" and "::", this machine's address on the network that its default route leads to, or its name if
        there is no such route; any other address as it is.
    """
    if listen not in _DISTANT:
        return listen
    family = socket.AF_INET6 if ":" in listen else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((_DISTANT[listen], 9))  # of a datagram socket: it only chooses a route
        return probe.getsockname()[0]
    return socket.gethostname()
