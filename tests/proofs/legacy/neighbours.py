"""Three cities of this project among programs of the tutorial, over real sockets.

Here: which cities and programs trade, what happens to the programs, and the account at the end. Not here: the programs
(helpers/tutorial_program.py), the command (run.py).

The cities are a default one, one whose goods are those of the README's world file, and a small one that is often full.
Each has four neighbours: both editions of the tutorial, a slow and a fast one of each. Programs go quiet, are killed
and start again, and their users connect them a second time. At the end all money is counted to the mill.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable

from deskonomy.economy import kernel
from deskonomy.economy.city import City
from deskonomy.economy.goods import GOODS, Good
from deskonomy.roads.wire_road import LEGACY, WireRoad
from helpers.cities import FIRST_PORT, LoggingNetwork
from helpers.peers import wait_until
from helpers.tutorial_city import TutorialCity
from helpers.tutorial_program import TutorialProgram

_FUR_GOODS = (
    *[good for good in GOODS if good.name in ("wood", "chair")],
    Good("fur", 30, (1000, 3000), 50, {}, False),
    Good("bed", 2, (50_000, 60_000), 2, {"wood": 2, "fur": 3}, True),
)
_SETTLING_S = 20.0


class Neighbour:
    """A program of the tutorial beside a city, from one restart to the next.

    Attributes:
        network: the city's.
        program: what runs now.
        gone_mills: the money of programs that were killed.
        restarts, quiet_times, second_connections: what has happened to it.
    """

    def __init__(self, network: LoggingNetwork, edition: int, ticks_per_s: float, is_dialled: bool) -> None:
        self.network = network
        self.name = f"{network.city.name} {edition} {ticks_per_s:g}"
        self.gone_mills = self.restarts = self.quiet_times = self.second_connections = 0
        self._edition = edition
        self._ticks_per_s = ticks_per_s
        self._is_dialled = is_dialled
        self._address: tuple[str, int] | None = None
        self.admitted = 0

    @property
    def road(self) -> WireRoad | None:
        """The road to this program."""
        return self.network.ledger.roads.get(self.name)

    async def start(self, seed: int) -> int:
        """Start the program, and connect it. Return its money in mills."""
        city = TutorialCity(self.name, self._edition, seed)
        self.program = TutorialProgram(city, self._edition, self._ticks_per_s)
        money_mills = self.program.sum_money_mills()
        if self._is_dialled:
            if self._address is not None:
                await self.network.hang_up(*self._address)
            self._address = ("127.0.0.1", await self.program.listen())
            self.network.dial(*self._address)
        else:
            await self.program.dial("127.0.0.1", self.network.port)
        return money_mills

    async def restart(self, seed: int) -> int:
        """Kill the program and start it again, without its past. Return the new program's money."""
        self.restarts += 1
        self.check()
        self.admitted += self.program.city.admitted
        self.gone_mills += await self.program.kill()
        await wait_until(lambda: self.road is None or self.road.connection is None)
        return await self.start(seed)

    async def connect_again(self) -> None:
        """Connect the program a second time: its first connection stays, because it is alive."""
        self.second_connections += 1
        connection = None if self.road is None else self.road.connection
        closed = self.program.ignored_closed
        await self.program.dial("127.0.0.1", self.network.port)
        await wait_until(lambda: self.program.ignored_closed > closed)
        assert self.road is not None and self.road.connection is connection, f"{self.name} has lost its connection"

    def check(self) -> None:
        """Assert that the program is well, and that the city has rejected nothing."""
        assert self.road is None or not self.road.rejected, f"a line of {self.name} was rejected"
        city = self.program.city
        assert self.program.death is None, self.program.death
        assert not city.incomplete, f"{city.incomplete} merchants came to {self.name} without keys for its goods"
        assert not city.moneyless, f"{self.name} has let in {city.moneyless[0]} as a merchant"
        strange = [line for line in city.unread_lines if line.strip() and not line.startswith(b"[")]
        assert not strange, f"{self.name} cannot read {strange[0]!r}"


def sum_network_mills(network: LoggingNetwork) -> int:
    """Return the money of a city and its roads, without merchants that have certainly arrived elsewhere."""
    city = network.city
    money_mills = sum(city.locals_column(kernel.MONEY)) + sum(city.merchants_column(kernel.MONEY))
    for road in network.ledger.roads.values():
        unsent = [merchant for merchant in road.outbound if merchant.id[1] > road.sent_sequence]
        money_mills += sum(merchant.money_mills for merchant in unsent + road.inbound)
    return money_mills


@contextlib.asynccontextmanager
async def open_cities() -> AsyncIterator[list[LoggingNetwork]]:
    """Yield the networks of the three cities."""
    networks = [
        LoggingNetwork(City("RIVERWOOD", 1), port=FIRST_PORT),
        LoggingNetwork(City("FOXHOLLOW", 2, goods=_FUR_GOODS), port=FIRST_PORT),
        LoggingNetwork(City("DESKTOWN", 3, merchants_max=12), port=FIRST_PORT, capacity=4, line_max=8192),
    ]
    for network in networks:
        await network.start()
    try:
        yield networks
    finally:
        for network in networks:
            await network.close()
    for network in networks:
        network.event_log.check()


