"""Roads for programs: a city of your own in a few lines, on the same wire as every other city.

    from deskonomy_host import Merchant, Road

    async with Road.dial("desktown.local:55555", name="JAVAVILLE") as road:
        await road.send(Merchant(good="chair", money=1200))
        async for merchant in road:
            print(merchant)

Here: what such a program travels on. Not here: who travels (merchant.py); the wire, its links, who dials again: that is
all of the core (deskonomy.tcp and below), and the same for every city.

Nobody is lost and nobody is doubled between cities of this project, and a program is one of them: it acknowledges a
merchant at the moment it takes it off the road, and who was sent stays in the road's ledger until its city has it. That
ledger lives as long as the program does. See dial() for how a road ends. All of this runs in one asyncio loop.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from deskonomy_host import validation as words
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.roads import keyring as keys
from deskonomy_host.roads.mdns import Roads
from deskonomy_host.roads.merchant import Merchant, merchant_of, record_of

if TYPE_CHECKING:
    from deskonomy.roads.ledger import WireRoad

TIMEOUT_S = 10.0
_TICK_S = 0.005  # how often a program looks at its roads, as a city does every tick


class NoRoadError(OperationError, ConnectionError):
    """Nobody answers there, what answers is no city, or the road was closed; the message says which."""


class Road:
    """A road between this program and one city: `await road.send(merchant)`, `async for merchant in road`.

    Made by dial(), or by a Harbour that others dial. Lost connections are dialled again by whoever dialled; meanwhile
    everything here waits. Put a limit on any wait with asyncio.timeout().
    """

    def __init__(self, wire: "WireRoad", closed: asyncio.Event):
        self._wire = wire
        self._closed = closed

    @classmethod
    @contextlib.asynccontextmanager
    async def dial(
        cls,
        address: str,
        name: str,
        *,
        key_file: str | None = None,
        timeout_s: float = TIMEOUT_S,
        log: Callable[[str], None] | None = None,
    ) -> "AsyncIterator[Road]":
        """`async with Road.dial("HOST:PORT", name="JAVAVILLE") as road`: a road to the city that listens there.

        name: what that city calls this program; two of one name are one city to it. key_file: where the key is that
        both must have; without it the environment's DESKONOMY_KEY, or none. log: called with one line of text for
        whatever happens to the road. At the end of the block it is closed, once everybody who was sent has arrived.

        Raises NoRoadError if it is not open within timeout_s seconds, or if somebody has not arrived so long after
        the end
        of the block (after an exception nobody is waited for), or if the key cannot be read; ValueError for an address,
        a name or a key that makes no sense.
        """
        host, port = _checked(words.address("a road"), address)
        async with _Town(name, key_file, log) as town:
            town.wires.dial(host, port)
            await _within(timeout_s, lambda: town.first_up() is not None, lambda: town.why(address))
            road = town.first_up()
            assert road is not None
            yield road
            await _within(timeout_s, lambda: not road.waiting, lambda: f"{road.waiting} did not arrive in {road.peer}")

    @staticmethod
    def listen(
        address: str, name: str, *, key_file: str | None = None, log: Callable[[str], None] | None = None
    ) -> "Harbour":
        """`async with Road.listen("127.0.0.1:55555", name="JAVAVILLE") as harbour`: see Harbour, and dial()."""
        return Harbour(address, name, key_file=key_file, log=log)

    @property
    def peer(self) -> str:
        """The name of the city at the other end."""
        return self._wire.name

    @property
    def is_up(self) -> bool:
        """Whether merchants can set out now."""
        return self._wire.state == "up" and not self._closed.is_set()

    @property
    def kind(self) -> str:
        """ "ours" for a city of this project, "legacy" for any other, and until it has shown to be one of ours."""
        return self._wire.kind

    @property
    def waiting(self) -> int:
        """Merchants who were sent and are not known to have arrived."""
        return len(self._wire.outbound)

    def status(self) -> dict:
        """The road's part of a status line: state, kind, and merchants sent, received, waiting, lost and refused."""
        return self._wire.status()

    async def send(self, merchant: Merchant) -> None:
        """Let a merchant set out, as soon as the road is up and has room (a hundred may be on it).

        A city of ours that will not have it sends it back: it comes as one who arrives. Raises ValueError for a
        merchant that no city takes, NoRoad once the road is closed.
        """
        record = record_of(merchant)
        await _until(lambda: self._closed.is_set() or (self.is_up and self._wire.space() > 0))
        self._check_open()
        self._wire.send(record)

    async def arrived(self) -> None:
        """Wait until everybody who was sent has arrived.

        A city of ours says so, when they are safe. Of any other all that can be known is that they were handed to the
        network; and that it is none of ours takes ten seconds to find out. Raises NoRoadError once the road is closed.
        """
        await _until(lambda: self._closed.is_set() or not self.waiting)
        if self.waiting:
            self._check_open()

    async def receive(self) -> Merchant:
        """The merchant that has waited longest to enter; waits for one. Raises NoRoadError once the road is closed."""
        await _until(lambda: self._closed.is_set() or bool(self._wire.inbound))
        merchant = self._take()
        if merchant is None:
            self._check_open()
            return await self.receive()
        return merchant

    def __aiter__(self) -> "Road":
        return self

    async def __anext__(self) -> Merchant:
        try:
            return await self.receive()
        except NoRoadError:
            raise StopAsyncIteration from None

    def _take(self) -> Merchant | None:
        record = None if self._closed.is_set() else self._wire.take()
        return None if record is None else merchant_of(record)

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise NoRoadError(f"the road to {self.peer} is closed")


