"""The Chromium of this machine, and what a page in it has drawn.

Here: what the tests and the proof proofs/dashboard/drawn.py share. Not here: the fixtures that open pages
(integration/dashboard/conftest.py).
"""

import re
import shutil
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from helpers.sources import GOODS

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

# As root it has no sandbox; the other flags keep it from connecting to the internet.
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
MISSING = "there is no Chromium on this machine; on Debian: apt-get install chromium"
PAGE_SIZE = {"width": 1400, "height": 900}


def find_chromium() -> str | None:
    """Return the path of the browser, None if there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def find_picture(page: "Page", name: str) -> "Locator":
    """Return the picture whose accessible name begins with a match of this regular expression."""
    return page.get_by_role("img", name=re.compile(f"^{name}"))


def expect_demo(page: "Page") -> None:
    """Wait until the prices of all goods in the three cities of a demo are drawn."""
    for city in ("RIVERWOOD", "SEASIDE", "DESKTOWN"):
        expect(page.get_by_role("navigation", name="Cities").get_by_role("button", name=city)).to_be_visible()
        for good in GOODS:
            expect(find_picture(page, f"Price of {good}.*{city} [0-9.]+ coins")).to_be_visible()
