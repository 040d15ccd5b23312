"""Where a host is that people call by its name, NAME.local too on a system that has no mDNS.

Here: from a name to what can be dialled, and roads that dial so. Not here: how roads are kept up (deskonomy.tcp, whose
boards find names by themselves), what of all this people type (words.py).

The system has the first word; only where it does not know a NAME.local does zeroconf, an extra, ask the network. It
asks anew each time and remembers nothing: a board has another address after its next lease, and dialling goes on.
"""

import asyncio

from deskonomy.wire import network as tcp

# Together less than a try to connect may take, however slowly the system says that it does not know.
_SYSTEM_S = 1.5
_NETWORK_MS = 2000


async def find(host):
    """What to dial for this host: an IPv4 address for a NAME.local that the system does not know, else the host itself.

    Raises OSError with one line of words.
    """
    if not host.lower().endswith(".local"):
        return host
    try:
        async with asyncio.timeout(_SYSTEM_S):
            await asyncio.get_running_loop().getaddrinfo(host, None)
        return host
    except (OSError, UnicodeError):  # TimeoutError is an OSError; a name may be none that DNS can ask for
        return await _ask_network(host)


async def _ask_network(host):
    try:
        import zeroconf
        from zeroconf.asyncio import AsyncZeroconf
    except ImportError:
        raise OSError(
            f"this system does not find {host}; type: pip install 'deskonomy[mdns]', or use its address in numbers"
        ) from None
    try:
        answer = zeroconf.AddressResolverIPv4(host + ".")  # pyright: ignore[reportPrivateImportUsage]
        async with AsyncZeroconf(ip_version=zeroconf.IPVersion.V4Only) as network:
            await answer.async_request(network.zeroconf, _NETWORK_MS)
    except zeroconf.Error as error:
        raise OSError(f"{host} cannot be asked for: {error}") from None
    addresses = answer.parsed_addresses()
    if not addresses:
        raise OSError(f"nobody on this network is {host}")
    return addresses[0]


class Roads(tcp.Roads):
    """Roads of a city on a host."""

    async def open_connection(self, host, port):
        return await asyncio.open_connection(await find(host), port)
