"""Sources for tests of the dashboard: cities whose statuses a test sets, and the address of a command's dashboard."""

import re
import time
from collections.abc import Sequence
from typing import Any

from deskonomy_host.telemetry.events import Event
from deskonomy_host.telemetry.schema import Status
from deskonomy_host.telemetry.source import Pace

from helpers.commands import RunningCommand

GOODS = ("wood", "chair", "thread", "bed")


def make_status(city: str, tick: int = 1, roads: Sequence[str] = (), **fields: Any) -> Status:
    """Return the status of a city in which nothing happens.

    Args:
        city: Its name.
        tick: Its tick.
        roads: The other cities to which it has an open road.
        fields: Further fields, or others in place of these.
    """
    status: Any = {
        "city": city,
        "tick": tick,
        "price": {good: {"min": 1.0, "mean": 2.0, "max": 3.5} for good in GOODS},
        "yield": dict.fromkeys(GOODS, 1.0),
        "merchants": {"wood": 0, "chair": 2, "thread": 0, "bed": 8},
        "locals": 20,
        "money": {"locals": 20000.0, "merchants": 10000.0, "ledger": 0.0, "total": 30000.0},
        "roads": {
            name: {"state": "up", "kind": "in-process", "sent": 0, "received": 0, "waiting": 0, "lost": 0}
            for name in roads
        },
        "sensors": {},
        "ticks_per_s": 20.0,
        **fields,
    }
    return status


class FakeSource:
    """A Source that returns what a test has set.

    Attributes:
        statuses: What read() returns.
        time_s: What now_s() returns; None for the current time.
        pace: What clock() returns.
        calls: The arguments of each call of its command influence.
    """

    origin = ""

    def __init__(self, *statuses: Status) -> None:
        self.statuses = list(statuses)
        self.time_s: float | None = None
        self.pace: Pace = {}
        self.calls: list[tuple[str, str, int]] = []
        self.commands: dict[str, Any] = {"influence": self.influence}

    def influence(self, city: str, good: str, yield_mills: int) -> dict[str, Any]:
        """Record the call, and answer as a city does."""
        self.calls.append((city, good, yield_mills))
        return {"city": city, "good": good, "yield_mills": yield_mills}

    def now_s(self) -> float:
        return time.time() if self.time_s is None else self.time_s

    def read(self) -> list[Status]:
        return self.statuses

    def take_events(self) -> list[Event]:
        return []

    def clock(self) -> Pace:
        return self.pace


def read_dashboard_address(running: RunningCommand) -> str:
    """Return the address of the dashboard that a command with --json --dashboard prints."""
    for line in running.process.stderr:
        found = re.match(r"dashboard: (\S+)", line)
        if found:
            return found[1]
    raise AssertionError("the command ended without a dashboard")
