"""The board's storage on a real littlefs whose flash loses its power: run by a MicroPython, `littlefs.py CHECK`.

Here: a flash chip in memory, and the checks on it. Prints the counts of a check as JSON, or ends in a traceback.
"""

import asyncio
import errno
import json
import os
import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/../../..")
sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/../../../../firmware")

import vfs
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.wire_road import ACKNOWLEDGING
from deskonomy.storage.decode import decode_city
from deskonomy_board import checkpoints, restore
from helpers.formats import replace_format

BLOCK = 4096
_ERASED = b"\xff" * BLOCK
SETTINGS = {"city": "DESKTOWN", "seed": 1, "locals": 20, "merchants": 10, "checkpoint_s": 10}
LARGE = {"city": "DESKTOWN", "seed": 1, "locals": 100, "merchants": 10, "checkpoint_s": 10}
MERCHANTS_MAX = 22


class Flash:
    """A flash chip as littlefs uses it.

    Without power it answers with an error.

    Attributes:
        steps: Programs and erases since it was made.
        erases: Erases since it was made.
        last: The step at which the power fails; None for none.
        done: The part of that step that is still done, 0 to 2 halves.
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
    """Mount the flash as the current directory, as on a board."""
    os.chdir("/")
    if "flash" in os.listdir("/"):
        vfs.umount("/flash")
    vfs.mount(vfs.VfsLfs2(flash), "/flash")
    os.chdir("/flash")


def mount_new(blocks):
    flash = Flash(blocks)
    vfs.VfsLfs2.mkfs(flash)
    mount(flash)
    return flash


def cross_border(city, road):
    """Send a merchant, and let some ticks pass."""
    if not road.credit():
        road.acknowledge(road.sequence)
    road.send(Merchant("chair", 1_000_000 + road.sequence))
    city.run(3)


log_lines = []


def append_log(event, text):
    log_lines.append(text)


def restore_city(settings):
    return restore.restore_city(settings, MERCHANTS_MAX, [], append_log)


def make_city(settings=SETTINGS):
    """Return a city and its road to an acknowledging peer."""
    city = restore_city(settings)
    road = city.ledger.ensure_road("SEASIDE", 4)
    road.state = "up"
    road.peer_state = ACKNOWLEDGING
    city.open_road(road)
    return city, road


def save(city):
    return asyncio.run(checkpoints.save_city(city))


def read_saved():
    """Return the digest of the city on the flash, and the merchants in its ledger."""
    with open(checkpoints.FILE, "rb") as file:
        city = decode_city(file.read(), SETTINGS["city"])
    return city.digest(), [merchant.id for road in city.ledger.roads.values() for merchant in road.outbound]


def read_state(city, road):
    return city.digest(), [merchant.id for merchant in road.outbound]


def cuts(saves=20, blocks=24):
    """Cut the power at every step of each checkpoint: the flash has the old city or the new one."""
    flash = mount_new(blocks)
    city, road = make_city(LARGE)
    save(city)
    counts = {"cuts": 0, "old": 0, "new": 0}
    for _ in range(saves):
        before, cells = read_state(city, road), bytes(flash.cells)
        cross_border(city, road)
        after = read_state(city, road)
        steps = flash.steps
        save(city)
        steps, whole = flash.steps - steps, bytes(flash.cells)
        assert road.saved_sequence == road.sequence and read_saved() == after
        for last in range(1, steps + 1):
            for done in range(3):
                flash = Flash(blocks, cells)
                mount(flash)
                flash.last, flash.done = flash.steps + last, done
                road.saved_sequence = road.sequence - 1
                save(city)
                assert flash.steps == flash.last, "the power did not fail at step %d of %d" % (last, steps)
                assert road.saved_sequence < road.sequence, "a merchant left before the checkpoint was safe"
                flash = Flash(blocks, flash.cells)
                mount(flash)
                found = read_saved()
                assert found in (before, after), "step %d of %d, %d halves of it" % (last, steps, done)
                counts["cuts"] += 1
                counts["old" if found == before else "new"] += 1
                save(city)  # and it can be saved again
                assert read_saved() == after
        flash = Flash(blocks, whole)
        mount(flash)
    return counts


def erases(saves=1000):
    """Count the blocks that a checkpoint erases, on a flash of an ESP32's size."""
    flash = mount_new(512)
    city, road = make_city(LARGE)
    save(city)
    before = flash.erases
    largest = 0
    for _ in range(saves):
        cross_border(city, road)
        save(city)
        largest = max(largest, os.stat(checkpoints.FILE)[6])
    assert read_saved() == read_state(city, road)
    return {"checkpoints": saves, "erases": flash.erases - before, "bytes": largest}


