"""Where a dashboard's cities come from: what every source has, and the one for cities of this process.

Here: the interface, and Live. Not here: cities watched by address (watch.py). A history that is played back is another
class with the same names.
"""

import time
from collections import deque
from typing import Protocol

_EVENTS_KEPT = 100  # told by the source and not yet fetched


class Source(Protocol):
    """What a dashboard shows. Everything is called in the loop of the dashboard, about twice a second.

    origin: "" for cities of this process, else where they are: an address, a file. It is shown.
    commands: {name: function of words}, as ControlServer takes them; {} where nothing can be changed. Those that a
    page knows: influence(city, good, yield_mills), connect(city, address), sense(name, value), pause(paused),
    step(ticks), speed(ticks_per_s), open(city, other, address), close(city, other), school(city, count, good),
    seek(time_s).
    """

    origin: str
    commands: dict

    def now_s(self) -> float:
        """The time that read() tells of, in seconds since 1970; it may jump where a history is played back."""
        ...

    def read(self) -> list[dict]:
        """The status of each city that is there now: the fields of a status line, and "detail" where it is known.

        A city that no longer answers is left out. For detail see detail.Detail.
        """
        ...

    def take_events(self) -> list[dict]:
        """What happened since the last call, {"time": s, "city": name or "", "kind": word, "text": sentence} each.

        Only what cannot be seen in the statuses: roads, yields, sensors and resets are found by events.py.
        """
        ...

    def clock(self) -> dict:
        """How time passes: {"paused": bool, "ticks_per_s": number, None for as fast as it goes}; {} if nobody can say.

        A source with the command seek says "from" and "to" besides, the ends of what it can show, in seconds.
        """
        ...


class News:
    """What happens, line by line: call it with a line. say: called with each besides."""

    def __init__(self, say=lambda line: None):
        self._say = say
        self._events = deque(maxlen=_EVENTS_KEPT)

    def __call__(self, text):
        self._say(text)
        if not text.startswith("the road to "):  # which the statuses tell, of every city alike
            self._events.append({"time": time.time(), "city": "", "kind": "note", "text": text})

    def take(self):
        """The events since the last call."""
        events = list(self._events)
        self._events.clear()
        return events


class Live:
    """The cities of this process. read: function that returns their statuses. commands: what they may be asked.

    news: a News. clock: function that says how time passes.
    """

    origin = ""

    def __init__(self, read, commands, news, clock=lambda: {}):
        self.read = read
        self.commands = commands
        self.take_events = news.take
        self.clock = clock

    def now_s(self):
        return time.time()
