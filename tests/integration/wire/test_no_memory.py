"""A city that runs out of memory in the midst of a connection's life: no road is lost over it, and dialling goes on."""

import asyncio

from deskonomy.wire import codec
from deskonomy.wire import connection as link
from deskonomy.wire import network as tcp
from helpers.cities import is_up, send, take, town
from helpers.peers import until


class Short:
    """Raises MemoryError for so many calls, then does what it stands in for."""

    def __init__(self, real, times):
        self._real = real
        self.left = times

    def __call__(self, *words, **more):
        if self.left:
            self.left -= 1
            raise MemoryError("memory allocation failed")
        return self._real(*words, **more)


def trade_survives(shorten):
    """Two cities, one of which runs short as shorten(its Roads) says: their road comes up, and merchants cross it."""

    async def story():
        async with town("RIVERWOOD") as one, town("SEASIDE") as other:
            short = shorten(one)
            one.dial("127.0.0.1", other.port)
            await until(lambda: is_up(one, "SEASIDE") and is_up(other, "RIVERWOOD"))
            assert short.left == 0
            send(one, "SEASIDE", [5])
            send(other, "RIVERWOOD", [7])
            there, back = one.city.roads["SEASIDE"], other.city.roads["RIVERWOOD"]
            await until(lambda: there.inbound and back.inbound)
            assert (take(one, "SEASIDE"), take(other, "RIVERWOOD")) == ([7], [5])

    asyncio.run(story())


def test_none_for_the_connection_itself(monkeypatch):
    def shorten(roads):
        monkeypatch.setattr(tcp, "Link", Short(tcp.Link, 2))
        return tcp.Link

    trade_survives(shorten)


def test_none_for_its_tasks(monkeypatch):
    real = link.Link.start

    def shorten(roads):
        short = Short(lambda: None, 2)

        async def start(self):
            short()
            await real(self)

        monkeypatch.setattr(link.Link, "start", start)
        return short

    trade_survives(shorten)


def test_none_for_a_place_in_the_city(monkeypatch):
    def shorten(roads):
        roads.city.open_road = Short(roads.city.open_road, 2)
        return roads.city.open_road

    trade_survives(shorten)


def test_none_for_a_line_and_at_the_end_neither(monkeypatch):
    """Whoever was being read comes again, and the road is no ghost that says it is up."""

    async def story():
        async with town("RIVERWOOD") as one, town("SEASIDE") as other:
            one.dial("127.0.0.1", other.port)
            await until(lambda: is_up(one, "SEASIDE") and is_up(other, "RIVERWOOD"))
            send(one, "SEASIDE", [1])
            await until(lambda: other.city.roads["RIVERWOOD"].inbound)
            take(other, "RIVERWOOD")
            await until(lambda: not one.city.roads["SEASIDE"].outbound)  # from now on several are under way at once
            lost = other.city.roads["RIVERWOOD"].link
            decode = Short(codec.decode, 2)
            monkeypatch.setattr(codec, "decode", decode)
            send(one, "SEASIDE", range(2, 10))
            await lost.ended.wait()
            assert lost.reason == "MemoryError: memory allocation failed"
            await until(lambda: len(other.city.roads["RIVERWOOD"].inbound) == 8)
            assert take(other, "RIVERWOOD") == list(range(2, 10)) and lost not in other._links
            assert is_up(one, "SEASIDE") and decode.left == 0

    asyncio.run(story())


def test_none_when_it_looks_at_the_clock(monkeypatch):
    async def story():
        async with town("RIVERWOOD") as one, town("SEASIDE") as other:
            one.dial("127.0.0.1", other.port)
            await until(lambda: is_up(one, "SEASIDE"))
            held = one.city.roads["SEASIDE"].link
            look = Short(held.look, 3)
            monkeypatch.setattr(held, "look", look)
            seen = []
            monkeypatch.setattr(look, "_real", seen.append)
            await until(lambda: seen)

    asyncio.run(story())


def test_names_are_looked_up_one_at_a_time_where_that_stops_everything(monkeypatch):
    """A board's watchdog is fed in between: six names that do not resolve would else keep it waiting for 30 s."""
    monkeypatch.setattr(tcp, "dials_at_once", lambda host: False)
    monkeypatch.setattr(tcp, "_BREATH_S", 0)
    asked = []

    async def story():
        async with town("RIVERWOOD") as one:
            running = 0

            async def look_up(host, port):
                nonlocal running
                running += 1
                asked.append((host, running))
                await asyncio.sleep(0)
                running -= 1
                raise OSError("no such name")

            one.open_connection = look_up
            for number in range(6):
                one.dial("NAME%d.local" % number, 55555)
            await until(lambda: len({host for host, _ in asked}) == 6)
            assert {together for _, together in asked} == {1}
            # Whoever is hung up on while it has its turn lets go of it.
            monkeypatch.setattr(tcp, "_BREATH_S", 3600)
            await until(one._looking_up.locked)
            for number in range(6):
                await one.hang_up("NAME%d.local" % number, 55555)
            assert not one._looking_up.locked()

    asyncio.run(story())
