"""Finding NAME.local, also on a system without mDNS.

Here: the address to dial for a host, and a network that dials so. Not here: how roads are kept up
(deskonomy/wire/network.py; a board's own system finds names), how an address is typed (addresses.py).

The system is asked first. Only if it does not find a NAME.local, zeroconf (an extra) asks the local network. No answer
is kept: a board has another address after its next DHCP lease, and dialling goes on.
"""

# pyright: strict
import asyncio
from typing import TYPE_CHECKING, Any

from deskonomy_host.errors import describe_os_error
from deskonomy_host.extras import explain_install
from deskonomy_host.roads.crowds import CrowdNetwork
from deskonomy_host.roads.keyring import KeyFinder

if TYPE_CHECKING:
    from deskonomy.economy.city import City

# Together less than the 5 s that an attempt to connect may take, even if the system is slow to report an unknown name.
_SYSTEM_S = 1.5
_NETWORK_MS = 2000


async def resolve_host(host: str) -> str:
    """Return what to dial for this host.

    Returns:
        An IPv4 address for a NAME.local that the system does not find; else the host itself.

    Raises:
        OSError: the name is invalid or unknown, or zeroconf is not installed; its text is one line.
    """
    if not host.lower().endswith(".local"):
        return host
    try:
        async with asyncio.timeout(_SYSTEM_S):
            await asyncio.get_running_loop().getaddrinfo(host, None)
        return host
    except (OSError, UnicodeError):  # TimeoutError is an OSError; UnicodeError: DNS cannot ask for such a name
        return await _ask_network(host)


async def _ask_network(host: str) -> str:
    try:
        import zeroconf
        from zeroconf.asyncio import AsyncZeroconf
    except ImportError:
        raise OSError(
            f"this system does not find {host}; use its address in numbers, or {explain_install('mdns')}"
        ) from None
    try:
        query = zeroconf.AddressResolverIPv4(host + ".")  # pyright: ignore[reportPrivateImportUsage]
        async with AsyncZeroconf(ip_version=zeroconf.IPVersion.V4Only) as network:
            await query.async_request(network.zeroconf, _NETWORK_MS)
    except zeroconf.Error as error:
        raise OSError(f"cannot ask the network for {host}: {error}") from None
    addresses = query.parsed_addresses()
    if not addresses:
        raise OSError(f"{host} is not on this network")
    return addresses[0]


class HostNetwork(CrowdNetwork):
    """The network of a city on a host: it finds NAME.local without the system's mDNS, and keys in the keyring."""

    def __init__(self, city: "City", keys: KeyFinder, **options: Any) -> None:
        """Create the network of a city; keys: finds the key of each peer; options: further arguments of Network."""
        super().__init__(city, key=keys.key, **options)
        self._key_of = keys  # as it is, because it also describes where it looks

    async def open_connection(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return the streams of a new connection. Raises OSError, whose text is its cause in words."""
        try:
            return await asyncio.open_connection(await resolve_host(host), port)
        except TimeoutError:
            raise
        except OSError as error:
            raise OSError(describe_os_error(error)) from None
