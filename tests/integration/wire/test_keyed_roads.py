"""Keyed roads over TCP: those who share a key trade, and nobody who sits in between changes a thing."""

import asyncio
import contextlib

import pytest
from core.forgeries import KEY, OTHER_KEY, Dice, forged
from deskonomy.errors import AuthenticationError
from helpers.cities import is_up, send, take, town
from helpers.peers import Dialect7, Dialect8, merchant, until

UNPROVEN = "has not proven that it has our key: the keys differ, or it has none"


def test_100_000_forged_lines():
    kinds = {}
    for end, kind, line in forged(Dice(2026), 100_000):
        kinds[kind] = kinds.get(kind, 0) + 1
        with pytest.raises(AuthenticationError):
            end.open(line)
    assert sum(kinds.values()) == 100_000 and len(kinds) == 12 and min(kinds.values()) > 5000


class Between:
    """Somebody who holds the wire: listens, dials `port` for each caller, and passes lines on through meddle().

    meddle(upwards, line): the bytes to pass on in place of this line; upwards: it goes to `port`. seen: all lines.
    """

    def __init__(self, port, meddle=lambda upwards, line: line):
        self.meddle = meddle
        self.seen = []
        self._port = port
        self._writers = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _meet(self, reader, writer):
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, up_writer]
        await asyncio.gather(self._pass(reader, up_writer, True), self._pass(up_reader, writer, False))

    async def _pass(self, reader, writer, upwards):
        with contextlib.suppress(ConnectionError):
            writer.write(await reader.read(1024))  # the bare name
            while line := await reader.readline():
                self.seen.append(line)
                writer.write(self.meddle(upwards, line))
        writer.close()


@contextlib.asynccontextmanager
async def dialled_through(*meddle):
    """RIVERWOOD, which dials SEASIDE, which has the same key, through somebody Between."""
    async with (
        town("RIVERWOOD", key=KEY) as roads,
        town("SEASIDE", key=KEY) as others,
        Between(others.port, *meddle) as wire,
    ):
        roads.dial("127.0.0.1", wire.port)
        yield roads, others, wire


def about(lines, *words):
    """How many of these log lines have all these words."""
    return len([line for line in lines if all(word in line for word in words)])


def test_two_cities_with_a_key_trade_both_ways():
    async def story():
        async with dialled_through() as (roads, others, wire):
            await until(lambda: is_up(roads, "SEASIDE") and is_up(others, "RIVERWOOD"))
            send(roads, "SEASIDE", range(1000, 1050))
            send(others, "RIVERWOOD", range(2000, 2050))
            assert await arrivals(others, "RIVERWOOD", 50) == list(range(1000, 1050))
            assert await arrivals(roads, "SEASIDE", 50) == list(range(2000, 2050))
            await until(
                lambda: not roads.city.roads["SEASIDE"].outbound and not others.city.roads["RIVERWOOD"].outbound
            )
            assert [line for line in wire.seen if line[:1] in (b"{", b"[") and b"hello" not in line] == []
            assert (about(roads.log_lines, "who has its key"), about(roads.log_lines, "whoever")) == (1, 0)
            assert KEY.hex() not in str(roads.log_lines + others.log_lines)

    asyncio.run(story())


async def arrivals(roads, name, count):
    found = []

    def come():
        found.extend(take(roads, name))
        return len(found) >= count

    await until(come)
    return found


def test_both_dial_at_once():
    async def story():
        async with town("RIVERWOOD", key=KEY) as roads, town("SEASIDE", key=KEY) as others:
            roads.dial("127.0.0.1", others.port)
            others.dial("127.0.0.1", roads.port)
            await until(lambda: is_up(roads, "SEASIDE") and is_up(others, "RIVERWOOD"))
            send(roads, "SEASIDE", [5])
            send(others, "RIVERWOOD", [6])
            assert await arrivals(others, "RIVERWOOD", 1) == [5]
            assert await arrivals(roads, "SEASIDE", 1) == [6]

    asyncio.run(story())


def test_the_wrong_key_is_said_once_on_both_sides():
    async def story():
        async with town("RIVERWOOD", key=KEY) as roads, town("SEASIDE", key=OTHER_KEY) as others:
            roads.dial("127.0.0.1", others.port)
            await until(lambda: len(roads.log_lines) > 1 and len(others.log_lines) > 1)
            dialled = roads._dialled["127.0.0.1", others.port]
            first = dialled.link
            await until(lambda: dialled.link is not first and dialled.link.ended.is_set())  # it has tried again
            assert about(roads.log_lines[1:], "SEASIDE " + UNPROVEN, "dialling on") == len(roads.log_lines[1:]) == 1
            assert about(others.log_lines[1:], "RIVERWOOD " + UNPROVEN, "turned away") == len(others.log_lines[1:]) == 1
            assert not roads.city.roads and not others.city.roads

    asyncio.run(story())


