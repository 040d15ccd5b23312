"""The clients of the board's page during a soak run.

Here: valid requests, invalid ones and connections that send nothing, up to five at a time; and a check that the money
of each answer adds up. Not here: the page itself (deskonomy_board/http.py).
"""

import asyncio
import json
import random

from proofs.soak.board import SPEED, sleep_board_time
from proofs.soak.status_monitor import StatusMonitor

# Of each client: a path, None to send nothing, or "" for a request that is not valid.
_PATHS = ("/", "/api/state", "/api/state", None, "")
_COUNTS = (1, 1, 1, 2, 5)  # clients at a time
_TIMEOUT_S = 30  # of the board's clock


class PageClients:
    """Clients that come about once a second of the board's clock.

    Attributes:
        requests: How many valid requests were sent.
        answers: How many of them were answered with status 200.
    """

    def __init__(self, port: int, chance: random.Random, monitor: StatusMonitor) -> None:
        """Create the clients.

        Args:
            port: Of the page.
            chance: Decides when clients come, and what they send.
            monitor: Gets a failure if the money in an answer does not add up.
        """
        self._port = port
        self._chance = chance
        self._monitor = monitor
        self.requests = 0
        self.answers = 0

    async def send_requests(self) -> None:
        """Send requests, for ever."""
        while True:
            await sleep_board_time(self._chance.uniform(0.2, 2))
            count = self._chance.choice(_COUNTS)
            await asyncio.gather(*[self._send_request(self._chance.choice(_PATHS)) for _ in range(count)])

    async def _send_request(self, path: str | None) -> None:
        self.requests += bool(path)
        try:
            async with asyncio.timeout(_TIMEOUT_S / SPEED):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                try:
                    if path is not None:
                        writer.write(b"GET %s HTTP/1.1\r\nHost: board\r\n\r\n" % path.encode())
                    data = await reader.read()
                finally:
                    writer.transport.abort()
        except OSError:  # the page rejected the connection, or the timeout is over
            return
        head, _, body = data.partition(b"\r\n\r\n")
        is_answered = bool(path) and b" 200 " in head
        self.answers += is_answered
        is_complete = body.count(b"{") == body.count(b"}")  # else the connection broke during the answer
        if is_answered and path == "/api/state" and is_complete:
            self._check_money(json.loads(body)["money"])

    def _check_money(self, money: dict[str, float]) -> None:
        if round(1000 * (money["locals"] + money["merchants"] + money["ledger"] - money["total"])):
            self._monitor.add_failure("the money on the page does not add up: %s" % money)
