"""Real processes under attack: two hosts and a simulated board, keyed roads through proxies, kill -9 at any moment.

Here: starting, killing and disturbing them, and the accounts of all cities as their disks have them. Not here: how
often (run.py, test_chaos.py), what a proxy does to a link (proxy.py), programs that come and go (visitors.py).
"""

import asyncio
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from deskonomy.economy import kernel
from deskonomy.economy.city import City
from deskonomy.storage.decode import decode_city
from deskonomy_host.aio import background
from deskonomy_host.runtime import store
from helpers.ports import find_free_ports
from proofs.chaos import visitors
from proofs.chaos.proxy import MODES, Proxy, open_proxies
from proofs.chaos.visitors import Visitors

CITIES = ("RIVERWOOD", "SEASIDE", "DESKTOWN")
MONEY_MILLS = 3 * 30 * 1_000_000
MERCHANTS = 3 * 10
SPEED = 200  # ticks per second
TIMEOUT_S = 120


class CityProcess:
    """The process of a city, and what survives it.

    Attributes:
        city: the city's name.
        platform: "host" or "board".
        port: where the city listens.
        folder: its disk.
        log: the file with its output.
        running: the process, None before the first start.
    """

    def __init__(
        self,
        folder: Path,
        city: str,
        platform: str,
        port: int,
        seed: int,
        connect: Sequence[int],
        heap: str | None = None,
        speed: int = SPEED,
    ) -> None:
        """Prepare a process.

        Args:
            folder: where disks and logs of all processes are, with the key file "key".
            city: the city's name.
            platform: "host" or "board".
            port: where it listens.
            seed: of the city.
            connect: the ports that it dials.
            heap: of a simulated board, such as "224k".
            speed: ticks per second.
        """
        self.city = city
        self.platform = platform
        self.port = port
        self.folder = folder / city
        self.folder.mkdir()
        self.log = folder / (city + ".log")
        self.running: subprocess.Popen | None = None
        if platform == "host":
            arguments = ["run", city, "--state", str(self.folder), "--speed", str(speed), "--no-dashboard"]
        else:
            arguments = ["board", "sim", "--name", city, "--dir", str(self.folder), "--heap", str(heap)]
            config = {"city": city, "speed": speed, "checkpoint_s": 0.2, "wifi": [["SIMULATED", ""]]}
            (self.folder / "config.json").write_text(json.dumps(config))
        arguments += ["--port", str(port), "--seed", str(seed), "--key-file", str(folder / "key"), "--json"]
        for dialled_port in connect:
            arguments += ["--connect", "127.0.0.1:%d" % dialled_port]
        self.command = [sys.executable, "-m", "deskonomy_host", *arguments]

    def start(self) -> None:
        """Start the process."""
        folder = str(self.folder.parent)
        environment = dict(os.environ, XDG_RUNTIME_DIR=folder, XDG_STATE_HOME=folder)
        with open(self.log, "ab") as log:
            self.running = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment
            )

    def signal(self, number: int) -> None:
        """Send a signal to the process and its children."""
        if self.running is not None and self.running.poll() is None:
            os.killpg(self.running.pid, number)

    def kill(self) -> None:
        """Kill the process and its children."""
        self.signal(signal.SIGKILL)
        if self.running is not None:
            self.running.wait()

    def load_saved_city(self) -> City | None:
        """Return the city on the disk, None before its first checkpoint. The process must be stopped or dead."""
        if self.platform == "board":
            file = self.folder / "city.state"
            return decode_city(file.read_bytes()) if file.exists() else None
        with tempfile.TemporaryDirectory() as copy:
            for file in self.folder.glob(store.FILE + "*"):
                shutil.copy(file, copy)
            db = sqlite3.connect(Path(copy) / store.FILE)
            try:
                rows = db.execute("SELECT data FROM cities").fetchall()
            except sqlite3.Error:
                rows = []
            db.close()
        return decode_city(rows[0][0]) if rows else None


class Accounts:
    """The sums over all cities, as their disks have them.

    Attributes:
        missing: the names of cities that were never saved.
        money_mills: the money of all locals and merchants, also of those between two cities.
        merchants: how many merchants there are.
        arrived: how many merchants have ever been received.
        brought: how many merchants programs have brought.
    """

    def __init__(self, processes: Sequence[CityProcess], programs: Visitors) -> None:
        """Read the disks of these processes, which must be stopped or dead."""
        cities = {process.city: process.load_saved_city() for process in processes}
        self.missing = [name for name, city in cities.items() if city is None]
        self.brought = programs.brought
        self.arrived = 0
        self.merchants = programs.count_owed(cities)
        self.money_mills = self.merchants * visitors.MONEY_MILLS
        for city in cities.values():
            if city is None:
                continue
            self.money_mills += sum(city.locals_column(kernel.MONEY)) + sum(city.merchants_column(kernel.MONEY))
            self.merchants += city.state[kernel.MERCHANTS]
            for road in city.ledger.roads.values() if city.ledger else ():
                self.arrived += road.received
                peer = cities.get(road.name)
                last = 0
                if peer is not None and peer.ledger is not None:
                    last = peer.ledger.find_last_sequence(city.ledger.incarnation, city.name) or 0
                owed = [merchant for merchant in road.list_kept() if merchant.id[1] > last] + road.list_returning()
                self.money_mills += sum(merchant.money_mills for merchant in owed)
                self.merchants += len(owed)

    def are_complete(self) -> bool:
        """Return whether no coin and no merchant is missing or doubled."""
        return (self.money_mills, self.merchants) == self._expected()

    def _expected(self) -> tuple[int, int]:
        return MONEY_MILLS + self.brought * visitors.MONEY_MILLS, MERCHANTS + self.brought

    def __str__(self) -> str:
        money_mills, merchants = self._expected()
        return "%d mills of %d, %d merchants of %d (%d brought by programs), %d have arrived" % (
            *(self.money_mills, money_mills, self.merchants, merchants),
            *(self.brought, self.arrived),
        )


