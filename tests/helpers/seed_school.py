"""The Merchant School of the tutorial, taken out of it unchanged, against any city.

attend() needs only where the city listens and a way to see its status, so it serves for a host and for a board.
"""

import asyncio
import re
import sys
from decimal import Decimal

from helpers.peers import until
from helpers.repository import SHARED

SEEDS = SHARED / "seeds"
NAME = "PythonCity"
MERCHANTS = 10
MONEY_MILLS = 1_211_480  # of each, to the nearest mill
ADDRESS = ("localhost", 55555)  # that it is written for


def script():
    """The School's program text, or None where the tutorial does not lie beside this project."""
    for path in sorted(SEEDS.glob("*.txt")):
        for block in re.findall(r"^```python\n(.*?)^```", path.read_text(), re.S | re.M):
            if "PythonCity" in block:
                return block
    return None


def aimed(text, host, port):
    """The program for a city that listens elsewhere: not a character changes but those of the address."""
    old = 'server_address = "%s"\nserver_port = %d\n' % ADDRESS
    assert text.count(old) == 1
    return text.replace(old, 'server_address = "%s"\nserver_port = %d\n' % (host, port))


async def attend(host, port, status, deadline_s=60.0):
    """Run the School against the city at this address; all its merchants arrive, once, with their money to the mill.

    status: called without arguments, the city's status line as a dict. The city must be ticking meanwhile. Returns the
    status before and after, and what the School printed.
    """
    before = status()
    program = aimed(script(), host, port)
    school = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed = (await asyncio.wait_for(school.communicate(), deadline_s))[0].decode()
    assert school.returncode == 0, printed
    assert "Sent %d merchants" % MERCHANTS in printed, printed
    had = before["roads"].get(NAME, {"received": 0, "refused": 0, "sent": 0})
    expected = had["received"] + MERCHANTS

    def arrived():
        now = status()
        road = now["roads"].get(NAME, {"received": -1})  # a board tells of it with its next line
        return now if road["received"] >= expected else None

    after = await until(arrived, deadline_s)
    road = after["roads"][NAME]
    left = road["sent"] - had["sent"]  # for the School, which has hung up: they come home, and that counts as received
    assert expected <= road["received"] <= expected + left, road
    assert road["refused"] == had["refused"], road
    if not left:
        brought = Decimal(str(after["money"]["total"])) - Decimal(str(before["money"]["total"]))
        assert brought == Decimal(MERCHANTS * MONEY_MILLS) / 1000, brought
    return before, after, printed