def test_no_key_on_one_side_is_said_once_on_both():
    async def story():
        async with town("RIVERWOOD", key=KEY) as roads, town("SEASIDE") as others:
            roads.dial("127.0.0.1", others.port)
            await until(lambda: len(roads.log_lines) > 1 and len(others.log_lines) > 1)
            assert about(roads.log_lines[1:], "SEASIDE " + UNPROVEN) == 1
            assert about(others.log_lines, "RIVERWOOD wants a key, and this city has none for it") == 1
            assert about(others.log_lines, "whoever comes, since it has no key") == 1
            assert not roads.city.roads

    asyncio.run(story())


@pytest.mark.parametrize("dialect", [Dialect7, Dialect8])
def test_the_tutorials_cities_get_nothing_from_a_city_with_a_key(dialect):
    async def story():
        async with town("RIVERWOOD", key=KEY) as roads:
            peer = await dialect("SEASIDE").dial("127.0.0.1", roads.port)
            await peer.named.wait()
            peer.send(merchant(5))
            await peer.closed.wait()
            assert peer.remote == "RIVERWOOD" and peer.merchants == peer.ghosts == [] and not roads.city.roads
            assert about(roads.log_lines, "SEASIDE " + UNPROVEN) == 1
            await peer.leave()

    asyncio.run(story())


def test_one_peers_own_key_beside_open_roads():
    async def story():
        asked = {"DESKTOWN": OTHER_KEY}
        async with (
            town("RIVERWOOD", key_of=asked.get) as roads,
            town("DESKTOWN", key=OTHER_KEY) as desk,
            town("SEASIDE") as others,
        ):
            roads.dial("127.0.0.1", desk.port)
            roads.dial("127.0.0.1", others.port)
            await until(lambda: is_up(roads, "DESKTOWN") and is_up(roads, "SEASIDE"))
            assert roads.city.roads["DESKTOWN"].kind == "ours"
            liar = await Dialect8("DESKTOWN").dial("127.0.0.1", roads.port)
            await liar.named.wait()
            liar.send(merchant(5))
            await liar.closed.wait()
            assert about(roads.log_lines, "DESKTOWN " + UNPROVEN) == 1
            assert is_up(roads, "DESKTOWN") and not roads.city.roads["DESKTOWN"].inbound
            await liar.leave()

    asyncio.run(story())


def altered(line):
    return line.replace(b'"Owned":0', b'"Owned":9')


@pytest.mark.parametrize(
    "meddle",
    [altered, lambda line: line[:-5] + b"\n", lambda line: line * 2, lambda line: b"", lambda line: b"\n" + line],
    ids=["altered", "truncated", "repeated", "left out", "blank"],
)
def test_who_meddles_closes_the_road_and_nothing_is_lost(meddle):
    """Each merchant's line is meddled with once; each time the road closes, and the next one takes up."""

    async def story():
        meddled = []

        def once(upwards, line):
            if not upwards or b'"Money"' not in line or meddled:
                return line
            meddled.append(line)
            return meddle(line)

        async with dialled_through(once) as (roads, others, _):
            await until(lambda: is_up(roads, "SEASIDE") and is_up(others, "RIVERWOOD"))
            send(roads, "SEASIDE", [5, 6, 7])
            assert await arrivals(others, "RIVERWOOD", 3) == [5, 6, 7]
            assert len(meddled) == 1
            assert about(others.log_lines, "closed", "not as the peer had sealed it") == 1
            assert roads.city.roads["SEASIDE"].lost == others.city.roads["RIVERWOOD"].refused == 0

    asyncio.run(story())


def test_who_mixes_connections_or_plays_one_back_gets_nowhere():
    async def story():
        async with dialled_through() as (roads, others, wire):
            await until(lambda: is_up(roads, "SEASIDE"))
            send(roads, "SEASIDE", [5])
            assert await arrivals(others, "RIVERWOOD", 1) == [5]
            await roads.hang_up("127.0.0.1", wire.port)
            await until(lambda: not is_up(others, "RIVERWOOD"))
            reader, writer = await asyncio.open_connection("127.0.0.1", others.port)
            assert await reader.read(1024) == b"SEASIDE"
            writer.write(b"RIVERWOOD\n" + b"".join(wire.seen))  # all that either ever said
            said = await reader.read()
            assert said.count(b"\n") <= 3 and b"Money" not in said and b"ack" not in said
            writer.close()
            await until(lambda: about(others.log_lines, "RIVERWOOD " + UNPROVEN))
            assert not is_up(others, "RIVERWOOD") and not others.city.roads["RIVERWOOD"].inbound

    asyncio.run(story())
