"""Keyed roads over TCP: cities with the same key trade, and an attacker in the middle changes nothing."""

import asyncio
import contextlib

import pytest
from core.forgeries import KEY, OTHER_KEY, Dice, forge_lines
from deskonomy.errors import AuthenticationError
from deskonomy.events import LISTENING
from helpers.cities import is_road_up, open_network, send_merchants, take_moneys
from helpers.peers import BareNamePeer, LineNamePeer, make_legacy_merchant, wait_until

UNPROVEN = "has not proven that it has our key: the keys differ, or it has none"


def test_every_forged_line_of_100_000_is_rejected():
    counts = {}
    for end, forgery, line in forge_lines(Dice(2026), 100_000):
        counts[forgery] = counts.get(forgery, 0) + 1
        with pytest.raises(AuthenticationError):
            end.unseal(line)
    assert sum(counts.values()) == 100_000 and len(counts) == 12 and min(counts.values()) > 5000


class Attacker:
    """A machine in the middle: it dials a city for each connection that it accepts, and passes on its lines.

    Attributes:
        port: where it listens.
        tamper: tamper(upwards, line) returns what to pass on in place of this line; upwards: it goes to the city.
        seen: all lines.
    """

    def __init__(self, port, tamper=lambda upwards, line: line):
        self.tamper = tamper
        self.seen = []
        self._port = port
        self._writers = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _accept(self, reader, writer):
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, up_writer]
        await asyncio.gather(self._forward(reader, up_writer, True), self._forward(up_reader, writer, False))

    async def _forward(self, reader, writer, upwards):
        with contextlib.suppress(ConnectionError):
            writer.write(await reader.read(1024))  # the bare name
            while line := await reader.readline():
                self.seen.append(line)
                writer.write(self.tamper(upwards, line))
        writer.close()


@contextlib.asynccontextmanager
async def dial_through_attacker(*tamper):
    """Yield the networks of RIVERWOOD and SEASIDE, which have the same key, and the Attacker between them."""
    async with (
        open_network("RIVERWOOD", key=KEY) as riverwood,
        open_network("SEASIDE", key=KEY) as seaside,
        Attacker(seaside.port, *tamper) as attacker,
    ):
        riverwood.dial("127.0.0.1", attacker.port)
        yield riverwood, seaside, attacker


def count_lines(lines, *texts):
    """Return how many of these log lines contain all these texts."""
    return len([line for line in lines if all(text in line for text in texts)])


def test_cities_with_same_key_trade_both_ways():
    async def scenario():
        async with dial_through_attacker() as (riverwood, seaside, attacker):
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE") and is_road_up(seaside, "RIVERWOOD"))
            send_merchants(riverwood, "SEASIDE", range(1000, 1050))
            send_merchants(seaside, "RIVERWOOD", range(2000, 2050))
            assert await wait_for_moneys(seaside, "RIVERWOOD", 50) == list(range(1000, 1050))
            assert await wait_for_moneys(riverwood, "SEASIDE", 50) == list(range(2000, 2050))
            await wait_until(
                lambda: not riverwood.city.roads["SEASIDE"].outbound and not seaside.city.roads["RIVERWOOD"].outbound
            )
            assert [line for line in attacker.seen if line[:1] in (b"{", b"[") and b"hello" not in line] == []
            [listening] = riverwood.find_texts(LISTENING)
            assert listening.endswith("accepts peers that have its key")
            assert KEY.hex() not in str(riverwood.log_lines + seaside.log_lines)

    asyncio.run(scenario())


async def wait_for_moneys(network, name, count):
    """Return the money of the merchants that arrive from the city of this name, when there are `count` of them."""
    found = []

    def have_arrived():
        found.extend(take_moneys(network, name))
        return len(found) >= count

    await wait_until(have_arrived)
    return found


def test_cities_with_same_key_trade_when_both_dial():
    async def scenario():
        async with open_network("RIVERWOOD", key=KEY) as riverwood, open_network("SEASIDE", key=KEY) as seaside:
            riverwood.dial("127.0.0.1", seaside.port)
            seaside.dial("127.0.0.1", riverwood.port)
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE") and is_road_up(seaside, "RIVERWOOD"))
            send_merchants(riverwood, "SEASIDE", [5])
            send_merchants(seaside, "RIVERWOOD", [6])
            assert await wait_for_moneys(seaside, "RIVERWOOD", 1) == [5]
            assert await wait_for_moneys(riverwood, "SEASIDE", 1) == [6]

    asyncio.run(scenario())


def test_wrong_key_is_logged_once_on_both_sides():
    async def scenario():
        async with open_network("RIVERWOOD", key=KEY) as riverwood, open_network("SEASIDE", key=OTHER_KEY) as seaside:
            riverwood.dial("127.0.0.1", seaside.port)
            await wait_until(lambda: len(riverwood.log_lines) > 1 and len(seaside.log_lines) > 1)
            dialler = riverwood._dialled["127.0.0.1", seaside.port]
            first = dialler.connection
            # Wait for a second attempt.
            await wait_until(lambda: dialler.connection is not first and dialler.connection.ended.is_set())
            assert (
                count_lines(riverwood.log_lines[1:], "SEASIDE " + UNPROVEN, "dialling on")
                == len(riverwood.log_lines[1:])
                == 1
            )
            assert (
                count_lines(seaside.log_lines[1:], "RIVERWOOD " + UNPROVEN, "was rejected")
                == len(seaside.log_lines[1:])
                == 1
            )
            assert not riverwood.city.roads and not seaside.city.roads

    asyncio.run(scenario())


