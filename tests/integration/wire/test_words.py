"""What the log says about roads that do not open, in words that say what to do."""

import asyncio
import errno
import os

from core.event_log import EventLog
from deskonomy.economy.city import City
from deskonomy.events import CONNECTION_REJECTED, DIAL_FAILED
from deskonomy_host.roads.keyring import KeyFinder
from deskonomy_host.roads.mdns import HostNetwork
from helpers.cities import is_road_up, open_network
from helpers.peers import LineNamePeer, wait_until
from helpers.ports import find_free_ports


def test_cities_of_same_name_are_told_so():
    text = "both cities are called RIVERWOOD: rename one"

    async def scenario():
        async with open_network("RIVERWOOD") as here, open_network("RIVERWOOD") as there:
            here.dial("127.0.0.1", there.port)
            await wait_until(lambda: here.find_texts(DIAL_FAILED) and there.find_texts(CONNECTION_REJECTED))
            assert here.find_texts(DIAL_FAILED) == [f"no road to 127.0.0.1:{there.port}: {text}; dialling on"]
            assert there.find_texts(CONNECTION_REJECTED) == [f"RIVERWOOD (127.0.0.1) was rejected: {text}"]
            assert here.city.roads == there.city.roads == {}

    asyncio.run(scenario())


def test_city_whose_name_is_taken_is_told_where_to_look():
    async def scenario():
        async with open_network("RIVERWOOD") as riverwood, open_network("SEASIDE") as true:
            false = await LineNamePeer("SEASIDE").dial("127.0.0.1", riverwood.port)
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE"))
            true.dial("127.0.0.1", riverwood.port)
            await wait_until(lambda: true.find_texts(DIAL_FAILED) and riverwood.find_texts(CONNECTION_REJECTED))
            where = f"no road to 127.0.0.1:{riverwood.port}"
            assert true.find_texts(DIAL_FAILED) == [f"{where}: it hung up: its log says why; dialling on"]
            why = "SEASIDE (127.0.0.1) was rejected: there is a road to SEASIDE already"
            assert riverwood.find_texts(CONNECTION_REJECTED) == [why]
            await false.leave()

    asyncio.run(scenario())


def test_host_names_cause_of_failed_dialling_without_numbers():
    async def scenario():
        log = EventLog()
        [port] = find_free_ports(1)
        network = HostNetwork(City("RIVERWOOD", 1, 0, 0), KeyFinder(), log=log)
        for host in ("127.0.0.1", "localhost"):  # the latter may have several addresses
            network.dial(host, port)
        await wait_until(lambda: len(log.texts) == 2)
        await network.close()
        cause = os.strerror(errno.ECONNREFUSED).lower()
        assert sorted(log.texts) == [
            f"no road to {host}:{port}: {cause}; dialling on" for host in ("127.0.0.1", "localhost")
        ]

    asyncio.run(scenario())
