"""The cities that a board under test trades with: they come and go, and nobody is lost when they go.

Here: five of them, each with a proxy between it and the board, and what they have saved. Not here: when they go, and
when the link is bad (weeks.py).
"""

import asyncio
import contextlib
import os

from deskonomy.economy.city import City
from deskonomy.economy.clock import drive
from deskonomy.roads.ledger import Ledger
from deskonomy.storage.decode import thaw
from deskonomy.storage.encode import freeze
from deskonomy.wire.network import Roads
from proofs.chaos.proxy import Proxy

LOCALS, MERCHANTS = 4, 10
KEY = bytes(range(32))  # without one, a link that dies at first sight may lose somebody: see docs/promises.md
TICKS_PER_S = 5
_SAVED_EVERY_S = 1


class Peer:
    """A city whose disk is saved_bytes. come() and go() as often as you like: it goes as by kill -9."""

    def __init__(self, name, seed, port):
        self.city = name
        self.port = port
        self.saved_bytes = None
        self._seed = seed
        self._living = None

    def saved(self):
        """The City as the disk has it."""
        return thaw(self.saved_bytes)

    async def come(self, dial=None):
        """Listen, and dial this port for ever if there is one."""
        if self.saved_bytes is None:
            city = City(self.city, self._seed, LOCALS, MERCHANTS)
            city.ledger = Ledger(int.from_bytes(os.urandom(4), "little") >> 2, volatile=False)
        else:
            city = self.saved()
        self._save(city)
        roads = Roads(city, port=self.port, room=20, log=lambda line: None, key=KEY)
        await roads.start()
        assert roads.port == self.port, "its port is taken"
        if dial is not None:
            roads.dial("127.0.0.1", dial)
        # Started here, ended by go().
        self._living = asyncio.create_task(self._live(city, roads))

    async def go(self):
        if self._living is not None:
            self._living.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._living
            self._living = None

    def _save(self, city):
        mark = city.ledger.mark()
        self.saved_bytes = freeze(city)
        city.ledger.release(mark)

    async def _live(self, city, roads):
        async def save():
            while True:
                await asyncio.sleep(_SAVED_EVERY_S)
                if city.ledger.crossed:
                    self._save(city)

        try:
            await asyncio.gather(drive([city], TICKS_PER_S), save())
        finally:
            await roads.close()


class Peers:
    """Five peers, and the links between them and a board. All of it in one loop, which is not the board's."""

    def __init__(self, board_port, ports):
        names = ("RIVERWOOD", "SEASIDE", "WINTERHOLD", "PORTSVILLE", "OAKHAM")
        self.all = [Peer(name, seed, port) for seed, (name, port) in enumerate(zip(names, ports, strict=True), 1)]
        # The first two dial the board, the others are dialled by it.
        self.links = [Proxy(board_port), Proxy(board_port), *[Proxy(peer.port) for peer in self.all[2:]]]

    async def begin(self):
        """Open the links. Returns the ports that the board is to dial."""
        for link in self.links:
            await link.__aenter__()
        return [link.port for link in self.links[2:]]

    async def come(self, number):
        await self.all[number].come(self.links[number].port if number < 2 else None)

    async def go(self, number):
        await self.all[number].go()

    async def disturb(self, number, mode):
        """How a link is from now on; see proxy.MODES."""
        self.links[number].change(mode)

    async def cut(self):
        """Nothing gets through any more, and nobody is told."""
        for link in self.links:
            link.shut()
            link.change("dead")

    async def mend(self):
        """All is well from now on. Connections that were dead are seen to be so."""
        for link in self.links:
            if link.mode == "dead":
                link.shut()
                link.reset()
                await link.open()
            link.change("plain")

    async def end(self):
        for number in range(len(self.all)):
            await self.go(number)
        for link in self.links:
            await link.__aexit__()
