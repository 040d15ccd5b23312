"""Short-lived programs that come and go while cities are killed: each brings one merchant, and leaves.

Here: the programs, and what is still in their ledgers. Not here: killing and the accounts (processes.py). A program
never takes a merchant off its road, so a merchant that a city sends to it stays in the city's ledger until the city
forgets the road.
"""

import asyncio
import itertools
import os
import random
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from deskonomy.economy.city import City
from deskonomy_host import Merchant, Road

if TYPE_CHECKING:
    from deskonomy.roads.ledger import Ledger
    from proofs.chaos.processes import CityProcess

MONEY = 1  # coins of each program's merchant
MONEY_MILLS = 1000 * MONEY
AT_ONCE = 3  # programs
VISIT_TIMEOUT_S = 120.0


class Visitors:
    """The programs.

    Attributes:
        brought: how many merchants the programs that have begun to send have brought; each has MONEY_MILLS.
    """

    def __init__(self, processes: "Sequence[CityProcess]", chance: random.Random) -> None:
        """Visit the hosts of these processes at random."""
        self.brought = 0
        self._hosts = [process for process in processes if process.platform == "host"]
        self._chance = chance
        self._numbers = itertools.count(1)
        self._sending: dict[str, tuple[str, Ledger]] = {}  # {program: (city, its ledger)}
        self._ending = False

    def count_owed(self, cities: Mapping[str, City | None]) -> int:
        """Return how many merchants are in the programs' ledgers and have not arrived in these cities."""
        owed = 0
        for program, (name, ledger) in self._sending.items():
            city = cities[name]
            last = None
            if city is not None and city.ledger is not None:
                last = city.ledger.find_last_sequence(ledger.incarnation, program)
            for road in ledger.roads.values():
                owed += len([merchant for merchant in road.outbound if merchant.id[1] > (last or 0)])
        return owed

    def end(self) -> None:
        """Let no further program come."""
        self._ending = True

    async def run(self) -> None:
        """Let programs come and go until end(), and wait for the last ones. Raises what a program raises."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._visit_again_and_again())

    async def _visit_again_and_again(self) -> None:
        while not self._ending:
            await asyncio.sleep(self._chance.uniform(0.2, 1.5))
            host = self._chance.choice(self._hosts)
            program = "PROGRAM%d" % next(self._numbers)
            await self._visit(host, program)
            await _forget_road(host, program)

    async def _visit(self, host: "CityProcess", program: str) -> None:
        """Bring one merchant; the city may be killed meanwhile, and the program dials on."""
        key_file = str(host.folder.parent / "key")
        async with Road.dial("127.0.0.1:%d" % host.port, program, key_file=key_file, timeout_s=VISIT_TIMEOUT_S) as road:
            self._sending[program] = host.city, road._wire_road.ledger
            self.brought += 1
            # The road is up and has credit, so this gives the merchant to the ledger before anything else runs.
            await road.send(Merchant(good="chair", money=MONEY))
        del self._sending[program]


async def _forget_road(host: "CityProcess", program: str) -> None:
    """Let a city forget the road to a program that has left; the city may be dead, and then keeps the road."""
    folder = str(host.folder.parent)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deskonomy_host", "forget", host.city, program),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=dict(os.environ, XDG_RUNTIME_DIR=folder, XDG_STATE_HOME=folder),
    )
    await process.wait()