async def run_chaos(
    kills: int,
    seed: int = 1,
    heap: str = "224k",
    report: Callable[[str], object] = print,
    folder: str | None = None,
) -> Accounts:
    """Kill processes at random while programs come and go, then let the cities trade undisturbed.

    Args:
        kills: how many.
        seed: of all random choices.
        heap: of the simulated board.
        report: called with a line of the report.
        folder: where disks and logs are kept; None for a temporary folder.

    Returns:
        The accounts at the end.

    Raises:
        AssertionError: the accounts are not complete.
    """
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(folder or temporary)
        _create_key(place / "key")
        chance = random.Random(seed)
        ports = find_free_ports(3)
        async with open_proxies(*ports, chance=chance) as proxies:
            dials = ([], [proxies[0].port], [proxies[0].port, proxies[1].port])
            platforms = ("host", "host", "board")
            processes = [
                CityProcess(place, city, platform, port, 1 + n, dial, heap)
                for n, (city, platform, port, dial) in enumerate(zip(CITIES, platforms, ports, dials, strict=True))
            ]
            programs = Visitors(processes, chance)
            try:
                for process in processes:
                    process.start()
                await _wait_for_first_checkpoints(processes)
                async with background(programs.run, "the programs") as visits:
                    for kill in range(1, kills + 1):
                        await _disturb(proxies, processes, chance)
                        if kill % 20 == 0:
                            report("%d kills: %s" % (kill, check_accounts(processes, programs)))
                    programs.end()
                    await visits
                await _trade_undisturbed(proxies, processes, programs)
                accounts = check_accounts(processes, programs)
                report("%d kills, then undisturbed: %s" % (kills, accounts))
                return accounts
            finally:
                for process in processes:
                    process.signal(signal.SIGCONT)
                    process.kill()


def check_accounts(processes: Sequence[CityProcess], programs: Visitors) -> Accounts:
    """Stop all processes for a moment; return their accounts. Raises AssertionError if these are not complete."""
    for process in processes:
        process.signal(signal.SIGSTOP)
    try:
        accounts = Accounts(processes, programs)
    finally:
        for process in processes:
            process.signal(signal.SIGCONT)
    assert accounts.are_complete() and not accounts.missing, "the accounts are not complete: %s" % accounts
    return accounts


def _create_key(path: Path) -> None:
    """Create a key file, in place of an earlier one."""
    draft = path.with_name("new.key")
    command = [sys.executable, "-m", "deskonomy_host", "keygen", str(draft)]
    subprocess.run(command, check=True, capture_output=True)
    os.replace(draft, path)


async def _disturb(proxies: Sequence[Proxy], processes: Sequence[CityProcess], chance: random.Random) -> None:
    """Disturb a link for a moment; then kill a process, and start it again."""
    await asyncio.sleep(chance.uniform(0.2, 1.5))
    proxy = chance.choice(proxies)
    draw = chance.random()
    if draw < 0.3:
        proxy.reset_connections(chance.choice(((0,), (1,), (0, 1))))
    else:
        proxy.set_mode(chance.choice(MODES))
    await asyncio.sleep(chance.uniform(0, 1))
    victim = chance.choice(processes)
    victim.kill()
    if chance.random() < 0.7:
        proxy.set_mode("plain")
    await asyncio.sleep(chance.choice((0, 0, 0.5)))
    victim.start()


async def _wait_for_first_checkpoints(processes: Sequence[CityProcess]) -> None:
    """Wait until each city was saved once."""
    async with asyncio.timeout(TIMEOUT_S):
        while any(process.load_saved_city() is None for process in processes):
            await asyncio.sleep(0.2)


async def _trade_undisturbed(proxies: Sequence[Proxy], processes: Sequence[CityProcess], programs: Visitors) -> None:
    """Let the cities trade without faults, until twenty more merchants have arrived."""
    for proxy in proxies:
        proxy.set_mode("plain")
    before = check_accounts(processes, programs).arrived
    async with asyncio.timeout(TIMEOUT_S):
        while check_accounts(processes, programs).arrived < before + 20:
            await asyncio.sleep(1)
