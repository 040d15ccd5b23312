"""A Chromium without a screen, and pages in it that tests drive by roles and labels, as a user would.

A picture of each page at the end of its test goes to the folder in DESKONOMY_ARTEFACTS, if that is set.
"""

import asyncio
import contextlib
import os
import threading
from pathlib import Path

import pytest
from deskonomy_host.dashboard import app
from helpers import chromium
from helpers.commands import PATIENCE_S

# The page closes a connection that has been silent for too long and opens another one, which is correct.
RECONNECTING = "WebSocket is closed before the connection is established"


# For one module at a time: while playwright runs, no other test can have an asyncio loop of its own.
@pytest.fixture(scope="module")
def browser():
    """Return a Chromium of this machine."""
    path = chromium.find_chromium()
    if not path:
        pytest.skip(chromium.MISSING)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * PATIENCE_S)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, request):
    """Return a function that opens a page: open_page(address, **settings of the browser context).

    Errors and warnings on the page's console fail the test. The page has them as the list `complaints`; a test that
    expects some sets it to None.
    """
    pages = []

    def open_page(address, **settings):
        page = browser.new_context(viewport=chromium.PAGE_SIZE, **settings).new_page()
        page.set_default_timeout(1000 * PATIENCE_S)
        page.complaints = []

        def complain(text):
            if page.complaints is not None and RECONNECTING not in text:
                page.complaints.append(text)

        page.on("console", lambda message: message.type in ("error", "warning") and complain(message.text))
        page.on("pageerror", lambda error: complain(str(error)))
        page.goto(address)
        pages.append(page)
        return page

    yield open_page
    folder = os.environ.get("DESKONOMY_ARTEFACTS")
    for number, page in enumerate(pages):
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.set_viewport_size({"width": page.viewport_size["width"], "height": 2500})  # so that nothing is hidden
            page.screenshot(path=Path(folder) / f"{request.node.name}-{number}.png", full_page=True)
        page.context.close()
    complaints = [complaint for page in pages for complaint in page.complaints or ()]
    assert complaints == []


@pytest.fixture
def serve_source(runtime):
    """Return a function that serves a source in this process: serve_source(source, watch=()) -> address of its page."""
    with contextlib.ExitStack() as stack:
        yield lambda source, watch=(): stack.enter_context(_serve(source, watch))


@contextlib.contextmanager
def _serve(source, watch):
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)  # the tests can end even if the loop does not
    thread.start()
    addresses = []
    # One task enters and leaves the server, as in a program.
    ended = asyncio.Event()

    async def serve(ready):
        settings = app.DashboardSettings(watch=list(watch))
        async with app.serve(settings, source, {}, (), lambda address, is_reachable: addresses.append(address)):
            ready.set()
            await ended.wait()

    ready = threading.Event()
    serving = asyncio.run_coroutine_threadsafe(serve(ready), loop)
    try:
        while not ready.wait(0.05):
            if serving.done():
                serving.result()
        yield addresses[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        serving.result(PATIENCE_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
