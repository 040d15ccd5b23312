"""Roads for programs: a city of your own in a few lines, with the same wire protocol as every other city.

    from deskonomy_host import Merchant, Road

    async with Road.dial("desktown.local:55555", name="JAVAVILLE") as road:
        await road.send(Merchant(good="chair", money=1200))
        async for merchant in road:
            print(merchant)

Here: the roads of such a program. Not here: its merchants (merchant.py), connections and dialling
(deskonomy/wire/network.py and below), which are the same for every city.

Between cities of this project every merchant arrives exactly once, and a program is such a city: it acknowledges a
merchant when it takes the merchant off the road, and a merchant that it has sent stays in the road's ledger until the
other city has saved it. The ledger lives as long as the program. Everything here runs in one asyncio loop.
"""

# pyright: strict
import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from typing import TYPE_CHECKING, Any, Self, cast

from deskonomy.roads.wire_road import LEGACY

from deskonomy_host import validation
from deskonomy_host.addresses import format_address, parse_address
from deskonomy_host.errors import OperationError, UsageError, describe_os_error
from deskonomy_host.roads.keyring import KeyFinder
from deskonomy_host.roads.mdns import HostNetwork
from deskonomy_host.roads.merchant import Merchant, from_core_merchant, to_core_merchant

if TYPE_CHECKING:
    from deskonomy.economy.city import City
    from deskonomy.roads.ledger import Ledger
    from deskonomy.roads.wire_road import WireRoad

TIMEOUT_S = 10.0
_TICK_S = 0.005  # between two looks at a road, as a city looks at it in every tick

Log = Callable[[str], None]


class NoRoadError(OperationError, ConnectionError):
    """A road cannot be opened, or is closed; the text states why."""


