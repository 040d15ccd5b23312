"""Real processes under attack: two hosts and a simulated board, keyed roads through proxies, kill -9 at any moment.

Here: starting, killing, disturbing, and the books as the disks have them. Not here: how often (run.py, test_chaos.py).
"""

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from deskonomy.economy import kernel
from deskonomy.status import locals_column, merchants_column
from deskonomy.storage.decode import thaw
from deskonomy_host.runtime import store as state
from proofs.chaos.proxy import MODES, proxies

CITIES = ("RIVERWOOD", "SEASIDE", "DESKTOWN")
MONEY_MILLS = 3 * 30 * 1_000_000
MERCHANTS = 3 * 10
SPEED = 200


class Process:
    """One city's process and what survives it. sort: "host" or "board"."""

    def __init__(self, folder, city, sort, port, seed, connect, heap=None, speed=SPEED):
        self.city = city
        self.sort = sort
        self.port = port
        self.home = folder / city
        self.home.mkdir()
        self.log = folder / (city + ".log")
        self.running = None
        key = str(folder / "key")
        dial = [word for port in connect for word in ("--connect", "127.0.0.1:%d" % port)]
        if sort == "host":
            words = ["run", city, "--state", str(self.home), "--speed", str(speed), "--no-dashboard"]
        else:
            words = ["board", "sim", "--name", city, "--dir", str(self.home), "--heap", heap]
            config = {"city": city, "speed": speed, "checkpoint_s": 0.2, "wifi": [["SIMULATED", ""]]}
            (self.home / "config.json").write_text(json.dumps(config))
        words += ["--port", str(port), "--seed", str(seed), "--key-file", key, "--json", *dial]
        self.command = [sys.executable, "-m", "deskonomy_host", *words]

    def start(self):
        env = dict(os.environ, XDG_RUNTIME_DIR=str(self.home.parent), XDG_STATE_HOME=str(self.home.parent))
        with open(self.log, "ab") as log:
            self.running = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=env
            )

    def signal(self, number):
        """To the process and all of its own."""
        if self.running is not None and self.running.poll() is None:
            os.killpg(self.running.pid, number)

    def kill(self):
        self.signal(signal.SIGKILL)
        if self.running is not None:
            self.running.wait()

    def saved(self):
        """The city as the disk has it, None before its first checkpoint. The process stands still or is dead."""
        if self.sort == "board":
            file = self.home / "city.state"
            return thaw(file.read_bytes()) if file.exists() else None
        with tempfile.TemporaryDirectory() as copy:
            for file in self.home.glob(state.FILE + "*"):
                shutil.copy(file, copy)
            db = sqlite3.connect(Path(copy) / state.FILE)
            try:
                rows = db.execute("SELECT data FROM cities").fetchall()
            except sqlite3.Error:
                rows = []
            db.close()
        return thaw(rows[0][0]) if rows else None


class Books:
    """What cities have, as their disks say. arrived: merchants received in all."""

    def __init__(self, processes):
        cities = {one.city: one.saved() for one in processes}
        self.missing = [name for name, city in cities.items() if city is None]
        self.money_mills = self.merchants = self.arrived = 0
        for city in cities.values():
            if city is None:
                continue
            self.money_mills += sum(locals_column(city, kernel.MONEY)) + sum(merchants_column(city, kernel.MONEY))
            self.merchants += city.words[kernel.MERCHANTS]
            for road in city.ledger.roads.values() if city.ledger else ():
                self.arrived += road.received
                there = cities.get(road.name)
                last = 0
                if there is not None and there.ledger is not None:
                    last = there.ledger.last_of(city.ledger.incarnation, city.name) or 0
                owed = [one for one in road.kept() if one.id[1] > last] + road.home()
                self.money_mills += sum(one.money_mills for one in owed)
                self.merchants += len(owed)

    def agree(self):
        return (self.money_mills, self.merchants) == (MONEY_MILLS, MERCHANTS)

    def __str__(self):
        return "%d mills of %d, %d merchants of %d, %d have arrived" % (
            *(self.money_mills, MONEY_MILLS, self.merchants, MERCHANTS),
            self.arrived,
        )


def free_ports(count):
    """Ports that nobody has right now."""
    socks = [socket.socket() for _ in range(count)]
    for sock in socks:
        sock.bind(("127.0.0.1", 0))
    ports = [sock.getsockname()[1] for sock in socks]
    for sock in socks:
        sock.close()
    return ports


async def chaos(kills, seed=1, heap="224k", say=print, folder=None):
    """Kill so many processes; the Books in the end. Raises AssertionError as soon as they disagree.

    folder: where all is kept, None for a temporary one.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(folder or temporary)
        (folder / "key").write_text("")
        subprocess.run(
            [sys.executable, "-m", "deskonomy_host", "keygen", str(folder / "new.key")], check=True, capture_output=True
        )
        os.replace(folder / "new.key", folder / "key")
        chance = random.Random(seed)
        ports = free_ports(3)
        async with proxies(*ports, chance=chance) as links:
            dials = ([], [links[0].port], [links[0].port, links[1].port])
            sorts = ("host", "host", "board")
            processes = [
                Process(folder, city, sort, port, 1 + n, dial, heap)
                for n, (city, sort, port, dial) in enumerate(zip(CITIES, sorts, ports, dials, strict=True))
            ]
            try:
                for one in processes:
                    one.start()
                await first_checkpoints(processes)
                for kill in range(1, kills + 1):
                    await disturb(links, processes, chance)
                    if kill % 20 == 0:
                        say("%d kills: %s" % (kill, check(processes)))
                await calm(links, processes)
                books = check(processes)
                say("%d kills, calm: %s" % (kills, books))
                return books
            finally:
                for one in processes:
                    one.signal(signal.SIGCONT)
                    one.kill()


async def disturb(links, processes, chance):
    """For a moment the links are bad; then somebody is killed, and starts again."""
    await asyncio.sleep(chance.uniform(0.2, 1.5))
    link = chance.choice(links)
    draw = chance.random()
    if draw < 0.3:
        link.reset(chance.choice(((0,), (1,), (0, 1))))
    else:
        link.change(chance.choice(MODES))
    await asyncio.sleep(chance.uniform(0, 1))
    victim = chance.choice(processes)
    victim.kill()
    if chance.random() < 0.7:
        link.change("plain")
    await asyncio.sleep(chance.choice((0, 0, 0.5)))
    victim.start()


async def first_checkpoints(processes):
    """Wait until each city has been saved once: all of them trade."""
    async with asyncio.timeout(120):
        while any(one.saved() is None for one in processes):
            await asyncio.sleep(0.2)


def check(processes):
    """Let everybody stand still, and compare the books. Raises AssertionError."""
    for one in processes:
        one.signal(signal.SIGSTOP)
    try:
        books = Books(processes)
    finally:
        for one in processes:
            one.signal(signal.SIGCONT)
    assert books.agree() and not books.missing, "the books disagree: %s" % books
    return books


async def calm(links, processes):
    """No more faults: trade goes on between all of them."""
    for link in links:
        link.change("plain")
    before = check(processes).arrived
    async with asyncio.timeout(120):
        while check(processes).arrived < before + 20:
            await asyncio.sleep(1)
