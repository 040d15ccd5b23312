"""Events: what happened to cities, as typed values, and how events are found in statuses.

Here: the type Event, the types of events that statuses show, and EventDetector, which compares two statuses of a city.
A board's console prints only its state, so its events are found the same way as those of any other city. Not here:
events that the log reports (log_events.py).
"""

# pyright: strict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from deskonomy.events import ROAD_CLOSED, ROAD_OPEN, SENSOR_FAILED

from deskonomy_host.telemetry.schema import Status

KEPT = 200  # latest events for a page that is opened later: more than fit into its log without scrolling far
CITY_APPEARED = "city-appeared"
CITY_LOST = "city-lost"
CITY_RESTARTED = "city-restarted"
MERCHANTS_LOST = "merchants-lost"
SENSOR_CHANGED = "sensor-changed"
YIELD_CHANGED = "yield-changed"
NOTE = "note"  # anything else that a program reports
_CATEGORIES = {
    CITY_APPEARED: "city",
    CITY_LOST: "lost",
    CITY_RESTARTED: "reset",
    MERCHANTS_LOST: "lost",
    ROAD_CLOSED: "road",
    ROAD_OPEN: "road",
    SENSOR_CHANGED: "sensor",
    SENSOR_FAILED: "sensor",
    YIELD_CHANGED: "yield",
}
# A value has changed if it differs by _CHANGE_MIN from the value last reported, and has come to rest if it differs by
# at most _MOVEMENT_MAX from the value before. The units are those of a status: units an act, and a share of the range.
_CHANGE_MIN = {YIELD_CHANGED: 0.01, SENSOR_CHANGED: 0.05}
_MOVEMENT_MAX = {YIELD_CHANGED: 0.005, SENSOR_CHANGED: 0.02}


class Event(NamedTuple):
    """Something that happened.

    Attributes:
        time_s: Seconds since 1970.
        city: The name of the city, "" if the event belongs to none.
        type: A constant of this module or of deskonomy/events.py.
        text: One sentence for a person. It is never parsed.
        road: The city at the other end, for events of a road.
    """

    time_s: float
    city: str
    type: str
    text: str
    road: str = ""

    @property
    def category(self) -> str:
        """Return the group that the page and histories use: city, road, yield, sensor, reset, lost or note."""
        return _CATEGORIES.get(self.type, NOTE)

    def as_json(self) -> dict[str, object]:
        """Return the event as the page and other programs receive it."""
        return {
            "time": self.time_s,
            "city": self.city,
            "kind": self.category,
            "text": self.text,
            "type": self.type,
            "road": self.road,
        }


class EventDetector:
    """Finds events by comparing the statuses of each call with those of the call before."""

    def __init__(self) -> None:
        self._previous: dict[str, Status] = {}  # by city
        self._reported: dict[tuple[str, str, str], float] = {}  # {(city, type, name): the value last reported}

    def copy(self) -> "EventDetector":
        """Return a detector that knows the same of the past."""
        copy = EventDetector()
        copy._previous, copy._reported = self._previous, self._reported.copy()
        return copy

    def detect(self, time_s: float, statuses: Iterable[Status]) -> list[Event]:
        """Return what has happened since the previous call.

        Args:
            time_s: Now, in seconds since 1970; the time of the events.
            statuses: The cities that answer now.
        """
        current = {status["city"]: status for status in statuses}
        events: list[Event] = []
        for status in current.values():
            events += self._compare(time_s, self._previous.get(status["city"]), status)
        for city in self._previous.keys() - current.keys():
            events.append(Event(time_s, city, CITY_LOST, f"{city} no longer answers"))
            self._reported = {key: value for key, value in self._reported.items() if key[0] != city}
        self._previous = current
        return events

    def _compare(self, time_s: float, before: Status | None, status: Status) -> Iterator[Event]:
        city = status["city"]
        if before is None:
            yield Event(time_s, city, CITY_APPEARED, f"{city} has appeared at tick {status['tick']}")
        elif status["tick"] < before["tick"]:
            reset = status.get("reset")
            cause = f" ({reset} reset)" if reset else ""
            yield Event(time_s, city, CITY_RESTARTED, f"{city} has restarted{cause}")
        else:
            yield from _compare_roads(time_s, before, status)
        if before is None or _is_fresh(before, status):
            yield from self._compare_sensors(time_s, before or status, status)
            yield from self._compare_yields(time_s, before or status, status)

    def _compare_sensors(self, time_s: float, before: Status, status: Status) -> Iterator[Event]:
        city = status["city"]
        for name, sensor in status.get("sensors", {}).items():
            previous = before.get("sensors", {}).get(name, {})
            error, level = sensor.get("error"), sensor.get("level")
            if error is not None and "error" not in previous:
                yield Event(time_s, city, SENSOR_FAILED, f"{city}'s {name} sensor fails: {error}")
            if level is not None:
                key = (city, SENSOR_CHANGED, name)
                if self._is_reportable(key, previous.get("level", level), level):
                    yield Event(time_s, city, SENSOR_CHANGED, f"{city}'s {name} sensor reads {level:.0%}")

    def _compare_yields(self, time_s: float, before: Status, status: Status) -> Iterator[Event]:
        city = status["city"]
        for good, units in status["yield"].items():
            if self._is_reportable((city, YIELD_CHANGED, good), before["yield"].get(good, units), units):
                yield Event(time_s, city, YIELD_CHANGED, f"{city}: the yield of {good} is now {units:g}")

    def _is_reportable(self, key: tuple[str, str, str], previous: float, value: float) -> bool:
        """Return whether a value differs from the one last reported and has come to rest; remember it if so."""
        _, event_type, _ = key
        reported = self._reported.setdefault(key, value)
        if abs(value - reported) < _CHANGE_MIN[event_type] or abs(value - previous) > _MOVEMENT_MAX[event_type]:
            return False
        self._reported[key] = value
        return True


def _is_fresh(before: Status, status: Status) -> bool:
    """Return whether a status is newer than the previous one: a board prints one a second, and is read more often."""
    return "uptime_s" not in status or status["uptime_s"] != before.get("uptime_s")


def _compare_roads(time_s: float, before: Status, status: Status) -> Iterator[Event]:
    city = status["city"]
    for name, road in status["roads"].items():
        previous = before["roads"].get(name)
        state, lost = (previous["state"], previous["lost"]) if previous else ("down", 0)
        if road["state"] != state:
            is_open = road["state"] == "up"
            text = f"{city}: the road to {name} is {'open' if is_open else 'closed'}"
            yield Event(time_s, city, ROAD_OPEN if is_open else ROAD_CLOSED, text, name)
        count = road["lost"] - lost
        if count > 0:
            merchants = "merchant was" if count == 1 else "merchants were"
            yield Event(time_s, city, MERCHANTS_LOST, f"{city}: {count} {merchants} lost on the road to {name}", name)
    for name, road in before["roads"].items():
        if name not in status["roads"] and road["state"] == "up":
            yield Event(time_s, city, ROAD_CLOSED, f"{city}: the road to {name} is closed", name)
