"""The board's storage on a real littlefs whose flash loses its power: run by a MicroPython, `littlefs.py CHECK`.

Here: a flash chip in memory, and what is checked on it; prints what it counted as JSON, or ends in a traceback.
"""

import asyncio
import errno
import json
import os
import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/../../../../firmware")

import vfs
from deskonomy.economy.merchant import Merchant
from deskonomy.storage.decode import thaw
from deskonomy_board import checkpoints as storage
from deskonomy_board import restore as wake

BLOCK = 4096
_ERASED = b"\xff" * BLOCK
SETTINGS = {"city": "DESKTOWN", "seed": 1, "locals": 20, "merchants": 10, "checkpoint_s": 10}
LARGE = {"city": "DESKTOWN", "seed": 1, "locals": 100, "merchants": 10, "checkpoint_s": 10}
GUESTS_MAX = 22


class Flash:
    """A flash chip as littlefs sees it. steps, erases: programs and erases, and erases alone, since it was made.

    last: the step at which the power fails, None for none. done: the part of that step that is still done, 0 to 2
    halves. Without power it answers with an error.
    """

    def __init__(self, blocks, cells=None):
        self.cells = bytearray(b"\xff" * (BLOCK * blocks)) if cells is None else bytearray(cells)
        self.steps = self.erases = 0
        self.last = None
        self.done = 0

    def readblocks(self, block, data, offset=0):
        if self.steps == self.last:
            return -errno.EIO
        at = block * BLOCK + offset
        data[:] = memoryview(self.cells)[at : at + len(data)]
        return 0

    def writeblocks(self, block, data, offset=0):
        return self._step(block * BLOCK + offset, data)

    def ioctl(self, request, block):
        if request == 4:
            return len(self.cells) // BLOCK
        if request == 5:
            return BLOCK
        if request == 6:
            self.erases += 1
            return self._step(block * BLOCK, _ERASED)
        return 0

    def _step(self, at, data):
        if self.steps == self.last:
            return -errno.EIO
        self.steps += 1
        size = len(data)
        if self.steps == self.last:
            size = size * self.done // 2
        if data is not _ERASED:
            for cell in range(at, at + size):
                assert self.cells[cell] == 0xFF, "a cell is programmed that was not erased"
        self.cells[at : at + size] = memoryview(data)[:size]
        return -errno.EIO if self.steps == self.last else 0


def mount(flash):
    """The flash as the current directory, as a board has it."""
    os.chdir("/")
    if "flash" in os.listdir("/"):
        vfs.umount("/flash")
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    os.chdir("/flash")


def fresh(blocks):
    flash = Flash(blocks)
    vfs.VfsLfs2.mkfs(flash)
    mount(flash)
    return flash


def live(city, road):
    """Something crosses the border, and some time passes."""
    if not road.space():
        road.acknowledge(road.sequence)
    road.send(Merchant("chair", 1_000_000 + road.sequence))
    city.run(3)


def settled(settings=SETTINGS):
    """A city with a road."""
    city = wake.wake(settings, GUESTS_MAX, [], said.append)
    road = city.ledger.road("SEASIDE", 4)
    road.state = "up"
    road.ours = True
    city.open_road(road)
    return city, road


def save(city):
    return asyncio.run(storage.save(city))


def saved():
    """The digest of the city on the flash, and who is in its ledger."""
    with open(storage.FILE, "rb") as file:
        city = thaw(file.read(), SETTINGS["city"])
    return city.digest(), [one.id for road in city.ledger.roads.values() for one in road.outbound]


def state(city, road):
    return city.digest(), [one.id for one in road.outbound]


said = []


def cuts(checkpoints=20, blocks=24):
    """Cut the power at every step of so many checkpoints in a row: there is the old city or the new one."""
    flash = fresh(blocks)
    city, road = settled(LARGE)
    save(city)
    counts = {"cuts": 0, "old": 0, "new": 0}
    for _ in range(checkpoints):
        before, cells = state(city, road), bytes(flash.cells)
        live(city, road)
        after = state(city, road)
        steps = flash.steps
        save(city)
        steps, whole = flash.steps - steps, bytes(flash.cells)
        assert road.saved == road.sequence and saved() == after
        for last in range(1, steps + 1):
            for done in range(3):
                flash = Flash(blocks, cells)
                mount(flash)
                flash.last, flash.done = flash.steps + last, done
                road.saved = road.sequence - 1
                save(city)
                assert flash.steps == flash.last, "the power did not fail at step %d of %d" % (last, steps)
                assert road.saved < road.sequence, "somebody was let go before all was safe"
                flash = Flash(blocks, flash.cells)
                mount(flash)
                found = saved()
                assert found in (before, after), "step %d of %d, %d halves of it" % (last, steps, done)
                counts["cuts"] += 1
                counts["old" if found == before else "new"] += 1
                save(city)  # and it can be saved again
                assert saved() == after
        flash = Flash(blocks, whole)
        mount(flash)
    return counts


