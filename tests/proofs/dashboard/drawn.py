"""Measure how soon the demo's page shows its three cities in Chromium: python tests/proofs/dashboard/drawn.py

Here: the command. Not here: what the page shows (integration/dashboard/test_page.py). It exits with 1 if the page took
more than 3 s in each of three attempts.
"""

import os
import pathlib
import sys
import tempfile
import time

from playwright.sync_api import Browser, sync_playwright

if __name__ == "__main__":
    tests = pathlib.Path(__file__).parents[2]
    sys.path[:0] = [str(tests)]

from helpers import chromium
from helpers.commands import RunningCommand
from helpers.sources import read_dashboard_address

DRAWN_MAX_S = 3
ATTEMPTS = 3  # the machine may be busy with something else


def measure_drawing_s(browser: Browser, address: str) -> float:
    """Return the seconds from opening the page until everything is drawn."""
    page = browser.new_context(viewport=chromium.PAGE_SIZE).new_page()
    began_s = time.monotonic()
    page.goto(address)
    chromium.expect_demo(page)
    drawn_s = time.monotonic() - began_s
    page.context.close()
    return drawn_s


def main() -> None:
    """Run the demo, measure, print the result, and exit."""
    path = chromium.find_chromium()
    if path is None:
        sys.exit(chromium.MISSING)
    with tempfile.TemporaryDirectory() as runtime:
        demo = RunningCommand("demo --json --dashboard", {**os.environ, "XDG_RUNTIME_DIR": runtime})
        try:
            address = read_dashboard_address(demo)
            demo.until(lambda status: status["uptime_s"] >= 3, "DESKTOWN")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=path, args=chromium.FLAGS)
                drawn_s = [measure_drawing_s(browser, address) for _ in range(ATTEMPTS)]
                browser.close()
        finally:
            demo.end()
    print("three cities are drawn after %s s" % ", ".join("%.2f" % seconds for seconds in drawn_s))
    sys.exit(min(drawn_s) > DRAWN_MAX_S)


if __name__ == "__main__":
    main()
