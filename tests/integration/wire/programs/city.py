"""A city with roads over TCP on MicroPython: micropython city.py PORT [KEY].

Here: a city for tests of a host's roads. Its first line is the port where it listens; then it prints a status line with
the heap in use about every second. It ticks until three of its merchants have left, so that a test can compare its
money with the host's while nothing moves. Not here: the board's program (firmware/main.py).
"""

import asyncio
import gc
import sys
from binascii import unhexlify

from deskonomy import status
from deskonomy.economy.city import City
from deskonomy.wire.network import Network


async def main(port, key=None):
    """Run the city without end; key: 32 bytes that each peer must have, None for none."""
    city = City("DESKTOWN", 7, 10, 5, merchants_max=45)
    network = Network(city, port=port, line_max=8192, capacity=8, connections_max=6, log=print_comment, key=key)
    await network.start()
    print(network.port)
    while True:
        for _ in range(50):
            if sum([road.sent for road in city.roads.values()]) < 3:
                city.run(1)
            else:
                admit_merchants(city)
            await asyncio.sleep(0.02)
        gc.collect()
        print(status.format_status(city, [("heap", '{"used": %d}' % gc.mem_alloc())]))


def print_comment(event, text):
    """Print the text of an event so that the test tells it from a status."""
    print("#", text)


def admit_merchants(city):
    """Admit a merchant from each road, without a tick."""
    for road in city.roads.values():
        if road.inbound:
            city.admit(road.take())


gc.threshold(1024)  # as a board's boot.py
asyncio.run(main(int(sys.argv[1]), *[unhexlify(key) for key in sys.argv[2:]]))
