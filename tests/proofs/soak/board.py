"""The board of a soak run: the whole firmware with every option switched on, on a fast clock.

Here: its settings, its time, and its serial port. Not here: what happens to it (faults.py, page_clients.py).
"""

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.boards.spec import catalog
from proofs.soak.peers import KEY

CITY = "DESKTOWN"
LOCALS, MERCHANTS = 20, 20  # so many that the ledger fills while no merchant can travel
DHT_PIN = 4
SPEED = 20  # how many times as fast as real time the board's clock is
_TICKS_PER_S = 1000  # of the board's clock: a week of ticks at the usual 20 a second takes ten minutes
_CHECKPOINT_S = 10
# With a longer allowed pause than this the board has no watchdog, which resets after 1.5 s of real time.
_WATCHDOG_MS = 1000
_SENSORS = [
    {"name": "light", "kind": "adc", "pin": 34, "low": 200, "high": 3900, "good": "wood", "yield": [0.0, 2.0]},
    {"name": "air", "kind": "rssi", "low": -90, "high": -40, "good": "thread", "yield": [0.5, 1.5]},
    {
        **{"name": "warmth", "kind": "dht22", "pin": DHT_PIN, "reads": "temperature", "low": 0, "high": 4000},
        **{"good": "bed", "recipe": [{"wood": 2, "thread": 10}, {"wood": 2, "thread": 1}]},
    },
]


def make_board(
    flash: Path, heap: str, port: int, page_port: int, dialled_ports: list[int], stop_ms: float
) -> SimulatedBoard:
    """Return the board, not started.

    Args:
        flash: The folder that is its flash.
        heap: Size of its heap as -X heapsize takes it.
        port: The port that its city listens on.
        page_port: The port of its page.
        dialled_ports: The ports that it dials.
        stop_ms: The longest time between two ticks that is allowed; from 1000 on the board has no watchdog.
    """
    config = catalog.load_board("SIMULATED").config
    config |= {"city": CITY, "port": port, "page": page_port, "speed": _TICKS_PER_S, "checkpoint_s": _CHECKPOINT_S}
    config |= {"watchdog": stop_ms < _WATCHDOG_MS, "indicator": {"kind": "neopixel", "pin": 48, "good": "bed"}}
    config |= {"locals": LOCALS, "merchants": MERCHANTS, "sensors": _SENSORS, "key": KEY.hex()}
    config["connect"] = ["127.0.0.1:%d" % dialled_port for dialled_port in dialled_ports]
    (flash / "config.json").write_text(json.dumps(config))
    return SimulatedBoard(dir=flash, heap=heap, clock=SPEED)


async def sleep_board_time(seconds: float) -> None:
    """Sleep for so many seconds of the board's clock."""
    await asyncio.sleep(seconds / SPEED)


@contextlib.contextmanager
def drain_serial_port(path: str) -> Iterator[None]:
    """Read and drop what a serial port sends: while its buffer is full, the simulated board sometimes waits."""
    port = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    asyncio.get_running_loop().add_reader(port, os.read, port, 65536)
    try:
        yield
    finally:
        asyncio.get_running_loop().remove_reader(port)
        os.close(port)


def encode_dht22(tenths: int) -> str:
    """Return the five bytes that a DHT22 sends, in hex, for a temperature in tenths of a degree and 50 % humidity."""
    data = (500).to_bytes(2, "big") + tenths.to_bytes(2, "big")
    return (data + bytes([sum(data) & 255])).hex()