async def run_neighbours(
    duration_s: float,
    seed: int = 1,
    ticks_per_s: float = 50.0,
    paces_per_s: tuple[float, float] = (5.0, 100.0),
    pause_s: float = 2.0,
    log: Callable[[str], object] = lambda text: None,
) -> str:
    """Let cities and programs trade, and disturb the programs. Return the account in one line.

    Args:
        duration_s: for how long.
        seed: of what happens, not of when.
        ticks_per_s: of the cities.
        paces_per_s: ticks of the slow and of the fast programs.
        pause_s: between two disturbances, on average.
        log: called with a line now and then.

    Raises:
        AssertionError: a program has crashed, a connection was lost without a reason, or the sums differ.
    """
    chance = random.Random(seed)
    clock = asyncio.get_running_loop().time
    async with open_cities() as networks:
        neighbours = [
            Neighbour(network, edition, pace, (edition == 8) == (pace == paces_per_s[0]))
            for network in networks
            for edition in (7, 8)
            for pace in paces_per_s
        ]
        money_mills = sum(sum_network_mills(network) for network in networks)
        for neighbour in neighbours:
            money_mills += await neighbour.start(chance.getrandbits(30))
        ticking = [asyncio.create_task(_keep_ticking(network.city, ticks_per_s)) for network in networks]
        end_s = clock() + duration_s
        report_s = clock() + 60
        while clock() < end_s:
            await asyncio.sleep(min(pause_s * chance.uniform(0.5, 1.5), max(0, end_s - clock())))
            money_mills += await _disturb(chance.choice(neighbours), chance)
            for neighbour in neighbours:
                neighbour.check()
            if clock() >= report_s:
                report_s += 60
                log(f"{(end_s - clock()) / 60:.0f} minutes left; {_describe(neighbours)}")
        for task in ticking:
            task.cancel()
        for neighbour in neighbours:
            neighbour.program.is_quiet = True
        for network in networks:
            for road in network.ledger.roads.values():
                road.capacity = 10_000  # whatever lies unread comes in, so that it can be counted
                road.wake()

        def sum_mills() -> int:
            there = sum(neighbour.program.sum_money_mills() + neighbour.gone_mills for neighbour in neighbours)
            return there + sum(sum_network_mills(network) for network in networks)

        with contextlib.suppress(TimeoutError):
            await wait_until(lambda: sum_mills() == money_mills, _SETTLING_S)
        difference_mills = sum_mills() - money_mills
        waiting = sum(len(road.inbound) for network in networks for road in network.ledger.roads.values())
        account = _describe(neighbours)
        lost = sum(road.lost for network in networks for road in network.ledger.roads.values())
        for neighbour in neighbours:
            await neighbour.program.kill()
            neighbour.check()
    # A merchant that still waits for room 15 s after its program was killed is lost, and counted.
    is_accounted_for = difference_mills < 0 if lost else difference_mills == 0
    assert is_accounted_for, f"{difference_mills} mills too many, {lost} merchants counted as lost; {account}"
    return (
        f"{duration_s / 60:.1f} minutes: {account}; no program crashed; {money_mills / 1000:,.3f} coins before and "
        f"{(money_mills + difference_mills) / 1000:,.3f} after, {waiting} merchants waiting to enter included, {lost} "
        f"merchants counted as lost"
    )


async def _disturb(neighbour: Neighbour, chance: random.Random) -> int:
    """Let something happen to a program. Return the money that comes into the world by that, in mills."""
    event = chance.choice(("quiet", "talk", "connect", "restart"))
    road, program = neighbour.road, neighbour.program
    if event in ("quiet", "talk"):
        neighbour.quiet_times += event == "quiet"
        program.is_quiet = event == "quiet"
    elif road is None or road.connection is None or not road.connection.ready:
        pass
    elif event == "connect":
        await neighbour.connect_again()
    elif road.peer_state == LEGACY:  # else a merchant may be in doubt
        return await neighbour.restart(chance.getrandbits(30))
    return 0


def _describe(neighbours: list[Neighbour]) -> str:
    roads = [neighbour.road for neighbour in neighbours if neighbour.road is not None]
    there = sum(neighbour.admitted + neighbour.program.city.admitted for neighbour in neighbours)
    return (
        f"{len(neighbours)} programs, {there} merchants entered them, {sum(road.received for road in roads)} came from "
        f"them; {sum(neighbour.restarts for neighbour in neighbours)} restarts, "
        f"{sum(neighbour.quiet_times for neighbour in neighbours)} quiet times, "
        f"{sum(neighbour.second_connections for neighbour in neighbours)} second connections"
    )


async def _keep_ticking(city: City, ticks_per_s: float) -> None:
    while True:
        city.run(1)
        await asyncio.sleep(1 / ticks_per_s)
