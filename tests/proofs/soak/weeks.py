"""Weeks of a board's life in an hour: the whole firmware with all that it can have, and everything that happens to it.

Here: what is on the board, the weather, the visitors of its page, and the reckoning at the end. Not here: the cities
that it trades with (peers.py), what it must not say (watcher.py), the command (run.py).

Its clock is fast, and its city ticks more quickly still.
"""

import asyncio
import contextlib
import json
import os
import random
import tempfile
from pathlib import Path

from deskonomy.economy import kernel
from deskonomy.status import locals_column, merchants_column
from deskonomy.storage.decode import thaw
from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.boards.spec import catalog as boards
from proofs.chaos.town import free_ports
from proofs.soak.peers import KEY, LOCALS, MERCHANTS, Peers
from proofs.soak.quick import QuickLoop
from proofs.soak.watcher import Watcher
from proofs.soak.witness import Witness

BOARD = "DESKTOWN"
BOARD_LOCALS, BOARD_MERCHANTS = 20, 20  # so many that its ledger fills when nobody can travel
PEOPLE_MILLS = 1_000_000  # that everybody is born with
DHT_PIN = 4
SENSORS = [
    {"name": "light", "kind": "adc", "pin": 34, "low": 200, "high": 3900, "good": "wood", "yield": [0.0, 2.0]},
    {"name": "air", "kind": "rssi", "low": -90, "high": -40, "good": "thread", "yield": [0.5, 1.5]},
    {
        **{"name": "warmth", "kind": "dht22", "pin": DHT_PIN, "reads": "temperature", "low": 0, "high": 4000},
        **{"good": "bed", "recipe": [{"wood": 2, "thread": 10}, {"wood": 2, "thread": 1}]},
    },
]
SPEED = 20  # of the board's clock,
TICKS_PER_S = 1000  # of that: a week in ten minutes, against the usual 20
WATCHDOG_MS = 1000  # where ticks may stop for so long, there is none: it bites after 1.5 s of ours
GROWTH_BYTES = 4096  # of the heap, which breathes as merchants come and go
OFF_AND_ON = "nothing comes through the Wi-Fi: off and on"
JOIN_MAX_S = 180  # until it is on a Wi-Fi that is there
STRAND_S = 10  # in which as many set out to a city that hears nobody as its road holds, and wait in the ledger
DEAF_MAX_S = 120  # until a deaf link is noticed
CALM_S = 600  # until all roads are up again, and everybody has been heard of; half a minute of ours


async def weeks(minutes, seed=1, heap="224k", stop_ms=100, say=print):
    """Let a board live for so many minutes of ours; a report in words. Raises AssertionError for what is wrong.

    stop_ms: for how long, at most, its ticks may stop.
    """
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, Witness() as witness, QuickLoop(SPEED) as loop:
        page, port, *ports = free_ports(7)
        peers = Peers(port, ports)
        dials = await loop.do(peers.begin())
        try:
            board = make(Path(folder), heap, port, page, dials, stop_ms)
            async with board:
                soak = Soak(board, page, peers, loop, chance, stop_ms, witness, say)
                await soak.run(minutes)
            await loop.do(peers.end())  # as if all of them had died right now
            report = soak.report()
            assert soak.watcher.growth_bytes() <= GROWTH_BYTES, "its heap grows:\n" + report
            saved = [thaw((Path(folder) / "city.state").read_bytes())]
            saved += [peer.saved() for peer in peers.all if peer.saved_bytes]
        finally:
            await loop.do(peers.end())
    check_books(saved)
    return report + "\nall money is there, and everybody lives in one city or is under way once"


def make(flash, heap, port, page, dials, stop_ms):
    """The board, with all that it can have; without a watchdog where ticks may stop for so long."""
    config = boards.load("SIMULATED").config
    config |= {"city": BOARD, "port": port, "page": page, "speed": TICKS_PER_S, "checkpoint_s": 10, "sensors": SENSORS}
    config |= {"watchdog": stop_ms < WATCHDOG_MS, "indicator": {"kind": "neopixel", "pin": 48, "good": "bed"}}
    config |= {"locals": BOARD_LOCALS, "merchants": BOARD_MERCHANTS}
    config["key"] = KEY.hex()
    config["connect"] = ["127.0.0.1:%d" % port for port in dials]
    (flash / "config.json").write_text(json.dumps(config))
    return SimulatedBoard(dir=flash, heap=heap, clock=SPEED)


