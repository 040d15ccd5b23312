"""Cities that version 0.1.0 saved, on a host and on boards, are restored as 0.1.0 itself restored them.

The files and what 0.1.0 made of them are in tests/data/0.1.0: host_state/, board_flash*.
"""

import contextlib
import json
import lzma
import shutil
import sqlite3
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from deskonomy.economy import kernel
from deskonomy.economy.city import City
from deskonomy.roads.wire_road import ACKNOWLEDGING, LEGACY, UNKNOWN, WireRoad
from deskonomy.storage.decode import decode_city, read_format
from deskonomy.storage.encode import FORMAT
from deskonomy_host.runtime import store
from deskonomy_host.runtime.store import Store
from deskonomy_host.world.plan import build_cities, plan_cities
from helpers.formats import encode_format_1, format_status_1
from helpers.replay import record_merchant, record_money
from helpers.repository import REPO

RECORD = REPO / "tests" / "data" / "0.1.0"
HOSTS = json.loads((RECORD / "host_state" / "expected.json").read_text(encoding="utf-8"))
BOARDS = json.loads((RECORD / "board_flash.json").read_text(encoding="utf-8"))
PEER_STATES = {UNKNOWN: None, ACKNOWLEDGING: True, LEGACY: False}  # as `ours` in the record
TICKS = 300  # that 0.1.0 ran the cities after it restored them

# Prints the content of a file on a littlefs image as hex digits.
READ_IMAGE = """
import os, sys, vfs

BLOCK = 4096
with open(sys.argv[1], "rb") as file:
    cells = bytearray(file.read())

class Flash:
    def readblocks(self, block, data, offset=0):
        at = block * BLOCK + offset
        data[:] = memoryview(cells)[at : at + len(data)]
    def writeblocks(self, block, data, offset=0):
        raise OSError(30)
    def ioctl(self, request, block):
        return {4: len(cells) // BLOCK, 5: BLOCK}.get(request, 0)

vfs.mount(vfs.VfsLfs2(Flash()), "/flash", readonly=True)
with open("/flash/" + sys.argv[2], "rb") as file:
    print(file.read().hex())
"""


def record_city(city: City) -> dict[str, Any]:
    """Return everything that was recorded of a restored city."""
    ledger = city.ledger
    assert ledger is not None
    fields = json.loads(format_status_1(city))
    roads = {}
    for name, road in sorted(city.roads.items()):
        row = road.status()
        roads[name] = {key: row[key] for key in ("state", "kind", "sent", "received", "lost", "refused")} | {
            "wire": name in ledger.roads,
            "ours": PEER_STATES[road.peer_state] if isinstance(road, WireRoad) else None,
            "sequence": road.sequence if isinstance(road, WireRoad) else None,
            "outbound": [record_merchant(merchant) for merchant in road.outbound],
            "inbound": [record_merchant(merchant) for merchant in road.inbound],
        }
    found = {
        "name": city.name,
        "seed": city.seed,
        "tick": city.tick,
        "digest": city.digest(),
        "places": list(city.places),
        "goods": city.good_names,
        "yields_by_hand": sorted(city.overrides),
        "yield_mills": {good: city.yield_mills(good) for good in city.good_names},
        "locals": city.state[kernel.LOCALS],
        "merchants": city.state[kernel.MERCHANTS],
        "merchants_of": fields["merchants"],
        "baggage": {str(index): record_merchant(bag) for index, bag in city.baggage.items()},
        "money_mills": record_money(city),
        "ledger": {
            "incarnation": ledger.incarnation,
            "highest": ledger.highest_sequence,
            "volatile": ledger.volatile,
            "arrivals": [list(arrival[:3]) for arrival in ledger.arrivals],
            "safe": [list(arrival[:3]) for arrival in ledger.saved_arrivals],
        },
        "roads": roads,
        "status": format_status_1(city),
    }
    return json.loads(json.dumps(found))


@pytest.fixture(params=HOSTS)
def host_state(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A copy of a saved `--state` directory, and what 0.1.0 recorded of it. Opening it changes its files."""
    directory = tmp_path / request.param
    source = RECORD / "host_state" / request.param
    if source.is_dir():
        shutil.copytree(source, directory)
    else:
        with tarfile.open(source.with_suffix(".tar.xz")) as archive:
            archive.extractall(directory, filter="data")
    return directory, HOSTS[request.param]


def test_host_restores_saved_cities(host_state):
    directory, recorded = host_state
    with Store(directory) as store:
        cities = build_cities(plan_cities(recorded["cities_in_order"]), restore=store.restore_city)
        store.adopt_cities(cities)
        found = {city.name: record_city(city) for city in cities}
        assert found == recorded["loaded"]
        money = [record_money(city) for city in cities]
        total_mills = sum(row[purse] for row in money for purse in ("locals", "merchants", "under_way"))
        assert total_mills == recorded["total_mills"]
        for _ in range(TICKS):
            for city in cities:
                city.run(1)
        assert {city.name: city.digest() for city in cities} == recorded["after_300_more_ticks"]


def read_saved(path: Path) -> dict[str, bytes]:
    """Return {city: bytes} of the file of a store."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        return dict(db.execute("SELECT name, data FROM cities"))


def test_old_file_of_host_is_kept_until_new_one_is_restored(host_state):
    directory, recorded = host_state
    path, old = directory / store.FILE, directory / store.OLD
    before = read_saved(path)
    assert {read_format(data) for data in before.values()} == {1}
    for is_saved in (False, True):  # the first run is killed before its first checkpoint
        with Store(directory) as saved:
            saved.adopt_cities(build_cities(plan_cities(recorded["cities_in_order"]), restore=saved.restore_city))
            if is_saved:
                saved.save()
        assert read_saved(old) == before
    assert {read_format(data) for data in read_saved(path).values()} == {FORMAT}
    with Store(directory) as saved:
        cities = build_cities(plan_cities(recorded["cities_in_order"]), restore=saved.restore_city)
        saved.adopt_cities(cities)
        assert {city.name: city.digest() for city in cities} == {
            name: city["digest"] for name, city in recorded["loaded"].items()
        }
    assert not old.exists()


@pytest.mark.parametrize("name", BOARDS)
def test_board_state_is_decoded_and_encoded_as_saved(micropython, tmp_path, name):
    recorded = BOARDS[name]
    image = tmp_path / "flash.img"
    image.write_bytes(lzma.decompress((RECORD / f"{name}.img.xz").read_bytes()))
    program = tmp_path / "read_image.py"
    program.write_text(READ_IMAGE)
    command = [micropython, "-X", "heapsize=64m", program, image, recorded["checkpoint"]["file"]]
    data = bytes.fromhex(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)
    assert len(data) == recorded["checkpoint"]["bytes"]
    assert read_format(data) == 1
    assert encode_format_1(decode_city(data)) == data
    city = decode_city(data, recorded["loaded"]["name"], merchants_max=recorded["merchants_max"])
    assert record_city(city) == recorded["loaded"]
    city.run(TICKS)
    assert city.digest() == recorded["after_300_more_ticks"]
