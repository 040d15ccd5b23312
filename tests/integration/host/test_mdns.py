"""NAME.local without the system's mDNS: a real responder on loopback answers, and everything that dials asks it."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys

import pytest
from deskonomy.economy.city import City
from deskonomy_host import Road
from deskonomy_host.dashboard.remote import Watched
from deskonomy_host.roads import mdns as names
from helpers.commands import PATIENCE_S
from helpers.peers import until
from zeroconf import ServiceInfo, Zeroconf

NAME = f"desktown-of-{os.getpid()}.local"  # nobody else's
NOBODY = "127.0.0.3"  # where nothing of ours listens


class Responder:
    """Answers for NAME, as a board does: a service is how zeroconf learns of a host."""

    def __init__(self):
        self._network = Zeroconf(interfaces=["127.0.0.1"])
        self._known = None

    def close(self):
        self._network.close()

    def announce(self, address):
        """NAME is at this address from now on."""
        known = ServiceInfo(
            "_deskonomy._tcp.local.",
            "desk._deskonomy._tcp.local.",
            port=55555,
            addresses=[socket.inet_aton(address)],
            server=NAME + ".",
        )
        (self._network.update_service if self._known else self._network.register_service)(known)
        self._known = known


@pytest.fixture
def responder():
    with contextlib.closing(Responder()) as responder:
        yield responder


def test_a_road_is_dialled_until_the_name_appears_and_where_it_goes(responder):
    async def story():
        lines = []
        here = names.Roads(City("RIVERWOOD", 1, 0, 0), port=57000, log=lines.append)
        there = names.Roads(City("SEASIDE", 1, 0, 0), port=57000, log=lines.append)

        def said(words):
            return any(f"no road to {NAME}:{there.port}: {words}" in line for line in lines)

        def is_up():
            road = here.city.roads.get("SEASIDE")
            return road is not None and road.state == "up"

        await there.start()
        here.dial(NAME, there.port)
        await until(lambda: said(f"nobody on this network is {NAME}; dialling on"))
        await asyncio.to_thread(responder.announce, NOBODY)
        await until(lambda: said("[Errno"))
        assert not is_up()
        await asyncio.to_thread(responder.announce, "127.0.0.1")
        await until(is_up)
        await here.close()
        await there.close()

    asyncio.run(story())


def test_every_command_that_dials_finds_it(responder, start, deskonomy):
    responder.announce("127.0.0.1")
    riverwood = start("run RIVERWOOD --json --merchants 0")
    port = riverwood.next()["address"].rpartition(":")[2]
    for _ in range(10):  # it asks the network once, for two seconds
        done = deskonomy(f"school {NAME}:{port} --wait 0.2 --count 1")
        if "nobody on this network" not in done.stderr:
            break
    assert done.stdout.startswith("Connected to RIVERWOOD\n"), done.stderr
    start(f"run SEASIDE --json --connect {NAME}:{port}")
    riverwood.until(lambda status: status["roads"].get("SEASIDE", {}).get("state") == "up")
    start("run WINTERHOLD --json").next()
    assert deskonomy(f"connect WINTERHOLD {NAME}:{port}").returncode == 0
    riverwood.until(lambda status: status["roads"].get("WINTERHOLD", {}).get("state") == "up")


def test_a_program_and_a_watcher_find_it(responder, start):
    responder.announce("127.0.0.1")
    riverwood = start("run RIVERWOOD --json --merchants 0 --dashboard-at 127.0.0.1:8300")
    port = riverwood.next()["address"].rpartition(":")[2]
    page = next(line for line in riverwood.process.stderr if "http://" in line).split("127.0.0.1:")[1].split("/")[0]

    async def story():
        async with asyncio.timeout(PATIENCE_S):
            async with Road.dial(f"{NAME}:{port}", name="JAVAVILLE", timeout_s=PATIENCE_S) as road:
                assert road.peer == "RIVERWOOD"
            async with Watched(NAME, int(page)) as watched:
                while not watched.read():
                    await asyncio.sleep(0.01)
                assert watched.read()[0]["city"] == "RIVERWOOD"

    asyncio.run(story())


def test_without_the_extra_it_says_what_to_install(environment):
    words = "import sys; sys.modules['zeroconf'] = None; from deskonomy_host.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", words, "school", f"{NAME}:55555"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"deskonomy: no road to {NAME}:55555: this system does not find {NAME}; "
        "type: pip install 'deskonomy[mdns]', or use its address in numbers\n"
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "no.such.invalid", "local", "desktown.locals"])
def test_other_names_are_left_to_the_system(host):
    assert asyncio.run(names.find(host)) == host


@pytest.mark.parametrize("host", [".local", "a" * 64 + ".local", "a..local"])
def test_what_is_no_name_is_said(host):
    with pytest.raises(OSError, match=r"cannot be asked for|nobody on this network"):
        asyncio.run(names.find(host))