def erases(checkpoints=1000):
    """How many blocks a checkpoint erases, on a flash of an ESP32's size."""
    flash = fresh(512)
    city, road = settled(LARGE)
    save(city)
    before = flash.erases
    largest = 0
    for _ in range(checkpoints):
        live(city, road)
        save(city)
        largest = max(largest, os.stat(storage.FILE)[6])
    assert saved() == state(city, road)
    return {"checkpoints": checkpoints, "erases": flash.erases - before, "bytes": largest}


def full():
    """No room: that is said once, the city goes on, nobody is let go, and all is well once there is room."""
    fresh(12)
    city, road = settled()
    road.state = "down"  # so that nobody leaves by himself
    road.send(Merchant("chair"))
    save(city)
    assert road.saved == 1
    others = 0
    try:
        while True:
            with open("other%d" % others, "wb") as file:
                file.write(bytes(BLOCK))
            others += 1
    except OSError:
        assert others > 3
    before = saved()
    del said[:]

    async def story():
        # Ended below.
        keeping = asyncio.create_task(storage.keep(city, 0.01, said.append))
        for _ in range(3):
            live(city, road)
            await asyncio.sleep_ms(500)
            assert road.saved == 1 and saved() == before
        assert len(said) == 1 and "cannot be saved" in said[0], said
        os.remove("other0")
        os.remove("other1")
        while len(said) < 2:
            await asyncio.sleep_ms(1)
        keeping.cancel()

    asyncio.run(story())
    assert road.saved == road.sequence == 4 and saved() == state(city, road)
    assert said[1:] == ["the city is saved again"], said
    return {}


def start():
    """What a start finds, and says: nothing, a city, a damaged one, another one."""
    flash = fresh(24)
    del said[:]
    city, road = settled()
    city.ledger.arrive((5, 6), "SEASIDE")
    live(city, road)
    save(city)
    mount(flash)
    again = wake.wake(SETTINGS, GUESTS_MAX, [], said.append)
    assert (again.digest(), again.ledger.incarnation) == (city.digest(), city.ledger.incarnation)
    assert not again.ledger.volatile and again.ledger.arrivals == [(5, 6, "SEASIDE")]
    for _ in range(2):  # the second damaged file takes the place of the first
        with open(storage.FILE, "rb") as file:
            data = bytearray(file.read())
        data[len(data) // 2] ^= 1
        with open(storage.FILE, "wb") as file:
            file.write(data)
        anew = wake.wake(SETTINGS, GUESTS_MAX, [], said.append)
        assert anew.tick == 0 and anew.ledger.incarnation != city.ledger.incarnation
        assert sorted(os.listdir()) == ["city.damaged"], os.listdir()
        save(anew)
    other = dict(SETTINGS)
    other["city"] = "OTHERTOWN"
    assert wake.wake(other, GUESTS_MAX, [], said.append).name == "OTHERTOWN"
    assert said == [
        "no saved city ([Errno 2] ENOENT): DESKTOWN is born",
        "DESKTOWN goes on from tick 3",
        "the saved city is damaged: its checksum is wrong. DESKTOWN is born anew; the old file is city.damaged now",
        "the saved city is damaged: its checksum is wrong. DESKTOWN is born anew; the old file is city.damaged now",
        "the saved city is of DESKTOWN, not of OTHERTOWN. OTHERTOWN is born anew; the old file is city.damaged now",
    ], said
    other["checkpoint_s"] = 0
    assert wake.wake(other, GUESTS_MAX, [], said.append).ledger.volatile and len(said) == 5
    return {}


def skipped():
    """While nobody crosses the border nothing is written."""
    flash = fresh(24)
    city, road = settled()
    road.state = "down"  # so that nobody leaves by himself
    saves = []

    async def watch():
        # Ended below.
        keeping = asyncio.create_task(storage.keep(city, 0.01, said.append))
        for crossings in (0, 1, 2):
            before = flash.steps
            for _ in range(crossings):
                live(city, road)
            while road.saved < road.sequence:
                await asyncio.sleep_ms(1)
            steps = flash.steps
            city.run(100)
            await asyncio.sleep_ms(500)
            assert flash.steps == steps
            saves.append(steps > before)
        keeping.cancel()

    asyncio.run(watch())
    assert saves == [False, True, True], saves
    return {}


def short():
    """Where memory has no room for all of a checkpoint, it is written all the same."""

    def no_room(city):
        raise MemoryError

    fresh(24)
    city, road = settled()
    live(city, road)
    assert save(city) is None
    with open(storage.FILE, "rb") as file:
        usual = file.read()
    storage.pieces = no_room
    assert save(city) is None
    with open(storage.FILE, "rb") as file:
        assert file.read() == usual
    live(city, road)
    assert road.saved < road.sequence
    assert save(city) is None and saved() == state(city, road) and road.saved == road.sequence
    return {}


CHECKS = {"cuts": cuts, "erases": erases, "full": full, "start": start, "skipped": skipped, "short": short}
print(json.dumps(CHECKS[sys.argv[1]]()))
