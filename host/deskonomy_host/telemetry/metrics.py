"""The numbers of a status that are kept over time, and the rates that follow from two of them.

Here: a status in, {name: number} out. Not here: keeping them (track.py).
"""

from collections import deque

_RATE_SAMPLES = 6  # a rate is the mean over so many: people act at random moments
_STILL_S = 2  # a city whose tick has not moved for so long stands still; a board merely speaks once a second


class Rows:
    """of(time_s, status), called for each city with each sample; it remembers the last few of them."""

    def __init__(self):
        self._marks = {}  # {city: (time_s, tick, {good: units made})}, the oldest first

    def of(self, time_s, status):
        """price.GOOD.min, .mean, .max in coins; yield.GOOD in units an act; made.GOOD in units a second; sensor.NAME
        in 0..1; money in coins, with what is on the road.
        """
        row = {"money": status["money"]["total"] + status.get("detail", {}).get("under_way", 0)}
        for good, price in status["price"].items():
            for which in ("min", "mean", "max"):
                row[f"price.{good}.{which}"] = price[which]
            row[f"yield.{good}"] = status["yield"][good]
        for name, sensor in status.get("sensors", {}).items():
            if "level" in sensor:
                row[f"sensor.{name}"] = sensor["level"]
        return row | self._rates(time_s, status)

    def _rates(self, time_s, status):
        marks = self._marks.setdefault(status["city"], deque(maxlen=_RATE_SAMPLES))
        if marks and status["tick"] < marks[-1][1]:
            marks.clear()  # it was reset, and counts anew
        if not marks or status["tick"] != marks[-1][1] or time_s - marks[-1][0] >= _STILL_S:
            marks.append((time_s, status["tick"], status.get("made", {})))
        since_s, _, before = marks[0]
        until_s, _, made = marks[-1]
        if until_s == since_s:
            return {}
        # The counter begins again at 2**30.
        return {
            f"made.{good}": (made[good] - before.get(good, made[good])) % 2**30 / (until_s - since_s) for good in made
        }