def test_missing_key_is_logged_once_on_both_sides():
    async def scenario():
        async with open_network("RIVERWOOD", key=KEY) as riverwood, open_network("SEASIDE") as seaside:
            riverwood.dial("127.0.0.1", seaside.port)
            await wait_until(lambda: len(riverwood.log_lines) > 1 and len(seaside.log_lines) > 1)
            assert count_lines(riverwood.log_lines[1:], "SEASIDE " + UNPROVEN) == 1
            assert count_lines(seaside.log_lines, "RIVERWOOD wants a key, and this city has none for it") == 1
            assert count_lines(seaside.log_lines, "accepts any peer, because it has no key") == 1
            assert not riverwood.city.roads

    asyncio.run(scenario())


@pytest.mark.parametrize("peer_class", [BareNamePeer, LineNamePeer])
def test_legacy_peer_gets_nothing_from_city_with_key(peer_class):
    async def scenario():
        async with open_network("RIVERWOOD", key=KEY) as riverwood:
            peer = await peer_class("SEASIDE").dial("127.0.0.1", riverwood.port)
            await peer.named.wait()
            peer.send(make_legacy_merchant(5))
            await peer.closed.wait()
            assert peer.city_name == "RIVERWOOD" and peer.merchants == peer.moneyless == [] and not riverwood.city.roads
            assert count_lines(riverwood.log_lines, "SEASIDE " + UNPROVEN) == 1
            await peer.leave()

    asyncio.run(scenario())


def test_key_of_single_peer_leaves_other_roads_open():
    async def scenario():
        keys = {"DESKTOWN": OTHER_KEY}
        async with (
            open_network("RIVERWOOD", key_of=keys.get) as riverwood,
            open_network("DESKTOWN", key=OTHER_KEY) as desktown,
            open_network("SEASIDE") as seaside,
        ):
            riverwood.dial("127.0.0.1", desktown.port)
            riverwood.dial("127.0.0.1", seaside.port)
            await wait_until(lambda: is_road_up(riverwood, "DESKTOWN") and is_road_up(riverwood, "SEASIDE"))
            assert riverwood.city.roads["DESKTOWN"].type == "ours"
            impostor = await LineNamePeer("DESKTOWN").dial("127.0.0.1", riverwood.port)
            await impostor.named.wait()
            impostor.send(make_legacy_merchant(5))
            await impostor.closed.wait()
            assert count_lines(riverwood.log_lines, "DESKTOWN " + UNPROVEN) == 1
            assert is_road_up(riverwood, "DESKTOWN") and not riverwood.city.roads["DESKTOWN"].inbound
            await impostor.leave()

    asyncio.run(scenario())


def alter(line):
    return line.replace(b'"Owned":0', b'"Owned":9')


@pytest.mark.parametrize(
    "tamper",
    [alter, lambda line: line[:-5] + b"\n", lambda line: line * 2, lambda line: b"", lambda line: b"\n" + line],
    ids=["altered", "truncated", "repeated", "left out", "blank"],
)
def test_tampered_line_closes_road_and_no_merchant_is_lost(tamper):
    """The line of a merchant is tampered with once: the road closes, and the next connection sends it again."""

    async def scenario():
        tampered = []

        def tamper_once(upwards, line):
            if not upwards or b'"Money"' not in line or tampered:
                return line
            tampered.append(line)
            return tamper(line)

        async with dial_through_attacker(tamper_once) as (riverwood, seaside, _):
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE") and is_road_up(seaside, "RIVERWOOD"))
            send_merchants(riverwood, "SEASIDE", [5, 6, 7])
            assert await wait_for_moneys(seaside, "RIVERWOOD", 3) == [5, 6, 7]
            assert len(tampered) == 1
            assert count_lines(seaside.log_lines, "closed", "not as the peer had sealed it") == 1
            assert riverwood.city.roads["SEASIDE"].lost == seaside.city.roads["RIVERWOOD"].rejected == 0

    asyncio.run(scenario())


def test_replayed_connection_is_rejected():
    async def scenario():
        async with dial_through_attacker() as (riverwood, seaside, attacker):
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE"))
            send_merchants(riverwood, "SEASIDE", [5])
            assert await wait_for_moneys(seaside, "RIVERWOOD", 1) == [5]
            await riverwood.hang_up("127.0.0.1", attacker.port)
            await wait_until(lambda: not is_road_up(seaside, "RIVERWOOD"))
            reader, writer = await asyncio.open_connection("127.0.0.1", seaside.port)
            assert await reader.read(1024) == b"SEASIDE"
            writer.write(b"RIVERWOOD\n" + b"".join(attacker.seen))  # all that both have sent
            answer = await reader.read()
            assert answer.count(b"\n") <= 3 and b"Money" not in answer and b"ack" not in answer
            writer.close()
            await wait_until(lambda: count_lines(seaside.log_lines, "RIVERWOOD " + UNPROVEN))
            assert not is_road_up(seaside, "RIVERWOOD") and not seaside.city.roads["RIVERWOOD"].inbound

    asyncio.run(scenario())