class Soak:
    """What happens to the board, from run() on; seconds are the board's. watcher: what looks at it."""

    def __init__(self, board, page, peers, loop, chance, stop_ms, witness, say):
        self._board = board
        self._page = page
        self._peers = peers
        self._loop = loop
        self._chance = chance
        self._say = say
        self._away = 4  # the one of the peers that is not there; what waits for it fills the ledger
        self._answers = self._visits = 0
        self._happened = dict.fromkeys(("lost", "deaf", "links", "peers", "sensors", "yields"), 0)
        self.watcher = Watcher(SPEED, board.machine._process.pid, stop_ms, witness)

    async def run(self, minutes):
        """Live for so many minutes of ours, and then until it is calm."""
        with reading(self._board.serial):
            self._board.on_line = self.watcher.hear
            await self._live(minutes)
            await self._calm()
        assert not self.watcher.wrong, "\n".join(self.watcher.wrong)

    async def _live(self, minutes):
        for number in self._there():
            await self._loop.do(self._peers.come(number))
        # Both are started here, and end when the time is over.
        tasks = [asyncio.create_task(work) for work in (self._weather(), self._visitors())]
        try:
            for minute in range(max(1, round(minutes))):
                done, _ = await asyncio.wait(tasks, timeout=60 * min(1, minutes))
                for task in done:
                    task.result()
                assert not self.watcher.wrong, "\n".join(self.watcher.wrong)
                self._say("%d minutes: %s" % (minute + 1, self.report().splitlines()[0]))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _there(self):
        """The numbers of the four peers that are there."""
        return [number for number in range(5) if number != self._away]

    # The weather.

    async def _weather(self):
        while True:
            await self._pass(self._chance.uniform(1, 60))
            await self._chance.choice((self._lose, self._go_deaf, self._disturb, self._visit, self._sense))()

    async def _pass(self, seconds):
        await asyncio.sleep(seconds / SPEED)

    async def _until(self, condition, seconds):
        for _ in range(100 * seconds):
            if condition():
                return
            await self._pass(0.01)
        raise AssertionError("it took more than %d s: %s" % (seconds, list(self._board.lines)[-5:]))

    def _air(self, **changes):
        self._board.machine.air |= changes
        self._board.machine.set_signals()

    async def _lose(self):
        """The Wi-Fi is gone for a while."""
        self._happened["lost"] += 1
        self._air(networks={}, join_ms=self._chance.choice((0, 2000, 8000)))
        await self._loop.do(self._peers.cut())
        await self._pass(self._chance.choice((1, 5, 30)))
        self._air(networks=None)
        await self._loop.do(self._peers.mend())

    async def _go_deaf(self):
        """Nothing comes through, though the station says that it is connected."""
        self._happened["deaf"] += 1
        await self._until(lambda: self.watcher.last["rssi"] is not None, JOIN_MAX_S)
        noticed = self.watcher.said[OFF_AND_ON]
        self._air(deaf=True)
        await self._loop.do(self._peers.cut())
        await self._until(lambda: self.watcher.said[OFF_AND_ON] > noticed, DEAF_MAX_S)
        self._air(deaf=False)
        await self._loop.do(self._peers.mend())

    async def _disturb(self):
        """One link is bad for a while."""
        self._happened["links"] += 1
        number = self._chance.choice(self._there())
        await self._loop.do(self._peers.disturb(number, self._chance.choice(("slices", "stall", "dead"))))
        await self._pass(self._chance.choice((1, 10, 40)))
        await self._loop.do(self._peers.mend())

    async def _visit(self):
        """A city goes, and the one that was away comes back."""
        self._happened["peers"] += 1
        number = self._chance.choice(self._there())
        await self._loop.do(self._peers.disturb(number, "dead"))
        await self._pass(self._chance.choice((0, STRAND_S)))
        await self._loop.do(self._peers.go(number))
        await self._loop.do(self._peers.mend())
        await self._pass(self._chance.choice((0, 5, 60)))
        await self._loop.do(self._peers.come(self._away))
        self._away = number

    async def _sense(self):
        """Other light, another strength of the Wi-Fi; the thermometer fails, or is back; somebody sets a yield."""
        self._happened["sensors"] += 1
        self._board.sense("light", round(self._chance.random(), 2))
        self._board.sense("air", round(self._chance.random(), 2))
        self._board.machine.pins[DHT_PIN] = self._chance.choice(
            (None, "0102030400", dht22(self._chance.randrange(400)))
        )
        self._board.machine.set_signals()
        if self._chance.random() < 0.2:
            self._happened["yields"] += 1
            self._board.send_command({"influence": ["chair", self._chance.choice((None, 0.5, 2))]})

    # The page's visitors.

    async def _visitors(self):
        """Somebody asks for the page every second or so, or says nothing, or nonsense; two at once, now and then."""
        while True:
            await self._pass(self._chance.uniform(0.2, 2))
            count = self._chance.choice((1, 1, 1, 2, 5))
            await asyncio.gather(
                *[self._ask(self._chance.choice(("/", "/api/state", "/api/state", None, ""))) for _ in range(count)]
            )

    async def _ask(self, path):
        self._visits += bool(path)
        try:
            async with asyncio.timeout(30 / SPEED):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._page)
                try:
                    if path is not None:
                        writer.write(b"GET %s HTTP/1.1\r\nHost: board\r\n\r\n" % path.encode())
                    data = await reader.read()
                finally:
                    writer.transport.abort()
        except OSError:  # it has turned us away, or we gave up
            return
        head, _, body = data.partition(b"\r\n\r\n")
        self._answers += bool(path) and b" 200 " in head
        if path == "/api/state" and b" 200 " in head and body.count(b"{") == body.count(b"}"):  # all of it came in time
            money = json.loads(body)["money"]
            if round(1000 * (money["locals"] + money["merchants"] + money["ledger"] - money["total"])):
                self.watcher.complain("its page cannot add: %s" % money)

    # The end.

    async def _calm(self):
        """No more faults: every road to who is there is up, and merchants travel each way on each."""
        self._air(networks=None, deaf=False, join_ms=0)
        await self._loop.do(self._peers.mend())
        there = self._there()
        for number in there:
            await self._loop.do(self._peers.go(number))
            await self._loop.do(self._peers.come(number))
        before = self.watcher.last["roads"]

        def trades(status):
            names = [self._peers.all[number].city for number in there]
            roads = {name: status["roads"].get(name, {"state": "down"}) for name in names}
            return all(
                road["state"] == "up" and road["received"] > before.get(name, {"received": 0})["received"]
                for name, road in roads.items()
            )

        await self._board.wait_for(trades, CALM_S / SPEED)

    def report(self):
        """What it was, in words, a line each."""
        watcher, status = self.watcher, self.watcher.last
        stand_ins = self._board.machine.built_in_bytes
        return "\n".join(
            (
                "%.1f hours of its clock, %.1f weeks of ticks at 20 a second, %d merchants came"
                % (
                    status["uptime_s"] / 3600,
                    status["tick"] / 20 / 3600 / 24 / 7,
                    sum(road["received"] for road in status["roads"].values()),
                ),
                "what happened: " + ", ".join("%s %d" % pair for pair in self._happened.items()),
                "sensors read and failed: "
                + ", ".join("%s %d %d" % (name, n["level"], n["error"]) for name, n in watcher.sensors.items()),
                "its page answered %d of %d, who come up to five at once" % (self._answers, self._visits),
                "heap in use: %d to %d bytes, %+d in the end; for memory merchants forgot on %d connections, "
                "and roads were turned away %d times"
                % (
                    *(min(watcher.heap) - stand_ins, max(watcher.heap) - stand_ins),
                    *(watcher.growth_bytes(), *watcher.short.values()),
                ),
                "at most %d merchants in the ledger" % watcher.waiting,
                "the longest time between two ticks: %.1f ms; the whole machine stood still for %.1f s in all"
                % (max(watcher.gaps_ms), watcher.still_s()),
            )
        )


