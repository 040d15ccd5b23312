"""A city with roads over TCP on MicroPython, to be met by those of a host: micropython micropython_city.py PORT [KEY].

First line: the port that it got. Then a status line, with the heap in use, whenever a second has passed. It ticks until
three of its merchants have left, so that the books can be compared at rest.
"""

import asyncio
import gc
import sys
from binascii import unhexlify

from deskonomy import status
from deskonomy.economy.city import City
from deskonomy.wire.network import Roads


async def main(port, key=None):
    city = City("DESKTOWN", 7, 10, 5, merchants_max=45)
    roads = Roads(city, port=port, line_max=8192, room=8, connections_max=6, log=lambda line: print("#", line), key=key)
    await roads.start()
    print(roads.port)
    while True:
        for _ in range(50):
            if sum([road.sent for road in city.roads.values()]) < 3:
                city.run(1)
            else:
                enter(city)
            await asyncio.sleep(0.02)
        gc.collect()
        print(status.line(city, [("heap", '{"used": %d}' % gc.mem_alloc())]))


def enter(city):
    """Let in who arrives, without a tick."""
    for road in city.roads.values():
        if road.inbound:
            city.admit(road.take())


gc.threshold(1024)  # as a board's boot.py
asyncio.run(main(int(sys.argv[1]), *[unhexlify(key) for key in sys.argv[2:]]))
