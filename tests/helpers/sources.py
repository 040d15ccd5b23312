"""What tests of the dashboard show: cities that are as they are told to be, and where a command shows its own."""

import re
import time

GOODS = ("wood", "chair", "thread", "bed")


def status(city, tick=1, roads=(), **more):
    """A status line's dict, of a city at peace."""
    return {
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
        **more,
    }


class Told:
    """A source that shows what it was told last. commands, asked: what pages may ask, and what they did."""

    origin = ""

    def __init__(self, *statuses):
        self.statuses = list(statuses)
        self.asked = []
        self.commands = {"influence": self.influence}
        self.time_s = None

    def influence(self, city, good, yield_mills):
        self.asked.append((city, good, yield_mills))
        return {"city": city, "good": good, "yield_mills": yield_mills}

    def now_s(self):
        return time.time() if self.time_s is None else self.time_s

    def read(self):
        return self.statuses

    def take_events(self):
        return []

    def clock(self):
        return {}


def address_of(running):
    """The dashboard's address that a Background with --json --dashboard prints."""
    for line in running.process.stderr:
        found = re.match(r"dashboard: (\S+)", line)
        if found:
            return found[1]
    raise AssertionError("it ended without a dashboard")