@contextlib.contextmanager
def reading(path):
    """Read a serial port: one that nobody reads keeps a simulated board waiting for a moment, now and then."""
    port = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    asyncio.get_running_loop().add_reader(port, os.read, port, 65536)
    try:
        yield
    finally:
        asyncio.get_running_loop().remove_reader(port)
        os.close(port)


def dht22(tenths):
    """The five bytes of a DHT22 at half of all humidity, in hex."""
    data = (500).to_bytes(2, "big") + tenths.to_bytes(2, "big")
    return (data + bytes([sum(data) & 255])).hex()


def check_books(cities):
    """Every mill and every merchant is in one place, as the disks have it."""
    by_name = {city.name: city for city in cities}
    mills = merchants = 0
    for city in cities:
        mills += sum(locals_column(city, kernel.MONEY)) + sum(merchants_column(city, kernel.MONEY))
        merchants += city.words[kernel.MERCHANTS]
        for road in city.ledger.roads.values():
            last = by_name[road.name].ledger.last_of(city.ledger.incarnation, city.name) or 0
            owed = [one for one in road.kept() if one.id[1] > last] + road.home()
            mills += sum(one.money_mills for one in owed)
            merchants += len(owed)
    born = BOARD_MERCHANTS + (len(cities) - 1) * MERCHANTS
    people = born + BOARD_LOCALS + (len(cities) - 1) * LOCALS
    assert (mills, merchants) == (people * PEOPLE_MILLS, born), "%d mills of %d, %d merchants of %d" % (
        *(mills, people * PEOPLE_MILLS),
        *(merchants, born),
    )
