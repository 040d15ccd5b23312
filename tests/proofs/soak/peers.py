"""The cities that a board under test trades with: they start and are killed, and lose no merchant.

Here: five cities, the checkpoint of each, and a proxy between each and the board. Not here: when a city is killed and
when a link is disturbed (faults.py).
"""

import asyncio
import contextlib
import os
from collections.abc import Sequence

from deskonomy.economy.city import City
from deskonomy.economy.clock import run_cities
from deskonomy.roads.ledger import Ledger
from deskonomy.storage.decode import decode_city
from deskonomy.storage.encode import encode_city
from deskonomy.wire.network import Network
from proofs.chaos.proxy import Proxy

NAMES = ("RIVERWOOD", "SEASIDE", "WINTERHOLD", "PORTSVILLE", "OAKHAM")
LOCALS, MERCHANTS = 4, 10
# Without a key, a connection that ends before its first acknowledgement may lose a merchant: see docs/promises.md.
KEY = bytes(range(32))
_TICKS_PER_S = 5
_CHECKPOINT_S = 1
_DIALLING = 2  # so many of the peers dial the board; the board dials the others


class PeerCity:
    """A city that may be started and killed any number of times. It continues from its checkpoint.

    Attributes:
        city: Its name.
        port: The port that it listens on.
        saved_bytes: Its checkpoint; None before the first start.
    """

    def __init__(self, name: str, seed: int, port: int) -> None:
        self.city = name
        self.port = port
        self.saved_bytes: bytes | None = None
        self._seed = seed
        self._task: asyncio.Task | None = None

    def load_saved_city(self) -> City:
        """Return the City that the checkpoint holds."""
        return decode_city(self.saved_bytes)

    async def start(self, dialled_port: int | None = None) -> None:
        """Listen, and keep dialling dialled_port if it is given."""
        if self.saved_bytes is None:
            city = City(self.city, self._seed, LOCALS, MERCHANTS)
            city.ledger = Ledger(int.from_bytes(os.urandom(4), "little") >> 2, volatile=False)
        else:
            city = self.load_saved_city()
        self._save(city)
        network = Network(city, port=self.port, capacity=20, log=lambda event, text: None, key=KEY)
        await network.start()
        assert network.port == self.port, "port %d is taken" % self.port
        if dialled_port is not None:
            network.dial("127.0.0.1", dialled_port)
        # Started here, ended by kill().
        self._task = asyncio.create_task(self._run(city, network))

    async def kill(self) -> None:
        """End the city as kill -9 does: what happened after its last checkpoint is lost."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def _save(self, city: City) -> None:
        checkpoint = city.ledger.begin_checkpoint()
        self.saved_bytes = encode_city(city)
        city.ledger.commit_checkpoint(checkpoint)

    async def _run(self, city: City, network: Network) -> None:
        async def save_changes() -> None:
            while True:
                await asyncio.sleep(_CHECKPOINT_S)
                if city.ledger.dirty:
                    self._save(city)

        try:
            await asyncio.gather(run_cities([city], _TICKS_PER_S), save_changes())
        finally:
            await network.close()


class PeerGroup:
    """Five peers, and the links between them and a board. All methods run in one loop, which is not the board's.

    Attributes:
        peers: The PeerCity objects; a peer's number is its index.
        links: The Proxy of each peer, in the same order.
    """

    def __init__(self, board_port: int, ports: Sequence[int]) -> None:
        """Create the peers.

        Args:
            board_port: The port that the board listens on.
            ports: The ports that the peers listen on.
        """
        self.peers = [PeerCity(name, seed, port) for seed, (name, port) in enumerate(zip(NAMES, ports, strict=True), 1)]
        targets = [board_port] * _DIALLING + [peer.port for peer in self.peers[_DIALLING:]]
        self.links = [Proxy(port) for port in targets]

    async def open_links(self) -> list[int]:
        """Open the links. Return the ports that the board has to dial."""
        for link in self.links:
            await link.__aenter__()
        return [link.port for link in self.links[_DIALLING:]]

    async def start_peer(self, number: int) -> None:
        """Start the peer of this number."""
        await self.peers[number].start(self.links[number].port if number < _DIALLING else None)

    async def kill_peer(self, number: int) -> None:
        """End the peer of this number as kill -9 does."""
        await self.peers[number].kill()

    async def set_link_mode(self, number: int, mode: str) -> None:
        """Set how a peer's link forwards from now on, see proxy.MODES."""
        self.links[number].set_mode(mode)

    async def cut_links(self) -> None:
        """Let no byte through any more, and close no connection: neither end is notified."""
        for link in self.links:
            link.stop_listening()
            link.set_mode("dead")

    async def restore_links(self) -> None:
        """Let all links forward again. Connections on links that were dead are reset, so that both ends notice."""
        for link in self.links:
            if link.mode == "dead":
                link.stop_listening()
                link.reset_connections()
                await link.listen()
            link.set_mode("plain")

    async def close(self) -> None:
        """Kill all peers and close all links."""
        for number in range(len(self.peers)):
            await self.kill_peer(number)
        for link in self.links:
            await link.__aexit__()
