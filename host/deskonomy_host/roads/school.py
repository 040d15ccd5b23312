"""The Merchant School: a city without residents that sends trained merchants to another city and counts the returning.

Here: the school's side of one connection, for `deskonomy school` and for the dashboard's "Send merchants". It is a
legacy peer, like the school of the tutorial: it trades with every city, and it does not wait for checkpoints. Not here:
the line of a merchant (deskonomy/wire/codec.py), where NAME.local is (mdns.py), roads for programs (client.py).
"""

# pyright: strict
import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator

from deskonomy.economy.merchant import Merchant
from deskonomy.errors import InvalidLineError
from deskonomy.wire.codec import decode_merchant, encode_merchant

from deskonomy_host.addresses import format_address
from deskonomy_host.errors import OperationError, describe_os_error
from deskonomy_host.roads.mdns import resolve_host

NAME = "PythonCity"  # as the tutorial's school calls itself; cities show their road to it under this name
COUNT = 10
GOOD = "chair"
MONEY_MILLS = 1_211_480  # of each merchant
OWNED = 3  # units that each merchant carries
# The prices that each merchant expects, {good: {city: mills}}: of goods that every city of the tutorial has. A city
# that does not have a good crashes when a merchant names it.
PRICES_MILLS = {
    "bed": {"PORTSVILLE": 31897, "RIVERWOOD": 16954, "SEASIDE": 30227, "WINTERHOLD": 32659},
    "chair": {"PORTSVILLE": 11045, "RIVERWOOD": 20342, "SEASIDE": 10709, "WINTERHOLD": 11756},
    "wood": {"PORTSVILLE": 2371, "RIVERWOOD": 4541, "SEASIDE": 2289, "WINTERHOLD": 2471},
}

_LINE_MAX_BYTES = 65536  # a city of this project sends no longer line
_NAME_MAX_BYTES = 1024
_TIMEOUT_S = 5.0
_NAME_END_S = 0.2  # a city may send its name without a newline: then a short silence ends it
# A city may read a name up to a newline, and it may lose merchants that follow its name within a second.
_NEWLINE_S = 0.2
_MERCHANTS_S = 1.0
_GAP_S = 0.01  # between two merchants


class Visit:
    """An open connection to a city. Made by visit_city().

    Attributes:
        city: the city's name.
    """

    def __init__(
        self, address: str, city: str, received: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Create a visit; `received` is what has arrived after the city's name."""
        self.city = city
        self._address = address
        self._received = received
        self._reader = reader
        self._writer = writer

    async def send_merchants(self, count: int = COUNT, good: str = GOOD, money_mills: int = MONEY_MILLS) -> None:
        """Send this many merchants. Raises OperationError if the connection breaks."""
        prices_mills = {good: {}, **PRICES_MILLS}  # a city of the tutorial learns prices only of goods that are keys
        merchant = Merchant(good, money_mills, owned=OWNED, prices_mills=prices_mills)
        line = b"".join(encode_merchant(merchant)) + b"\n"
        with _explain_errors(self._address):
            await asyncio.sleep(_NEWLINE_S)
            self._writer.write(b"\n")
            await asyncio.sleep(_MERCHANTS_S)
            for _ in range(count):
                self._writer.write(line)
                async with asyncio.timeout(_TIMEOUT_S):
                    await self._writer.drain()
                await asyncio.sleep(_GAP_S)

    async def receive_merchants(self, count: int, wait_s: float) -> AsyncIterator[Merchant]:
        """Yield up to `count` merchants that arrive within wait_s seconds, or until the city closes the connection."""
        deadline_s = asyncio.get_running_loop().time() + wait_s
        while True:
            *lines, self._received = self._received.split(b"\n")
            for line in lines:
                try:
                    merchant = decode_merchant(line)
                except InvalidLineError:
                    continue  # a line for other cities
                yield merchant
                count -= 1
                if not count:
                    return
            if len(self._received) > _LINE_MAX_BYTES:
                return
            try:
                async with asyncio.timeout_at(deadline_s):
                    data = await self._reader.read(_LINE_MAX_BYTES)
            except (TimeoutError, ConnectionError):
                return
            if not data:
                return
            self._received += data


@contextlib.asynccontextmanager
async def visit_city(host: str, port: int) -> AsyncGenerator[Visit, None]:
    """Connect to the city at this address until the end of the block.

    Raises:
        OperationError: there is no connection, or what answers does not send a name.
    """
    address = format_address(host, port)
    with _explain_errors(address):
        # A blocking connect tries every address of a name, and its error names the cause alone.
        target = (await resolve_host(host), port)
        sock = await asyncio.to_thread(socket.create_connection, target, _TIMEOUT_S)
        reader, writer = await asyncio.open_connection(sock=sock)
    try:
        with _explain_errors(address):
            writer.write(NAME.encode())
            city, received = await _read_name(reader)
        if not city:
            raise OperationError(f"no city at {address}: it does not say its name")
        yield Visit(address, city, received, reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def run_school(
    host: str,
    port: int,
    count: int = COUNT,
    good: str = GOOD,
    money_mills: int = MONEY_MILLS,
    wait_s: float = 10.0,
    report: Callable[[str], object] = print,
) -> int:
    """Send merchants to the city at this address, and wait until as many have returned: `deskonomy school`.

    Args:
        host: the city's host.
        port: its port.
        count: how many merchants.
        good: what they buy and sell.
        money_mills: what each of them has.
        wait_s: how long to wait for merchants.
        report: called with one sentence for each thing that happens.

    Returns:
        How many merchants have arrived from the city.

    Raises:
        OperationError: there is no connection, or what answers does not send a name.
    """
    noun = "merchant" if count == 1 else "merchants"
    returned = 0
    async with visit_city(host, port) as visit:
        report(f"Connected to {visit.city}")
        await visit.send_merchants(count, good, money_mills)
        report(f"Sent {count} {good} {noun} with {money_mills / 1000:,.2f} coins each; waiting up to {wait_s:g} s")
        async for merchant in visit.receive_merchants(count, wait_s):
            returned += 1
            coins = merchant.money_mills / 1000
            report(f"A {merchant.good} merchant came from {visit.city} with {coins:,.2f} coins")
    report(f"Sent {count} {noun} and received {returned}")
    return returned


async def _read_name(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Return the city's name, which a newline, a message or a short silence ends, and what has arrived after it."""
    data, timeout_s = b"", _TIMEOUT_S
    while b"\n" not in data and b"{" not in data and len(data) < _NAME_MAX_BYTES:
        try:
            async with asyncio.timeout(timeout_s):
                piece = await reader.read(_NAME_MAX_BYTES)
        except TimeoutError:
            break
        if not piece:
            break
        data += piece
        timeout_s = _NAME_END_S
    end = min(at for at in (data.find(b"\n"), data.find(b"{"), len(data)) if at >= 0)
    return data[:end].decode(errors="replace").strip(), data[end:]


@contextlib.contextmanager
def _explain_errors(address: str) -> Generator[None, None, None]:
    """Raise an OperationError that names the address in place of an OSError."""
    try:
        yield
    except OSError as error:
        reason = "it does not answer" if isinstance(error, TimeoutError) else describe_os_error(error)
        raise OperationError(f"no road to {address}: {reason}") from None
