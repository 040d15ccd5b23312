"""`deskonomy plot`: histories as one picture, PNG or SVG.

Here: which panels a picture has, and its file. Not here: how a panel looks (plot_panels.py), what a history holds
(history_reader.py). Matplotlib is loaded when a picture is asked for.
"""

import contextlib
import io
import re
from pathlib import Path

from deskonomy_host import palette
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.history.reader import History

PICTURES = ("prices", "merchants", "leisure", "board")
_DPI = 100
_ROAD = re.compile("(.*): the road to (.*) is (open|closed)")
_EVENTS_MAX = 10  # told of under a picture


def plot(paths, output, only=(), title=None, axis="time", goods=()):
    """Draw histories into one file, cities of all of them together; returns its Path. Raises OperationError.

    only: of PICTURES, those that are wanted; all that the histories have something for unless said. axis: "time" or
    "ticks" below the pictures. goods: those whose prices are wanted, all unless said.
    """
    output = Path(output)
    if output.suffix.lower() not in (".png", ".svg"):
        raise UsageError(f"-o takes a file that ends in .png or .svg, not {str(output)!r}")
    with contextlib.ExitStack() as stack:
        view = View([stack.enter_context(History(path)) for path in paths], axis, goods)
        wanted = [name for name in PICTURES if (not only or name in only) and view.has(name)]
        if not wanted:
            raise OperationError(
                f"{' and '.join(map(str, paths))}: nothing in there to draw{' of that' if only else ''}"
            )
        try:
            import matplotlib
        except ImportError:
            raise OperationError("pictures need matplotlib; type: pip install 'deskonomy[plot]'") from None
        matplotlib.use("agg")
        from deskonomy_host.history.plot_panels import STYLE, draw

        with matplotlib.rc_context(STYLE):
            figure = draw(view, wanted, title)
            try:
                _save(figure, output)
            except OSError as error:
                raise OperationError(f"cannot write {output}: {error.strerror}") from None
    return output


def _save(figure, output):
    _settle(figure)
    if output.suffix.lower() == ".svg":
        figure.savefig(output, metadata={"Date": None})  # the same picture is the same file
        return
    from PIL import Image

    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=_DPI)
    # A palette takes half the bytes; this kind keeps colours that cover little.
    Image.open(drawn).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE).save(output, optimize=True)


def _settle(figure):
    """Lay the picture out for good, to a tenth of a dot: the solver's last digits differ from run to run."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for part in figure.subfigs:
        box = part.bbox_relative
        box.p0, box.p1 = box.p0.round(4), box.p1.round(4)
    for axes in figure.axes:
        axes.set_position([round(part, 4) for part in axes.get_position().bounds])


class View:
    """Histories as one: what the panels draw. Times are seconds since the first sample of all, or ticks.

    cities: {city: the History that it is in}. colours, good_colours: "#rrggbb" by name. goods: all names. priced: the
    goods whose prices are wanted. Raises OperationError for wanted goods that are in no history.
    """

    def __init__(self, histories, axis="time", goods=()):
        self.axis = axis
        self.cities = {}
        names = {}
        self.goods = []
        for history in histories:
            for city in history.cities:
                if city not in self.cities:
                    self.cities[city] = history
                    names[city] = history.colours[city]
            self.goods += [good for good in history.goods if good not in self.goods]
        for good in goods:
            if good not in self.goods:
                raise OperationError(f"there is no {good} in there, only {', '.join(self.goods)}")
        self.priced = list(goods) or self.goods
        self.colours = palette.of_cities(names)
        self.good_colours = palette.of_goods(self.goods)
        self.begin_s = min((history.begin_s for history in histories if history.samples), default=0.0)
        self.duration_s = max((history.end_s for history in histories), default=0.0) - self.begin_s
        self._histories = histories
        self._clock = self._ticks_over_time() if axis == "ticks" else None

    def has(self, picture):
        """Whether there is anything to draw for one of PICTURES."""
        if picture == "leisure":
            return any(self.people(city) for city in self.cities)
        return bool(self.boards() if picture == "board" else self.cities)

    def boards(self):
        """The cities with sensors."""
        return [city for city, history in self.cities.items() if history.sensors(city)]

    def at(self, times_s):
        """Times in seconds since 1970 on the axis: seconds since the beginning, or ticks."""
        if self._clock is None:
            return [time_s - self.begin_s for time_s in times_s]
        import numpy

        return list(numpy.interp(times_s, *self._clock))

    def _ticks_over_time(self):
        """(times, ticks) of the city that is there for longest."""
        series = [history.prices(city, good) for city, history in self.cities.items() for good in self.goods[:1]]
        longest = max(series, key=lambda prices: len(prices.time_s), default=None)
        return (longest.time_s, longest.tick) if longest is not None and longest.time_s else ([0], [0])

    def prices(self, city, good):
        """A history_reader.Prices."""
        return self.cities[city].prices(city, good)

    def sensors(self, city):
        """{sensor: (times in seconds since 1970, levels)}."""
        return self.cities[city].sensors(city)

    def people(self, city):
        """(coins, leisure) of locals."""
        return self.cities[city].people(city)

    def events(self, boards_drawn=False):
        """(time on the axis, what happened) of a few moments, without the very beginning and end.

        boards_drawn: whether what moves a board's sensors and yields is seen in the picture anyway.
        """
        drawn = self.boards() if boards_drawn else ()
        near_s = 0.02 * self.duration_s
        moments = []  # (time in seconds since 1970, what was told)
        for time_s, text in self._told(drawn):
            if not near_s < time_s - self.begin_s < self.duration_s - near_s:
                continue
            if moments and time_s - moments[-1][0] <= near_s:
                if text not in moments[-1][1]:
                    moments[-1][1].append(text)
            else:
                moments.append((time_s, [text]))
        step = max(1, len(moments) / _EVENTS_MAX)
        moments = [moments[int(index * step)] for index in range(min(len(moments), _EVENTS_MAX))]
        return [(self.at([time_s])[0], "; ".join(texts)) for time_s, texts in moments]

    def _told(self, drawn):
        """(time, sentence) of every event; a road is told of once, not from both ends."""
        for time_s, city, kind, text in sorted(event for history in self._histories for event in history.events()):
            if kind in ("sensor", "yield") and city in drawn:
                continue
            road = _ROAD.fullmatch(text)
            yield time_s, f"road {' - '.join(sorted(road.group(1, 2)))} {road[3]}" if road else text