class Harbour:
    """A program that other cities dial: `async with Road.listen("127.0.0.1:55555", name="JAVAVILLE") as harbour`.

    `async for road in harbour` gives each city's Road when it first opens; `async for road, merchant in
    harbour.arrivals()` gives everybody who comes by any of them. roads: {city: Road}, all that were ever open.
    address: "HOST:PORT" where it listens; the next free port if that one is taken, as every city does. 0.0.0.0 as HOST
    lets in other machines. Raises NoRoadError if it cannot listen, ValueError for what makes no sense. Everything is
    closed
    at the end of the block; who has not arrived by then is lost, so wait for arrived() on the roads that matter.
    """

    def __init__(
        self, address: str, name: str, *, key_file: str | None = None, log: Callable[[str], None] | None = None
    ):
        self.address = address
        self._host, self._port = _checked(words.address("listening"), address)
        self._town = _Town(name, key_file, log)
        self._told = 0

    async def __aenter__(self) -> "Harbour":
        wires = self._town.wires
        wires.listen, wires.port = self._host, self._port
        try:
            await wires.start()
        except OSError as error:
            raise NoRoadError(f"cannot listen on {self.address}: {error.strerror or error}") from None
        self.address = words.shown((self._host, wires.port))
        return self

    async def __aexit__(self, *failure) -> None:
        await self._town.__aexit__(*failure)

    @property
    def roads(self) -> dict[str, Road]:
        """{city: Road}, the one that opened first first."""
        return dict(self._town.roads)

    def __aiter__(self) -> "Harbour":
        return self

    async def __anext__(self) -> Road:
        town = self._town
        await _until(lambda: town.closed.is_set() or len(town.roads) > self._told)
        if town.closed.is_set():
            raise StopAsyncIteration
        self._told += 1
        return list(town.roads.values())[self._told - 1]

    async def arrivals(self) -> AsyncIterator[tuple[Road, Merchant]]:
        """(the road it came by, the merchant) of everybody who comes, from every city; ends with the harbour."""
        town = self._town
        while not town.closed.is_set():
            for road in list(town.roads.values()):
                merchant = road._take()
                if merchant is not None:
                    yield road, merchant
            await _until(lambda: town.closed.is_set() or any(road._wire.inbound for road in town.roads.values()))


class _Town:
    """What deskonomy.wire.network.Roads needs of a city, for a program that is none: a name, and roads that open."""

    def __init__(self, name, key_file, log):
        self.name = _checked(lambda text: words.name("a city's name", text), name)
        self.roads: dict[str, Road] = {}
        self.ledger = None  # set by Roads
        self.closed = asyncio.Event()
        self._said = "nobody answers"
        self._log = log
        self.wires = Roads(self, log=self._hear, key=_checked(self._key, key_file), key_of=keys.key_for)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.closed.set()
        await self.wires.close()

    def _key(self, key_file):
        try:
            return keys.given(key_file, self._hear)
        except OperationError as error:
            raise NoRoadError(str(error)) from None

    def open_road(self, wire):
        """A road is known by name; it may be up a second later."""
        self.roads[wire.name] = Road(wire, self.closed)

    def close_road(self, name):
        """There are too many: this one has long been down."""
        del self.roads[name]

    def first_up(self):
        """The Road that is up, None while there is none."""
        return next((road for road in self.roads.values() if road.is_up), None)

    def why(self, address):
        """Why there is no road to that address."""
        return self._said if address in self._said else f"no road to {address}: {self._said}"

    def _hear(self, line):
        self._said = line.removesuffix("; dialling on")
        if self._log is not None:
            self._log(line)


def _checked(parse, text):
    try:
        return parse(text)
    except UsageError as error:
        raise ValueError(str(error)) from None


async def _until(true):
    while not true():
        await asyncio.sleep(_TICK_S)


async def _within(timeout_s, true, why):
    """Wait until it is true. Raises NoRoadError(why()) after so many seconds."""
    try:
        async with asyncio.timeout(timeout_s):
            await _until(true)
    except TimeoutError:
        raise NoRoadError(why()) from None
