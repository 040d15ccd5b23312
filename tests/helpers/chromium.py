"""The Chromium of this machine, and what it has drawn.

Here: what tests and the command drawn.py share. Not here: the fixtures that open pages (conftest.py).
"""

import re
import shutil

from playwright.sync_api import expect

from helpers.sources import GOODS

# As root it has no sandbox; the rest keeps it from asking the internet for anything.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP evil.example 127.0.0.1",
)
LACKING = "there is no Chromium on this machine; on Debian: apt-get install chromium"
SIZE = {"width": 1400, "height": 900}  # of a page


def found():
    """Its path, None if there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def chart(page, name):
    """A picture by the beginning of what it is called."""
    return page.get_by_role("img", name=re.compile(f"^{name}"))


def expect_demo(page):
    """Wait until the prices of all goods in the three cities of a demo are drawn."""
    for city in ("RIVERWOOD", "SEASIDE", "DESKTOWN"):
        expect(page.get_by_role("navigation", name="Cities").get_by_role("button", name=city)).to_be_visible()
        for good in GOODS:
            expect(chart(page, f"Price of {good}.*{city} [0-9.]+ coins")).to_be_visible()