def full():
    """Fill the flash: a line in the log, the city goes on, no merchant leaves; with free space it is saved again."""
    mount_new(12)
    city, road = make_city()
    road.state = "down"  # so that no merchant leaves
    road.send(Merchant("chair"))
    save(city)
    assert road.saved_sequence == 1
    files = 0
    try:
        while True:
            with open("other%d" % files, "wb") as file:
                file.write(bytes(BLOCK))
            files += 1
    except OSError:
        assert files > 3
    before = read_saved()
    del log_lines[:]

    async def story():
        # Ended below.
        saving = asyncio.create_task(checkpoints.save_changes(city, 0.01, append_log))
        for _ in range(3):
            cross_border(city, road)
            await asyncio.sleep_ms(500)
            assert road.saved_sequence == 1 and read_saved() == before
        assert len(log_lines) == 1 and "cannot be saved" in log_lines[0], log_lines
        os.remove("other0")
        os.remove("other1")
        while len(log_lines) < 2:
            await asyncio.sleep_ms(1)
        saving.cancel()

    asyncio.run(story())
    assert road.saved_sequence == road.sequence == 4 and read_saved() == read_state(city, road)
    assert log_lines[1:] == ["the city is saved again"], log_lines
    return {}


def start():
    """Start without a saved city, with one, with a damaged one, and with that of another name."""
    flash = mount_new(24)
    del log_lines[:]
    city, road = make_city()
    city.ledger.record_arrival((5, 6), "SEASIDE")
    cross_border(city, road)
    save(city)
    mount(flash)
    again = restore_city(SETTINGS)
    assert (again.digest(), again.ledger.incarnation) == (city.digest(), city.ledger.incarnation)
    assert not again.ledger.volatile and again.ledger.arrivals == [(5, 6, "SEASIDE", 0)]
    for _ in range(2):  # the second damaged file takes the place of the first
        with open(checkpoints.FILE, "rb") as file:
            data = bytearray(file.read())
        data[len(data) // 2] ^= 1
        with open(checkpoints.FILE, "wb") as file:
            file.write(data)
        anew = restore_city(SETTINGS)
        assert anew.tick == 0 and anew.ledger.incarnation != city.ledger.incarnation
        assert sorted(os.listdir()) == ["city.damaged"], os.listdir()
        save(anew)
    other = dict(SETTINGS)
    other["city"] = "OTHERTOWN"
    assert restore_city(other).name == "OTHERTOWN"
    assert log_lines == [
        "no saved city: DESKTOWN is born",
        "DESKTOWN goes on from tick 3",
        "the saved city is damaged: its checksum is wrong. DESKTOWN is born anew; the old file is city.damaged now",
        "the saved city is damaged: its checksum is wrong. DESKTOWN is born anew; the old file is city.damaged now",
        "the saved city is of DESKTOWN, not of OTHERTOWN. OTHERTOWN is born anew; the old file is city.damaged now",
    ], log_lines
    other["checkpoint_s"] = 0
    assert restore_city(other).ledger.volatile and len(log_lines) == 5
    return {}


def formats():
    """Start with a city of format 1, then with the migrated one, then with one that a later version has saved."""
    mount_new(24)
    del log_lines[:]
    city, road = make_city()
    cross_border(city, road)
    save(city)
    current = read_file(checkpoints.FILE)
    old = replace_format(current, b"deskonomy1")
    write_file(checkpoints.FILE, old)
    for _ in range(2):  # the second time as after a power cut before the first checkpoint
        again = restore_city(SETTINGS)
        assert (again.digest(), again.ledger.incarnation) == (city.digest(), city.ledger.incarnation)
        assert read_file(checkpoints.FILE) == read_file("city.old") == old
    save(again)
    assert read_file(checkpoints.FILE) == current and read_file("city.old") == old
    assert restore_city(SETTINGS).digest() == city.digest()
    assert sorted(os.listdir()) == ["city.state"], os.listdir()
    restored = "DESKTOWN goes on from tick 3"
    kept = "an older version has saved it; the old file is kept as city.old until the next start"
    assert log_lines[1:] == [restored, kept, restored, kept, restored], log_lines
    newer = replace_format(current, b"deskonomy3 0.3.0")
    write_file(checkpoints.FILE, newer)
    for _ in range(2):
        assert restore_city(SETTINGS) is None
        assert log_lines[-1].startswith("the saved city is of format 3, by deskonomy 0.3.0; deskonomy"), log_lines
        assert sorted(os.listdir()) == ["city.state"] and read_file(checkpoints.FILE) == newer
    return {}


def read_file(path):
    """Return the bytes of a file."""
    with open(path, "rb") as file:
        return file.read()


def write_file(path, data):
    """Write the bytes of a file."""
    with open(path, "wb") as file:
        file.write(data)


def skipped():
    """Write nothing while no merchant crosses the border."""
    flash = mount_new(24)
    city, road = make_city()
    road.state = "down"  # so that no merchant leaves
    saves = []

    async def watch():
        # Ended below.
        saving = asyncio.create_task(checkpoints.save_changes(city, 0.01, append_log))
        for crossings in (0, 1, 2):
            before = flash.steps
            for _ in range(crossings):
                cross_border(city, road)
            while road.saved_sequence < road.sequence:
                await asyncio.sleep_ms(1)
            steps = flash.steps
            city.run(100)
            await asyncio.sleep_ms(500)
            assert flash.steps == steps
            saves.append(steps > before)
        saving.cancel()

    asyncio.run(watch())
    assert saves == [False, True, True], saves
    return {}


def idle():
    """Write a checkpoint after ten minutes without trade, and none before."""
    flash = mount_new(24)
    city, _ = make_city()
    sleep_ms, slept_ms = asyncio.sleep_ms, []

    async def pass_time(ms):
        slept_ms.append(ms)
        await sleep_ms(0)

    async def watch():
        # Ended below.
        saving = asyncio.create_task(checkpoints.save_changes(city, 0.01, append_log))
        steps = flash.steps
        while flash.steps == steps:
            await sleep_ms(0)
        saving.cancel()

    asyncio.sleep_ms = pass_time
    try:
        asyncio.run(watch())
    finally:
        asyncio.sleep_ms = sleep_ms
    assert 600_000 <= sum(slept_ms) < 601_000, sum(slept_ms)
    return {}


def short():
    """Write a checkpoint where memory is too short for all of it."""

    def no_memory(city):
        raise MemoryError

    mount_new(24)
    city, road = make_city()
    cross_border(city, road)
    assert save(city) is None
    with open(checkpoints.FILE, "rb") as file:
        usual = file.read()
    checkpoints.encode_pieces = no_memory
    assert save(city) is None
    with open(checkpoints.FILE, "rb") as file:
        assert file.read() == usual
    cross_border(city, road)
    assert road.saved_sequence < road.sequence
    assert save(city) is None and read_saved() == read_state(city, road) and road.saved_sequence == road.sequence
    return {}


CHECKS = {check.__name__: check for check in (cuts, erases, full, start, formats, skipped, idle, short)}
print(json.dumps(CHECKS[sys.argv[1]]()))
