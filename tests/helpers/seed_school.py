"""The tutorial's Merchant School, run unchanged against any city.

Here: finding its program, aiming it at a city, and checking that its merchants arrive. Not here: `deskonomy school`
(deskonomy_host/roads/school.py).
"""

import asyncio
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from helpers.peers import wait_until
from helpers.repository import SHARED

SEEDS = SHARED / "seeds"
NAME = "PythonCity"
MERCHANTS = 10
MONEY_MILLS = 1_211_480  # of each merchant, to the nearest mill
ADDRESS = ("localhost", 55555)  # the address in the program


def read_program() -> str | None:
    """Return the school's program, or None where the tutorial does not lie beside this project."""
    for path in sorted(SEEDS.glob("*.txt")):
        for block in re.findall(r"^```python\n(.*?)^```", path.read_text(), re.S | re.M):
            if "PythonCity" in block:
                return block
    return None


def set_address(program: str, host: str, port: int) -> str:
    """Return the program with another city's address; nothing else in it changes."""
    old = 'server_address = "%s"\nserver_port = %d\n' % ADDRESS
    assert program.count(old) == 1
    return program.replace(old, 'server_address = "%s"\nserver_port = %d\n' % (host, port))


async def run_program(
    host: str, port: int, read_status: Callable[[], dict[str, Any]], deadline_s: float = 60.0
) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Run the school against the city at this address; all merchants must arrive once, with their money to the mill.

    Args:
        host: the city's host.
        port: its port.
        read_status: returns the city's status. The city must tick meanwhile.
        deadline_s: how long the program may run, and how long its merchants may take.

    Returns:
        The status before, the status after, and what the school has printed.
    """
    before = read_status()
    program = set_address(read_program(), host, port)
    school = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed = (await asyncio.wait_for(school.communicate(), deadline_s))[0].decode()
    assert school.returncode == 0, printed
    assert "Sent %d merchants" % MERCHANTS in printed, printed
    earlier = before["roads"].get(NAME, {"received": 0, "refused": 0, "sent": 0})
    expected = earlier["received"] + MERCHANTS

    def find_status_after() -> dict[str, Any] | None:
        status = read_status()
        road = status["roads"].get(NAME, {"received": -1})  # a board shows the road in its next status
        return status if road["received"] >= expected else None

    after = await wait_until(find_status_after, deadline_s)
    road = after["roads"][NAME]
    # Merchants that set out for the school, which has hung up, return, and returning counts as received.
    left = road["sent"] - earlier["sent"]
    assert expected <= road["received"] <= expected + left, road
    assert road["refused"] == earlier["refused"], road
    if not left:
        gained = Decimal(str(after["money"]["total"])) - Decimal(str(before["money"]["total"]))
        assert gained == Decimal(MERCHANTS * MONEY_MILLS) / 1000, gained
    return before, after, printed
