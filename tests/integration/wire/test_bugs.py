"""A bug inside a connection: it ends that connection, and it is logged as a bug instead of a broken connection."""

import asyncio

import pytest
from core.event_log import EventLog
from deskonomy.economy.city import City
from deskonomy.events import BUG, DIAL_FAILED, ROAD_CLOSED
from deskonomy.wire import network as network_module
from deskonomy.wire.network import Network
from deskonomy.wire.session import Session
from helpers.cities import is_road_up, open_network
from helpers.peers import wait_until


class Bug(Exception):
    """An exception that no code expects."""


def raise_bug(*arguments):
    raise Bug("planted")


async def run_with_bug(plant_bug):
    """Let two cities meet; plant_bug(network) plants a bug in the first one. Return its log once it has the bug."""
    log = EventLog()
    network = Network(City("RIVERWOOD", 1, 0, 0), port=56000, log=log)
    await network.start()
    async with open_network("SEASIDE") as other:
        other.dial("127.0.0.1", network.port)
        await wait_until(lambda: is_road_up(network, "SEASIDE") and is_road_up(other, "RIVERWOOD"))
        plant_bug(network)
        await wait_until(lambda: BUG in log.events)
        await network.close()
    return log


def test_bug_in_session_is_logged_and_ends_only_its_connection(monkeypatch):
    def plant_bug(network):
        session = network.city.roads["SEASIDE"].connection._session
        monkeypatch.setattr(session, "advance", raise_bug)
        network.city.roads["SEASIDE"].wake()

    log = asyncio.run(run_with_bug(plant_bug))
    assert "Bug: planted" in log.texts[log.events.index(BUG)] and ROAD_CLOSED in log.events
    with pytest.raises(AssertionError, match="planted"):
        log.check()


def test_bug_in_check_of_deadlines_is_logged_and_checks_go_on(monkeypatch):
    calls = []

    def fail(now_ms):
        calls.append(now_ms)
        raise_bug()

    def plant_bug(network):
        monkeypatch.setattr(network.city.roads["SEASIDE"].connection, "check_deadlines", fail)

    log = asyncio.run(run_with_bug(plant_bug))
    assert "the check of deadlines" in log.texts[log.events.index(BUG)] and calls


def test_bug_while_road_is_assigned_is_logged_and_dialling_goes_on(monkeypatch):
    assign_road = network_module.assign_road
    calls = []

    async def fail_once(network, connection):
        if network.city.name == "RIVERWOOD" and not calls:
            calls.append(connection)
            raise_bug()
        await assign_road(network, connection)

    async def scenario():
        log = EventLog()
        network = Network(City("RIVERWOOD", 1, 0, 0), port=56000, log=log)
        async with open_network("SEASIDE") as other:
            monkeypatch.setattr(network_module, "assign_road", fail_once)
            network.dial("127.0.0.1", other.port)
            await wait_until(lambda: is_road_up(network, "SEASIDE"))
            assert "Bug: planted" in log.texts[log.events.index(BUG)] and DIAL_FAILED in log.events
            await network.close()

    asyncio.run(scenario())


def test_error_of_this_project_is_not_logged_as_bug(monkeypatch):
    async def scenario():
        async with open_network("RIVERWOOD") as network, open_network("SEASIDE") as other:
            network.dial("127.0.0.1", other.port)
            await wait_until(lambda: is_road_up(network, "SEASIDE"))

            def fail(*arguments):
                raise MemoryError("planted")

            monkeypatch.setattr(Session, "advance", fail)
            await wait_until(lambda: any("MemoryError: planted" in text for text in network.log_lines))
            monkeypatch.undo()

    asyncio.run(scenario())
