"""The panels of a picture: prices, merchants by good, leisure against wealth, a board's cause and effect.

Here: drawing with matplotlib. Not here: the data (View in plot.py), files (plot.py).
"""

from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure
    from matplotlib.ticker import Locator

    from deskonomy_host.history.plot import View
    from deskonomy_host.history.reader import Prices

Events = Sequence[tuple[float, str]]  # (time on the axis, text)
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#858d99",
    "axes.labelcolor": "#3a4150",
    "xtick.color": "#5a6270",
    "ytick.color": "#5a6270",
    "axes.grid": True,
    "grid.color": "#e4e7eb",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.hashsalt": "deskonomy",
}
_MARK = "#5a6270"
_WIDTH_IN = 10
_EVENT_CHARACTERS_MAX = 170  # what fits into a line under the picture


def draw(view: "View", pictures: Sequence[str], title: str | None = None) -> Figure:
    """Return a Figure with these pictures, one below the other; draw and save it in this STYLE."""
    events = view.events("board" in pictures)
    sections = [_SECTIONS[name](view) for name in pictures]
    heights_in = [section.rows * section.row_in + 0.45 for section in sections]
    events_in = 0.18 * len(events) + 0.1 if events else 0
    head_in = 0.35 if title else 0
    size_in = _WIDTH_IN, sum(heights_in) + events_in + head_in
    figure = Figure(figsize=size_in, layout="constrained", facecolor="white")
    ratios = [*heights_in, max(0.01, events_in)]
    parts = figure.subfigures(len(ratios), 1, height_ratios=ratios, squeeze=False)[:, 0]
    for section, part in zip(sections, parts, strict=False):
        section.draw(part, events)
    _list_events(view, parts[-1], events)
    if title:
        figure.suptitle(title, fontweight="bold", fontsize=12, x=0.01, ha="left")
    return figure


class _Section:
    """Some rows of a picture: `rows` of them, each `row_in` inches high."""

    rows = 1
    row_in = 2.3

    def __init__(self, view: "View") -> None:
        self.view = view

    def draw(self, figure: "SubFigure", events: Events) -> None:
        """Draw the section."""
        raise NotImplementedError

    def _draw_time(self, axes: "Axes", label: bool = True) -> None:
        """Draw the horizontal axis."""
        if self.view.axis == "ticks":
            axes.set_xlabel("ticks" if label else "")
            return
        unit, seconds = _unit(self.view.duration_s)
        axes.xaxis.set_major_locator(_locator(seconds))
        axes.xaxis.set_major_formatter(lambda at, _: f"{at / seconds:g}")
        axes.set_xlabel(f"time, {unit}" if label else "")

    def _mark_events(self, axes: "Axes", events: Events) -> None:
        for number, (at, _) in enumerate(events, 1):
            axes.axvline(at, color=_MARK, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
            place = axes.get_xaxis_transform()
            axes.text(at, 0.99, f" {number}", color=_MARK, fontsize=7, va="top", transform=place)

    def _draw_band(self, axes: "Axes", prices: "Prices", colour: str) -> None:
        """Draw lowest to highest as a band, and the mean as a line."""
        times = self.view.at(prices.time_s)
        axes.fill_between(times, prices.low, prices.high, color=colour, alpha=0.16, linewidth=0)
        axes.plot(times, prices.mean, color=colour, linewidth=1.5)


class _Prices(_Section):
    """A panel for each good: each city's band of expected prices, and their mean."""

    def __init__(self, view: "View") -> None:
        super().__init__(view)
        self._columns = min(2, len(view.priced))
        self.row_in = 2.3 if self._columns > 1 else 3.2
        self.rows = -(-len(view.priced) // 2)

    def draw(self, figure: "SubFigure", events: Events) -> None:
        goods = self.view.priced
        grid = figure.subplots(self.rows, self._columns, squeeze=False, sharex=True)
        panels = list(grid.flat)
        for axes in panels[len(goods) :]:
            axes.axis("off")
        for good, axes in zip(goods, panels, strict=False):
            for city in self.view.cities:
                self._draw_band(axes, self.view.prices(city, good), self.view.colours[city])
            axes.set_title(good)
            axes.set_ylabel("price, coins")
            axes.set_ylim(bottom=0)
            self._mark_events(axes, events)
            self._draw_time(axes, axes in panels[len(goods) - self._columns :])
        cities = [Line2D([], [], color=colour, linewidth=2.5, label=city) for city, colour in self.view.colours.items()]
        band = Patch(color=_MARK, alpha=0.25, label="lowest to highest of the locals' expected prices; line: mean")
        figure.legend(handles=[*cities, band], loc="outside upper left", ncols=min(6, len(cities) + 1), fontsize=8)


class _Merchants(_Section):
    """A panel for each city: the number of merchants there, by good."""

    _COLUMNS = 4

    def __init__(self, view: "View") -> None:
        super().__init__(view)
        self.rows = -(-len(view.cities) // self._COLUMNS)

    def draw(self, figure: "SubFigure", events: Events) -> None:
        view = self.view
        columns = min(self._COLUMNS, len(view.cities))
        grid = figure.subplots(self.rows, columns, squeeze=False, sharex=True, sharey=True)
        panels = list(grid.flat)
        for axes in panels[len(view.cities) :]:
            axes.axis("off")
        for index, (city, axes) in enumerate(zip(view.cities, panels, strict=False)):
            series = {good: view.prices(city, good) for good in view.goods}
            series = {good: prices for good, prices in series.items() if prices.time_s}
            if series:
                colours = [view.good_colours[good] for good in series]
                times, *counts = _smoothed(
                    view.at(next(iter(series.values())).time_s), *(prices.merchants for prices in series.values())
                )
                axes.stackplot(times, *counts, colors=colours, alpha=0.85, linewidth=0)
            axes.set_title(city, color=view.colours[city])
            if index % columns == 0:
                axes.set_ylabel("merchants there")
            self._mark_events(axes, events)
            self._draw_time(axes, index >= len(view.cities) - columns)
        handles = [Patch(color=colour, alpha=0.85, label=good) for good, colour in view.good_colours.items()]
        figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), fontsize=8, title_fontsize=8)


class _Leisure(_Section):
    """A dot for each local: wealth in coins, and acts of rest since the last act of work."""

    def draw(self, figure: "SubFigure", events: Events) -> None:
        axes = figure.subplots()
        for city in self.view.cities:
            people = self.view.people(city)
            wealth, leisure = zip(*people, strict=True) if people else ((), ())
            axes.scatter(wealth, leisure, s=16, color=self.view.colours[city], alpha=0.75, linewidth=0, label=city)
        axes.set_title("leisure against wealth, a dot for each local")
        axes.set_xlabel("wealth, coins (mean of the last third of the time)")
        axes.set_ylabel("acts of rest in a row")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))


