"""A city of release 0.1.0 with roads over TCP: old_city.py CORE PORT [KEY], on CPython or MicroPython.

Here: the core of 0.1.0, from the folder CORE, and what tests do with it. The first line is the port where the city
listens; then it prints its status. It ticks until three of its merchants have left, so that a test can compare its
money with the other city's while nothing moves. Not here: the same for the present core (city.py).
"""

import asyncio
import sys
from binascii import unhexlify

sys.path.insert(0, sys.argv[1])

from deskonomy import status
from deskonomy.city import City
from deskonomy.tcp import Roads


async def main(port, key=None):
    """Run the city without end; key: 32 bytes that each peer must have, None for none."""
    city = City("OLDTOWN", 7, 10, 5, merchants_max=65)
    roads = Roads(city, port=port, room=8, log=print_comment, key=key)
    await roads.start()
    print(roads.port)
    while True:
        for _ in range(10):
            if sum([road.sent for road in city.roads.values()]) < 3:
                city.run(1)
            else:
                admit_merchants(city)
            await asyncio.sleep(0.01)
        print(status.line(city))


def print_comment(text):
    """Print a line of the log so that the test tells it from a status."""
    print("#", text)


def admit_merchants(city):
    """Admit a merchant from each road, without a tick."""
    for road in city.roads.values():
        if road.inbound:
            city.admit(road.take())


asyncio.run(main(int(sys.argv[2]), *[unhexlify(key) for key in sys.argv[3:]]))
