"""A real Chromium without a screen, and pages in it that are driven by what a person sees: roles and labels.

Pictures of what was on the screen at the end of each test go to the folder in DESKONOMY_ARTEFACTS, if there is one.
"""

import asyncio
import contextlib
import os
import threading
from pathlib import Path

import pytest
from deskonomy_host.dashboard import app as show
from helpers import chromium
from helpers.commands import PATIENCE_S

# A page that a slow server keeps waiting hangs up and asks anew, and that is as it should be.
ASKED_ANEW = "WebSocket is closed before the connection is established"


# For a module and no longer: while playwright runs, no other test can have an asyncio loop of its own.
@pytest.fixture(scope="module")
def browser():
    """A Chromium of this machine."""
    found = chromium.found()
    if not found:
        pytest.skip(chromium.LACKING)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * PATIENCE_S)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=chromium.FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, request):
    """Open a page: open_page(address, **of the context). What it complains of on its console fails the test.

    That is kept in the page's list `complaints`; None in its place keeps nothing.
    """
    pages = []

    def open_page(address, **settings):
        page = browser.new_context(viewport=chromium.SIZE, **settings).new_page()
        page.set_default_timeout(1000 * PATIENCE_S)
        page.complaints = []

        def complain(text):
            if page.complaints is not None and ASKED_ANEW not in text:
                page.complaints.append(text)

        page.on("console", lambda said: said.type in ("error", "warning") and complain(said.text))
        page.on("pageerror", lambda error: complain(str(error)))
        page.goto(address)
        pages.append(page)
        return page

    yield open_page
    folder = os.environ.get("DESKONOMY_ARTEFACTS")
    for number, page in enumerate(pages):
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.set_viewport_size({"width": page.viewport_size["width"], "height": 2500})  # all of it is in view
            page.screenshot(path=Path(folder) / f"{request.node.name}-{number}.png", full_page=True)
        page.context.close()
    complaints = [complaint for page in pages for complaint in page.complaints or ()]
    assert complaints == []


@pytest.fixture
def served(runtime):
    """Serve a source in this process: served(source, watch=()) -> the address of its page."""
    with contextlib.ExitStack() as stack:
        yield lambda source, watch=(): stack.enter_context(_served(source, watch))


@contextlib.contextmanager
def _served(source, watch):
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)  # should it never end, the tests do
    thread.start()
    told = []
    # In the loop's own task from begin to end, as a program would.
    ended = asyncio.Event()

    async def serve(ready):
        wish = show.Wish(watch=list(watch))
        async with show.serve(wish, source, {}, (), told.append):
            ready.set()
            await ended.wait()

    ready = threading.Event()
    serving = asyncio.run_coroutine_threadsafe(serve(ready), loop)
    try:
        while not ready.wait(0.05):
            if serving.done():
                serving.result()
        yield told[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        serving.result(PATIENCE_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
