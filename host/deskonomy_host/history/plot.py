"""`deskonomy plot`: histories as one picture, PNG or SVG.

Here: which panels a picture has, the data that they draw, and the file. Not here: drawing a panel (plot_panels.py),
reading a history (reader.py). Matplotlib is imported when a picture is drawn.
"""

import contextlib
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deskonomy.events import ROAD_CLOSED, ROAD_OPEN

from deskonomy_host import palette
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.extras import find_missing
from deskonomy_host.history.reader import Event, History, Prices

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = ("prices", "merchants", "leisure", "board")
_DPI = 100
_EVENTS_MAX = 10  # listed under a picture
_ROAD_STATES = {ROAD_OPEN: "open", ROAD_CLOSED: "closed"}


def plot(
    paths: Sequence[str | Path],
    output: str | Path,
    only: Sequence[str] = (),
    title: str | None = None,
    axis: str = "time",
    goods: Sequence[str] = (),
) -> Path:
    """Draw histories into one file, with the cities of all of them, and return its path.

    Args:
        paths: the histories.
        output: the picture, a file that ends in .png or .svg.
        only: names of PICTURES; all for which the histories have data if empty.
        title: a title above the picture.
        axis: the horizontal axis, "time" or "ticks".
        goods: goods whose prices are drawn; all if empty.

    Raises:
        UsageError: the name of the picture has another ending.
        OperationError: there is nothing to draw, matplotlib is missing, or a file cannot be read or written.
    """
    output = Path(output)
    if output.suffix.lower() not in (".png", ".svg"):
        raise UsageError(f"-o takes a file that ends in .png or .svg, not {str(output)!r}")
    with contextlib.ExitStack() as stack:
        view = View([stack.enter_context(History(path)) for path in paths], axis, goods)
        wanted = [name for name in PICTURES if (not only or name in only) and view.has(name)]
        if not wanted:
            raise OperationError(
                f"{' and '.join(map(str, paths))} contains nothing to draw{' of that' if only else ''}"
            )
        missing = find_missing("plot")
        if missing:
            raise OperationError(missing)
        import matplotlib

        matplotlib.use("agg")
        from deskonomy_host.history.plot_panels import STYLE, draw

        with matplotlib.rc_context(STYLE):
            figure = draw(view, wanted, title)
            try:
                _save(figure, output)
            except OSError as error:
                raise OperationError(f"cannot write {output}: {error.strerror}") from None
    return output


def _save(figure: "Figure", output: Path) -> None:
    _fix_layout(figure)
    if output.suffix.lower() == ".svg":
        figure.savefig(output, metadata={"Date": None})  # the same picture gives the same file
        return
    from PIL import Image

    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=_DPI)
    # A palette halves the file; this method keeps colours that cover a small area.
    Image.open(png).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE).save(output, optimize=True)


def _fix_layout(figure: "Figure") -> None:
    """Round the layout to a tenth of a dot, because the last digits of the layout solver differ from run to run."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for part in figure.subfigs:
        box = part.bbox_relative
        (x0, y0), (x1, y1) = box.p0, box.p1
        box.p0, box.p1 = (round(x0, 4), round(y0, 4)), (round(x1, 4), round(y1, 4))
    for axes in figure.axes:
        left, bottom, width, height = axes.get_position().bounds
        axes.set_position((round(left, 4), round(bottom, 4), round(width, 4), round(height, 4)))


class View:
    """The data of several histories, as the panels draw them.

    Attributes:
        axis: "time" (seconds since the first sample of all histories) or "ticks".
        cities: {city: its history}.
        colours, good_colours: "#rrggbb" by name.
        goods: all names of goods.
        priced: the goods whose prices are drawn.
        begin_s, duration_s: the first sample in seconds since 1970, and the time to the last one.
    """

    def __init__(self, histories: Sequence[History], axis: str = "time", goods: Sequence[str] = ()) -> None:
        """Combine histories. Raises OperationError for goods that no history contains."""
        self.axis = axis
        self.cities: dict[str, History] = {}
        names: dict[str, str] = {}
        self.goods: list[str] = []
        for history in histories:
            for city in history.cities:
                if city not in self.cities:
                    self.cities[city] = history
                    names[city] = history.colours[city]
            self.goods += [good for good in history.goods if good not in self.goods]
        for good in goods:
            if good not in self.goods:
                raise OperationError(f"the histories contain no {good}, only {', '.join(self.goods)}")
        self.priced = list(goods) or self.goods
        self.colours = palette.assign_city_colours(names)
        self.good_colours = palette.assign_good_colours(self.goods)
        self.begin_s = min((history.begin_s for history in histories if history.samples), default=0.0)
        self.duration_s = max((history.end_s for history in histories), default=0.0) - self.begin_s
        self._histories = histories
        self._clock = self._ticks_over_time() if axis == "ticks" else None

    def has(self, picture: str) -> bool:
        """Return whether there is data for one of PICTURES."""
        if picture == "leisure":
            return any(self.people(city) for city in self.cities)
        return bool(self.boards() if picture == "board" else self.cities)

    def boards(self) -> list[str]:
        """Return the cities with sensors."""
        return [city for city, history in self.cities.items() if history.sensors(city)]

    def at(self, times_s: Iterable[float]) -> list[float]:
        """Convert times in seconds since 1970 to the axis: seconds since the beginning, or ticks."""
        if self._clock is None:
            return [time_s - self.begin_s for time_s in times_s]
        import numpy

        return list(numpy.interp(list(times_s), *self._clock))

    def _ticks_over_time(self) -> tuple[list[float], list[int]]:
        """Return (times, ticks) of the city with the most samples."""
        series = [history.prices(city, good) for city, history in self.cities.items() for good in self.goods[:1]]
        longest = max(series, key=lambda prices: len(prices.time_s), default=None)
        return (longest.time_s, longest.tick) if longest is not None and longest.time_s else ([0.0], [0])

    def prices(self, city: str, good: str) -> Prices:
        """Return the prices of a good in a city."""
        return self.cities[city].prices(city, good)

    def sensors(self, city: str) -> dict[str, tuple[list[float], list[float]]]:
        """Return {sensor: (times in seconds since 1970, levels)}."""
        return self.cities[city].sensors(city)

    def people(self, city: str) -> list[tuple[float, float]]:
        """Return (coins, leisure) of locals."""
        return self.cities[city].people(city)

    def events(self, boards_drawn: bool = False) -> list[tuple[float, str]]:
        """Return (time on the axis, text) of a few moments, without the very beginning and end.

        Args:
            boards_drawn: whether the picture shows the boards' sensors and yields, whose events are then left out.
        """
        drawn_cities = self.boards() if boards_drawn else []
        near_s = 0.02 * self.duration_s
        moments: list[tuple[float, list[str]]] = []  # (time in seconds since 1970, texts)
        for time_s, text in self._event_texts(drawn_cities):
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

    def _event_texts(self, drawn_cities: Sequence[str]) -> Iterator[tuple[float, str]]:
        """Yield (time, text) of every event; the same text for both ends of a road."""
        events = [event for history in self._histories for event in history.events()]
        for event in sorted(events, key=lambda event: event.time_s):
            if event.category in ("sensor", "yield") and event.city in drawn_cities:
                continue
            yield event.time_s, _road_text(event) or event.text


def _road_text(event: Event) -> str | None:
    """Return the text of a road that opens or closes; None for any other event."""
    state = _ROAD_STATES.get(event.type or "")
    return f"road {' - '.join(sorted((event.city or '', event.road)))} {state}" if state and event.road else None