class _Board(_Section):
    """A board's sensors, its yields and its prices, on one axis of time."""

    row_in = 1.6
    _PANELS = 3

    def __init__(self, view: "View") -> None:
        super().__init__(view)
        self.rows = self._PANELS * len(view.boards())

    def draw(self, figure: "SubFigure", events: Events) -> None:
        view = self.view
        grid = figure.subplots(self.rows, 1, squeeze=False, sharex=True)
        panels = iter(grid[:, 0])
        for city in view.boards():
            senses, yields, prices = next(panels), next(panels), next(panels)
            for name, (times_s, levels) in view.sensors(city).items():
                colour = "#c9941a" if name == "light" else view.colours[city]
                times = view.at(times_s)
                senses.fill_between(times, levels, color=colour, alpha=0.2, linewidth=0, step="post")
                senses.plot(times, levels, color=colour, linewidth=1.5, drawstyle="steps-post", label=name)
            senses.set_title(f"{city}: readings of its sensors")
            senses.set_ylabel("share of their range")
            senses.set_ylim(0, 1.05)
            senses.yaxis.set_major_formatter(lambda level, _: f"{level:.0%}")
            series = {good: view.prices(city, good) for good in view.goods}
            moved = {good: drawn for good, drawn in series.items() if max(drawn.yields) - min(drawn.yields) > 0.01}
            for good, drawn in (moved or series).items():
                colour, times = view.good_colours[good], view.at(drawn.time_s)
                yields.plot(times, drawn.yields, color=colour, linewidth=1.5, drawstyle="steps-post", label=good)
                self._draw_band(prices, drawn, colour)
            yields.set_title("yield: units from one act of making")
            yields.set_ylabel("units an act")
            prices.set_title(f"price of {', '.join(moved or series)}")
            prices.set_ylabel("price, coins")
            for axes in (yields, prices):
                axes.set_ylim(bottom=0)
            for axes in (senses, yields, prices):
                self._mark_events(axes, events)
                self._draw_time(axes, axes is prices)
            for axes in (senses, yields):
                axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))


_SECTIONS = {"prices": _Prices, "merchants": _Merchants, "leisure": _Leisure, "board": _Board}


def _list_events(view: "View", figure: "SubFigure", events: Events) -> None:
    """Draw the numbered events, one in a line."""
    unit, seconds = _unit(view.duration_s)
    for index, (at, text) in enumerate(events):
        when = f"tick {at:,.0f}" if view.axis == "ticks" else f"{at / seconds:.3g} {unit}"
        text = f"{index + 1}   {when}: {text}"
        text = text if len(text) <= _EVENT_CHARACTERS_MAX else text[: _EVENT_CHARACTERS_MAX - 1] + "…"
        height = 1 - (index + 0.5) / len(events)
        figure.text(0.02, height, text, fontsize=8, color="#3a4150", va="center")


def _smoothed(*columns: Sequence[float], points: int = 120) -> list[list[float]]:
    """Return columns of equal length as means of neighbours, so that about `points` values are left in each."""
    size = -(-len(columns[0]) // points)
    return [[fmean(column[at : at + size]) for at in range(0, len(column), size)] for column in columns]


def _unit(duration_s: float) -> tuple[str, int]:
    """Return (name, seconds) of the unit for an axis of this length."""
    if duration_s < 300:
        return "s", 1
    return ("min", 60) if duration_s < 4 * 3600 else ("h", 3600)


def _locator(seconds: int) -> "Locator":
    """Return a locator of marks at round numbers of a unit of this many seconds."""
    from matplotlib.ticker import MaxNLocator

    class RoundLocator(MaxNLocator):
        def tick_values(self, vmin: float, vmax: float) -> Any:
            values: Any = super().tick_values(vmin / seconds, vmax / seconds)
            return values * seconds

    return RoundLocator(nbins=7, steps=[1, 2, 2.5, 5, 10])
