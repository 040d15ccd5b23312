"""What has happened to cities, found by comparing one reading of their statuses with the one before.

Here: roads, yields, sensors, resets, cities that come and go, merchants lost. So a board, whose console only says how
things are, has events like any other city. Not here: what a source tells in its own words (source.py).
"""

KEPT = 200  # of the latest events, for a page that is opened later
_STEP = {"yield": 0.01, "sensor": 0.05}  # a smaller change is none
_STILL = {"yield": 0.005, "sensor": 0.02}  # what still changes by more than this is told when it has come to rest


class Observer:
    """observe(time_s, statuses) returns the events since the call before, as source.Source.take_events() does."""

    def __init__(self):
        self._before = {}  # {city: status}
        self._told = {}  # {(city, kind, name): the number that was told last}

    def observe(self, time_s, statuses):
        events = []
        for status in statuses:
            city = status["city"]
            before = self._before.get(city)
            if before is None:
                found = [("city", f"{city} is here, at tick {status['tick']}")]
            elif status["tick"] < before["tick"]:
                found = [("reset", f"{city} has started anew{_because(status)}")]
            else:
                found = [*_roads(before, status)]
            if before is None or _is_fresh(before, status):
                found = [*found, *self._numbers(before or status, status)]
            events += [{"time": time_s, "city": city, "kind": kind, "text": text} for kind, text in found]
        here = {status["city"] for status in statuses}
        for city in self._before.keys() - here:
            events.append({"time": time_s, "city": city, "kind": "lost", "text": f"{city} no longer answers"})
            self._told = {key: value for key, value in self._told.items() if key[0] != city}
        self._before = {status["city"]: status for status in statuses}
        return events

    def _numbers(self, before, status):
        """Yields and sensor levels that have come to rest at a new value."""
        city = status["city"]
        for name, sensor in status.get("sensors", {}).items():
            was, level = before.get("sensors", {}).get(name, {}), sensor.get("level")
            if "error" in sensor and "error" not in was:
                yield "sensor", f"{city}'s {name} sensor fails: {sensor['error']}"
            if level is not None and self._is_news((city, "sensor", name), was.get("level", level), level):
                yield "sensor", f"{city}'s {name} sensor reads {level:.0%}"
        for good, gives in status["yield"].items():
            if self._is_news((city, "yield", good), before["yield"].get(good, gives), gives):
                yield "yield", f"{city}: one act of making {good} now gives {gives:g}"

    def _is_news(self, key, previous, value):
        kind = key[1]
        told = self._told.setdefault(key, value)
        if abs(value - told) < _STEP[kind] or abs(value - previous) > _STILL[kind]:
            return False
        self._told[key] = value
        return True


def _is_fresh(before, status):
    """Whether a board has spoken again since; it does so once a second, and its sensors may be under way."""
    return "uptime_s" not in status or status["uptime_s"] != before.get("uptime_s")


def _roads(before, status):
    for name, road in status["roads"].items():
        was = before["roads"].get(name, {"state": "down", "lost": 0})
        if road["state"] != was["state"]:
            state = "is open" if road["state"] == "up" else "is closed"
            yield "road", f"{status['city']}: the road to {name} {state}"
        lost = road.get("lost", 0) - was.get("lost", 0)
        if lost > 0:
            people = "merchant was" if lost == 1 else "merchants were"
            yield "lost", f"{status['city']}: {lost} {people} lost on the road to {name}"
    for name, road in before["roads"].items():
        if name not in status["roads"] and road["state"] == "up":
            yield "road", f"{status['city']}: the road to {name} is closed"


def _because(status):
    return f" ({status['reset']} reset)" if status.get("reset") else ""
