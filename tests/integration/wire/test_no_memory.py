"""A city that runs out of memory during a connection: no road is lost, and dialling goes on."""

import asyncio

from deskonomy.wire import codec, connection, dialler
from deskonomy.wire import network as network_module
from helpers.cities import is_road_up, open_network, send_merchants, take_moneys
from helpers.peers import wait_until


class FailingCall:
    """Raises MemoryError for its first calls, then calls the real function. failures_left: how many still fail."""

    def __init__(self, real, failures):
        self._real = real
        self.failures_left = failures

    def __call__(self, *arguments, **options):
        if self.failures_left:
            self.failures_left -= 1
            raise MemoryError("memory allocation failed")
        return self._real(*arguments, **options)


def check_trade_despite(plant_failures):
    """Let two cities trade. plant_failures(network) makes calls of the first city's network fail; it returns them."""

    async def scenario():
        async with open_network("RIVERWOOD") as riverwood, open_network("SEASIDE") as seaside:
            failing = plant_failures(riverwood)
            riverwood.dial("127.0.0.1", seaside.port)
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE") and is_road_up(seaside, "RIVERWOOD"))
            assert failing.failures_left == 0
            send_merchants(riverwood, "SEASIDE", [5])
            send_merchants(seaside, "RIVERWOOD", [7])
            there, back = riverwood.city.roads["SEASIDE"], seaside.city.roads["RIVERWOOD"]
            await wait_until(lambda: there.inbound and back.inbound)
            assert (take_moneys(riverwood, "SEASIDE"), take_moneys(seaside, "RIVERWOOD")) == ([7], [5])

    asyncio.run(scenario())


def test_road_opens_despite_no_memory_for_connection(monkeypatch):
    def plant_failures(network):
        monkeypatch.setattr(network_module, "Connection", FailingCall(network_module.Connection, 2))
        return network_module.Connection

    check_trade_despite(plant_failures)


def test_road_opens_despite_no_memory_for_tasks(monkeypatch):
    real = connection.Connection.start

    def plant_failures(network):
        failing = FailingCall(lambda: None, 2)

        async def start(self):
            failing()
            await real(self)

        monkeypatch.setattr(connection.Connection, "start", start)
        return failing

    check_trade_despite(plant_failures)


def test_road_opens_despite_no_memory_in_city(monkeypatch):
    def plant_failures(network):
        network.city.open_road = FailingCall(network.city.open_road, 2)
        return network.city.open_road

    check_trade_despite(plant_failures)


def test_merchants_arrive_despite_no_memory_for_line(monkeypatch):
    """A merchant that was being read is sent again, and no road stays up without a connection."""

    async def scenario():
        async with open_network("RIVERWOOD") as riverwood, open_network("SEASIDE") as seaside:
            riverwood.dial("127.0.0.1", seaside.port)
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE") and is_road_up(seaside, "RIVERWOOD"))
            send_merchants(riverwood, "SEASIDE", [1])
            await wait_until(lambda: seaside.city.roads["RIVERWOOD"].inbound)
            take_moneys(seaside, "RIVERWOOD")
            await wait_until(lambda: not riverwood.city.roads["SEASIDE"].outbound)
            # From now on several merchants are in flight at once.
            lost = seaside.city.roads["RIVERWOOD"].connection
            decode = FailingCall(codec.decode_merchant, 2)
            monkeypatch.setattr(codec, "decode_merchant", decode)
            send_merchants(riverwood, "SEASIDE", range(2, 10))
            await lost.ended.wait()
            assert lost.reason == "MemoryError: memory allocation failed"
            await wait_until(lambda: len(seaside.city.roads["RIVERWOOD"].inbound) == 8)
            assert take_moneys(seaside, "RIVERWOOD") == list(range(2, 10)) and lost not in seaside.connections
            assert is_road_up(riverwood, "SEASIDE") and decode.failures_left == 0

    asyncio.run(scenario())


def test_deadlines_are_checked_again_after_no_memory(monkeypatch):
    async def scenario():
        async with open_network("RIVERWOOD") as riverwood, open_network("SEASIDE") as seaside:
            riverwood.dial("127.0.0.1", seaside.port)
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE"))
            held = riverwood.city.roads["SEASIDE"].connection
            check = FailingCall(held.check_deadlines, 3)
            monkeypatch.setattr(held, "check_deadlines", check)
            seen = []
            monkeypatch.setattr(check, "_real", seen.append)
            await wait_until(lambda: seen)

    asyncio.run(scenario())


def test_names_are_looked_up_one_after_the_other_where_lookup_blocks(monkeypatch):
    """A board feeds its watchdog in between: otherwise six unknown names would keep it waiting for 30 s."""
    monkeypatch.setattr(dialler, "can_dial_concurrently", lambda host: False)
    monkeypatch.setattr(dialler, "_PAUSE_MS", 0)
    lookups = []

    async def scenario():
        async with open_network("RIVERWOOD") as riverwood:
            running = 0

            async def look_up(host, port):
                nonlocal running
                running += 1
                lookups.append((host, running))
                await asyncio.sleep(0)
                running -= 1
                raise OSError("no such name")

            riverwood.open_connection = look_up
            for number in range(6):
                riverwood.dial("NAME%d.local" % number, 55555)
            await wait_until(lambda: len({host for host, _ in lookups}) == 6)
            assert {together for _, together in lookups} == {1}
            # Hanging up on an address during its lookup releases the lock.
            monkeypatch.setattr(dialler, "_PAUSE_MS", 3_600_000)
            await wait_until(riverwood.lookup_lock.locked)
            for number in range(6):
                await riverwood.hang_up("NAME%d.local" % number, 55555)
            assert not riverwood.lookup_lock.locked()

    asyncio.run(scenario())