class Road:
    """A road between this program and one city: `await road.send(merchant)`, `async for merchant in road`.

    Made by dial(), or by a Harbour when another city dials it. A lost connection is dialled again by the side that
    dialled it; meanwhile every method waits. Limit any wait with asyncio.timeout().
    """

    def __init__(self, wire_road: "WireRoad", closed: asyncio.Event) -> None:
        """Create the road of a program; `closed` is set at the end of the program's block."""
        self._wire_road = wire_road
        self._closed = closed

    @staticmethod
    @contextlib.asynccontextmanager
    async def dial(
        address: str,
        name: str,
        *,
        key_file: str | None = None,
        timeout_s: float = TIMEOUT_S,
        log: Log | None = None,
    ) -> "AsyncGenerator[Road, None]":
        """Open a road to the city that listens at an address: `async with Road.dial("HOST:PORT", name="A") as road`.

        At the end of the block, unless it ends by an exception, the road waits until every sent merchant has arrived;
        then it is closed.

        Args:
            address: "HOST:PORT".
            name: the name that the city knows this program by. To the city, two programs of one name are one city.
            key_file: the file with the key that both must have; None for the environment's DESKONOMY_KEY, or no key.
            timeout_s: how many seconds opening may take, and how many arriving may take after the block.
            log: called with one sentence for each thing that happens to the road.

        Raises:
            NoRoadError: the road is not open in time, a merchant has not arrived in time, or the key cannot be read.
            ValueError: the address, the name or the key is invalid.
        """
        with _raise_value_errors():
            host, port = parse_address(address, "a road")
        async with _ProgramCity(name, key_file, log) as city:
            city.network.dial(host, port)

            def describe_failure() -> str:
                reason = city.network.find_failure(host, port)
                return f"no road to {address}: {reason or 'it does not answer'}"

            await _wait_within(timeout_s, lambda: city.find_open_road() is not None, describe_failure)
            road = city.find_open_road()
            assert road is not None
            yield road
            await _wait_within(
                timeout_s, lambda: not road.waiting, lambda: f"{road.waiting} did not arrive in {road.peer}"
            )

    @staticmethod
    def listen(address: str, name: str, *, key_file: str | None = None, log: Log | None = None) -> "Harbour":
        """Return a Harbour: `async with Road.listen("127.0.0.1:55555", name="JAVAVILLE") as harbour`.

        Args:
            address: "HOST:PORT"; 0.0.0.0 as HOST accepts other machines.
            name: as in dial().
            key_file: as in dial().
            log: as in dial().

        Raises:
            NoRoadError: the key cannot be read.
            ValueError: the address, the name or the key is invalid.
        """
        return Harbour(address, name, key_file=key_file, log=log)

    @property
    def peer(self) -> str:
        """The name of the city at the other end."""
        return self._wire_road.name

    @property
    def is_up(self) -> bool:
        """Whether merchants can be sent now."""
        return self._wire_road.state == "up" and not self._closed.is_set()

    @property
    def kind(self) -> str:
        """ "ours" for an acknowledging peer; "legacy" for any other, and until the peer has acknowledged."""
        return self._wire_road.type

    @property
    def waiting(self) -> int:
        """How many sent merchants are not known to have arrived."""
        return len(self._wire_road.outbound)

    def status(self) -> dict[str, Any]:
        """Return the road's part of a status line: state, kind; merchants sent, received, waiting, lost, refused."""
        return self._wire_road.status()

    async def send(self, merchant: Merchant) -> None:
        """Send a merchant as soon as the road is up and has credit (it holds a hundred).

        An acknowledging city that rejects the merchant returns it: it arrives like any other. A city that is not known
        to be acknowledging gets a merchant of wood, chairs or beds, or of a good that its own merchants have named,
        because the tutorial's cities crash of any other. For another good, this method first asks the city what it is.

        Raises:
            ValueError: no city accepts such a merchant.
            NoRoadError: the road is closed, or the city is a legacy peer that has not named the merchant's good.
        """
        core_merchant = to_core_merchant(merchant)
        wire_road = self._wire_road

        def may_send() -> bool:
            is_known = wire_road.accepts(core_merchant.good) or wire_road.peer_state == LEGACY
            return self.is_up and wire_road.credit() > 0 and is_known

        await _wait_until(lambda: self._closed.is_set() or may_send())
        self._check_open()
        if not wire_road.accepts(core_merchant.good):
            raise NoRoadError(f"{self.peer} has not named {merchant.good}, and a legacy city crashes of unknown goods")
        wire_road.send(core_merchant)

    async def arrived(self) -> None:
        """Wait until every sent merchant has arrived.

        An acknowledging city reports that it has saved a merchant. To any other city, a merchant has arrived when it
        was handed to the network; and it takes up to ten seconds to find out that a city does not acknowledge.

        Raises:
            NoRoadError: the road is closed.
        """
        await _wait_until(lambda: self._closed.is_set() or not self.waiting)
        if self.waiting:
            self._check_open()

    async def receive(self) -> Merchant:
        """Return the merchant that has waited longest to enter; wait for one. Raises NoRoadError at a closed road."""
        while True:
            await _wait_until(lambda: self._closed.is_set() or bool(self._wire_road.inbound))
            self._check_open()
            merchant = _take_merchant(self._wire_road)
            if merchant is not None:
                return merchant

    def __aiter__(self) -> Self:
        """Return the road: it iterates over the merchants that arrive, until it is closed."""
        return self

    async def __anext__(self) -> Merchant:
        """Return the next merchant that arrives."""
        try:
            return await self.receive()
        except NoRoadError:
            raise StopAsyncIteration from None

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise NoRoadError(f"the road to {self.peer} is closed")


