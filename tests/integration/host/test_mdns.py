"""NAME.local without the system's mDNS: a real responder on loopback answers, and everything that dials asks it."""

import asyncio
import contextlib
import errno
import os
import socket
import subprocess
import sys

import pytest
from core.event_log import EventLog
from deskonomy.economy.city import City
from deskonomy_host import Road
from deskonomy_host.dashboard.remote import RemoteSource
from deskonomy_host.extras import explain_install
from deskonomy_host.roads import mdns
from deskonomy_host.roads.keyring import KeyFinder
from helpers.commands import PATIENCE_S
from helpers.peers import wait_until
from zeroconf import ServiceInfo, Zeroconf

NAME = f"desktown-of-{os.getpid()}.local"  # no other test's
UNUSED_ADDRESS = "127.0.0.3"  # no city of these tests listens there


class Responder:
    """Answers for NAME, as a board does: zeroconf learns of a host by a service."""

    def __init__(self):
        self._network = Zeroconf(interfaces=["127.0.0.1"])
        self._announced = None

    def close(self):
        self._network.close()

    def announce(self, address):
        """Answer with this address from now on."""
        service = ServiceInfo(
            "_deskonomy._tcp.local.",
            "desk._deskonomy._tcp.local.",
            port=55555,
            addresses=[socket.inet_aton(address)],
            server=NAME + ".",
        )
        (self._network.update_service if self._announced else self._network.register_service)(service)
        self._announced = service


@pytest.fixture
def responder():
    with contextlib.closing(Responder()) as responder:
        yield responder


def test_network_dials_until_name_appears_and_follows_its_address(responder):
    async def scenario():
        log = EventLog()
        here = mdns.HostNetwork(City("RIVERWOOD", 1, 0, 0), KeyFinder(), port=57000, log=log)
        there = mdns.HostNetwork(City("SEASIDE", 1, 0, 0), KeyFinder(), port=57000, log=log)

        def has_failed(reason):
            return any(f"no road to {NAME}:{there.port}: {reason}" in text for text in log.texts)

        def is_up():
            road = here.city.roads.get("SEASIDE")
            return road is not None and road.state == "up"

        await there.start()
        here.dial(NAME, there.port)
        await wait_until(lambda: has_failed(f"{NAME} is not on this network; dialling on"))
        await asyncio.to_thread(responder.announce, UNUSED_ADDRESS)
        await wait_until(lambda: has_failed(f"{os.strerror(errno.ECONNREFUSED).lower()}; dialling on"))
        assert not is_up()
        await asyncio.to_thread(responder.announce, "127.0.0.1")
        await wait_until(is_up)
        await here.close()
        await there.close()
        log.check()

    asyncio.run(scenario())


def test_every_dialling_command_finds_name(responder, start, deskonomy):
    responder.announce("127.0.0.1")
    riverwood = start("run RIVERWOOD --json --merchants 0")
    port = riverwood.next()["address"].rpartition(":")[2]
    for _ in range(10):  # it asks the network once, for two seconds
        done = deskonomy(f"school {NAME}:{port} --wait 0.2 --count 1")
        if "is not on this network" not in done.stderr:
            break
    assert done.stdout.startswith("Connected to RIVERWOOD\n"), done.stderr
    start(f"run SEASIDE --json --connect {NAME}:{port}")
    riverwood.until(lambda status: status["roads"].get("SEASIDE", {}).get("state") == "up")
    start("run WINTERHOLD --json").next()
    assert deskonomy(f"connect WINTERHOLD {NAME}:{port}").returncode == 0
    riverwood.until(lambda status: status["roads"].get("WINTERHOLD", {}).get("state") == "up")


def test_library_and_remote_source_find_name(responder, start):
    responder.announce("127.0.0.1")
    riverwood = start("run RIVERWOOD --json --merchants 0 --dashboard-at 127.0.0.1:8300")
    port = riverwood.next()["address"].rpartition(":")[2]
    page = next(line for line in riverwood.process.stderr if "http://" in line).split("127.0.0.1:")[1].split("/")[0]

    async def scenario():
        async with asyncio.timeout(PATIENCE_S):
            async with Road.dial(f"{NAME}:{port}", name="JAVAVILLE", timeout_s=PATIENCE_S) as road:
                assert road.peer == "RIVERWOOD"
            async with RemoteSource(NAME, int(page)) as source:
                while not source.read():
                    await asyncio.sleep(0.01)
                assert source.read()[0]["city"] == "RIVERWOOD"

    asyncio.run(scenario())


def test_command_without_zeroconf_says_what_to_install(environment):
    program = "import sys; sys.modules['zeroconf'] = None; from deskonomy_host.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, "school", f"{NAME}:55555"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"deskonomy: no road to {NAME}:55555: this system does not find {NAME}; "
        f"use its address in numbers, or {explain_install('mdns')}\n"
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "no.such.invalid", "local", "desktown.locals"])
def test_name_outside_local_is_left_to_system(host):
    assert asyncio.run(mdns.resolve_host(host)) == host


@pytest.mark.parametrize("host", [".local", "a" * 64 + ".local", "a..local"])
def test_invalid_name_raises_os_error(host):
    with pytest.raises(OSError, match=r"cannot ask the network for|is not on this network"):
        asyncio.run(mdns.resolve_host(host))
