"""Hostile peers of six types, in a process of their own: python attackers.py PORT COUNT SECONDS SPREAD

Here: what each of them sends. SPREAD is 1 if each peer has an address of its own (127.0.0.x), else 0. Not here: what
they attack, and what is measured (flood.py).
"""

import asyncio
import contextlib
import itertools
import json
import sys

MERCHANT = {"Money": 1000, "BuysSells": "chair", "CarryingCapacity": 20, "Owned": 0, "ExpectedPrices": {}}
_RETRY_S = 0.02  # between two connections of a peer
_numbers = itertools.count()


def _merchant_line() -> bytes:
    return json.dumps(MERCHANT).encode() + b"\n"


async def send_rejected_objects(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
    """Send objects that are no merchants, with as many fields as are read, as fast as they are taken."""
    writer.write(b"OBJECTS %d\n" % number)
    line = json.dumps({"f%d" % field: field for field in range(64)}).encode() + b"\n"
    while True:
        writer.write(line * 16)
        await writer.drain()


async def send_short_lines(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
    """Send lines of one letter as fast as they are taken."""
    writer.write(b"LINES %d\n" % number)
    while True:
        writer.write(b"x\n" * 2000)
        await writer.drain()


async def send_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
    """Post a merchant as a web page can."""
    writer.write(b"POST / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n\n" + _merchant_line())
    while await reader.read(1024):
        pass


async def send_merchants(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
    """Send four merchants every two seconds, under a new name on each connection."""
    writer.write(b"NAME %d\n" % next(_numbers))
    while True:
        writer.write(_merchant_line() * 4)
        await writer.drain()
        await asyncio.sleep(2)


async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
    """Send nothing."""
    while await reader.read(1024):
        pass


async def read_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
    """Send pings as fast as they are taken, and read no answer."""
    writer.transport.pause_reading()
    writer.write(b"PINGS %d\n" % number)
    while True:
        writer.write(b'["ping",1]\n' * 500)
        await writer.drain()


TYPES = (send_rejected_objects, send_short_lines, send_http, send_merchants, stay_silent, read_nothing)


async def attack(port: int, number: int, spread: bool) -> None:
    """Attack the city on this port, on one connection after the other, without an end."""
    local = ("127.0.1.%d" % (number % 250 + 1), 0) if spread else None
    while True:
        writer = None
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=local)
            await TYPES[number % len(TYPES)](reader, writer, number)
        if writer is not None:
            writer.transport.abort()
        await asyncio.sleep(_RETRY_S)


async def main(port: int, count: int, seconds: float, spread: bool) -> None:
    """Run so many attackers for so long."""
    # All are started here, and end with the process.
    tasks = [asyncio.create_task(attack(port, number, spread)) for number in range(count)]
    await asyncio.wait(tasks, timeout=seconds)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4] == "1"))