class Harbour:
    """A program that other cities dial: `async with Road.listen("127.0.0.1:55555", name="JAVAVILLE") as harbour`.

    `async for road in harbour` yields each city's Road when it first opens; `async for road, merchant in
    harbour.arrivals()` yields every merchant that arrives by any road. At the end of the block all roads are closed,
    and sent merchants that have not arrived by then are lost: wait for arrived() on the roads that matter.

    Attributes:
        address: "HOST:PORT" where it listens: the next free port if that port is in use, as with every city.
    """

    def __init__(self, address: str, name: str, *, key_file: str | None = None, log: Log | None = None) -> None:
        """Create a harbour; it listens from `async with` on. Arguments and exceptions are those of Road.listen()."""
        self.address = address
        with _raise_value_errors():
            self._host, self._port = parse_address(address, "listening")
        self._city = _ProgramCity(name, key_file, log)
        self._yielded_count = 0

    async def __aenter__(self) -> Self:
        """Listen. Raises NoRoadError if that is not possible."""
        network = self._city.network
        network.listen, network.port = self._host, self._port
        try:
            await network.start()
        except OSError as error:
            raise NoRoadError(f"cannot listen on {self.address}: {describe_os_error(error)}") from None
        self.address = format_address(self._host, network.port)
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Close all roads."""
        await self._city.__aexit__(*failure)

    @property
    def roads(self) -> dict[str, Road]:
        """{city: Road} of every road that was ever open, in the order of opening."""
        return dict(self._city.roads)

    def __aiter__(self) -> Self:
        """Return the harbour: it iterates over the roads that open, until it is closed."""
        return self

    async def __anext__(self) -> Road:
        """Return the next road that opens."""
        city = self._city
        await _wait_until(lambda: city.closed.is_set() or len(city.roads) > self._yielded_count)
        if city.closed.is_set():
            raise StopAsyncIteration
        self._yielded_count += 1
        return list(city.roads.values())[self._yielded_count - 1]

    async def arrivals(self) -> AsyncIterator[tuple[Road, Merchant]]:
        """Yield (road, merchant) for every merchant that arrives by any road, until the harbour is closed."""
        city = self._city
        while not city.closed.is_set():
            for name, wire_road in list(city.wire_roads.items()):
                merchant = None if city.closed.is_set() else _take_merchant(wire_road)
                if merchant is not None:
                    yield city.roads[name], merchant
            await _wait_until(lambda: city.closed.is_set() or any(road.inbound for road in city.wire_roads.values()))


class _ProgramCity:
    """What a network needs of a city, for a program: a name, a ledger and roads.

    Attributes:
        network: its connections.
        roads: {name of the peer: Road}.
        wire_roads: the core's roads, by the same names.
        closed: set at the end of the program's block.
    """

    def __init__(self, name: str, key_file: str | None, log: Log | None) -> None:
        self._log = log
        with _raise_value_errors():
            self.name = validation.check_name(name, "a city's name")
            try:
                keys = KeyFinder(key_file, self._report)
            except OperationError as error:
                raise NoRoadError(str(error)) from None
        self.roads: dict[str, Road] = {}
        self.wire_roads: dict[str, WireRoad] = {}
        self.ledger: Ledger | None = None  # the network sets it
        self.closed = asyncio.Event()

        def log_text(event: str, text: str) -> None:
            self._report(text)

        self.network = HostNetwork(cast("City", self), keys, log=log_text)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closed.set()
        await self.network.close()

    def open_road(self, wire_road: "WireRoad") -> None:
        """Add a road; the network calls this when it knows the name of a peer."""
        self.wire_roads[wire_road.name] = wire_road
        self.roads[wire_road.name] = Road(wire_road, self.closed)

    def close_road(self, name: str) -> None:
        """Remove a road; the network calls this for a road that is down when it holds as many as it can."""
        del self.roads[name], self.wire_roads[name]

    def find_open_road(self) -> Road | None:
        """Return the first road that is up, or None."""
        return next((road for road in self.roads.values() if road.is_up), None)

    def _report(self, text: str) -> None:
        if self._log is not None:
            self._log(text)


def _take_merchant(wire_road: "WireRoad") -> Merchant | None:
    """Take the merchant that has waited longest off a road, None if there is none."""
    core_merchant = wire_road.take()
    return None if core_merchant is None else from_core_merchant(core_merchant)


@contextlib.contextmanager
def _raise_value_errors() -> Generator[None, None, None]:
    """Raise a ValueError in place of a UsageError: a library's caller does not know the command line."""
    try:
        yield
    except UsageError as error:
        raise ValueError(str(error)) from None


async def _wait_until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(_TICK_S)


async def _wait_within(timeout_s: float, condition: Callable[[], bool], describe_failure: Callable[[], str]) -> None:
    """Wait until the condition is true. Raises NoRoadError(describe_failure()) after the timeout."""
    try:
        async with asyncio.timeout(timeout_s):
            await _wait_until(condition)
    except TimeoutError:
        raise NoRoadError(describe_failure()) from None
