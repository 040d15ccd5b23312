"""How the pictures of a history look: prices, merchants by good, leisure against wealth, a board's cause and effect.

Here: drawing with matplotlib. Not here: what is drawn (plot.View), files (plot.py).
"""

from statistics import fmean
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

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
_TOLD_MAX = 170  # characters that fit on a line below


def draw(view, pictures, title=None):
    """A Figure with these pictures of a plot.View, one below the other; to be drawn and saved in this STYLE."""
    events = view.events("board" in pictures)
    sections = [_SECTIONS[name](view) for name in pictures]
    heights_in = [section.rows * section.row_in + 0.45 for section in sections]
    told_in = 0.18 * len(events) + 0.1 if events else 0
    head_in = 0.35 if title else 0
    size_in = _WIDTH_IN, sum(heights_in) + told_in + head_in
    figure = Figure(figsize=size_in, layout="constrained", facecolor="white")
    ratios = [*heights_in, max(0.01, told_in)]
    parts = figure.subfigures(len(ratios), 1, height_ratios=ratios, squeeze=False)[:, 0]
    for section, part in zip(sections, parts, strict=False):
        section.draw(part, events)
    _tell(view, parts[-1], events)
    if title:
        figure.suptitle(title, fontweight="bold", fontsize=12, x=0.01, ha="left")
    return figure


class _Section:
    """Some rows of a picture. rows: how many, each row_in inches high."""

    rows = 1
    row_in = 2.3

    def __init__(self, view):
        self.view = view

    def draw(self, figure, events):
        """Draw into a SubFigure."""
        raise NotImplementedError

    def _time(self, axes, label=True):
        """The axis below."""
        if self.view.axis == "ticks":
            axes.set_xlabel("ticks" if label else "")
            return
        unit, seconds = _unit(self.view.duration_s)
        axes.xaxis.set_major_locator(_locator(seconds))
        axes.xaxis.set_major_formatter(lambda at, _: f"{at / seconds:g}")
        axes.set_xlabel(f"time, {unit}" if label else "")

    def _mark(self, axes, events):
        for number, (at, _) in enumerate(events, 1):
            axes.axvline(at, color=_MARK, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
            place = axes.get_xaxis_transform()
            axes.text(at, 0.99, f" {number}", color=_MARK, fontsize=7, va="top", transform=place)

    def _band(self, axes, prices, colour):
        """Lowest to highest as a band, the mean as a line. Returns the highest mean."""
        times = self.view.at(prices.time_s)
        axes.fill_between(times, prices.low, prices.high, color=colour, alpha=0.16, linewidth=0)
        axes.plot(times, prices.mean, color=colour, linewidth=1.5)


class _Prices(_Section):
    """A panel a good: each city's band of expected prices, and their mean."""

    def __init__(self, view):
        super().__init__(view)
        self._columns = min(2, len(view.priced))
        self.row_in = 2.3 if self._columns > 1 else 3.2
        self.rows = -(-len(view.priced) // 2)

    def draw(self, figure, events):
        goods = self.view.priced
        grid = figure.subplots(self.rows, self._columns, squeeze=False, sharex=True)
        panels = list(grid.flat)
        for axes in panels[len(goods) :]:
            axes.axis("off")
        for good, axes in zip(goods, panels, strict=False):
            for city in self.view.cities:
                self._band(axes, self.view.prices(city, good), self.view.colours[city])
            axes.set_title(good)
            axes.set_ylabel("price, coins")
            axes.set_ylim(bottom=0)
            self._mark(axes, events)
            self._time(axes, axes in panels[len(goods) - self._columns :])
        cities = [Line2D([], [], color=colour, linewidth=2.5, label=city) for city, colour in self.view.colours.items()]
        band = Patch(color=_MARK, alpha=0.25, label="lowest to highest that locals expect; line: mean")
        figure.legend(handles=[*cities, band], loc="outside upper left", ncols=min(6, len(cities) + 1), fontsize=8)


class _Merchants(_Section):
    """A panel a city: how many merchants are there, by what they buy and sell."""

    _COLUMNS = 4

    def __init__(self, view):
        super().__init__(view)
        self.rows = -(-len(view.cities) // self._COLUMNS)

    def draw(self, figure, events):
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
            self._mark(axes, events)
            self._time(axes, index >= len(view.cities) - columns)
        handles = [Patch(color=colour, alpha=0.85, label=good) for good, colour in view.good_colours.items()]
        figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), fontsize=8, title_fontsize=8)


class _Leisure(_Section):
    """Everybody as a dot: what they own in coins, how long they have rested."""

    def draw(self, figure, events):
        axes = figure.subplots()
        for city in self.view.cities:
            people = self.view.people(city)
            wealth, leisure = zip(*people, strict=True) if people else ((), ())
            axes.scatter(wealth, leisure, s=16, color=self.view.colours[city], alpha=0.75, linewidth=0, label=city)
        axes.set_title("leisure against wealth, a dot a local")
        axes.set_xlabel("wealth, coins (mean of the last third of the time)")
        axes.set_ylabel("acts of rest in a row")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))


class _Board(_Section):
    """What a board senses, what that does to its yields, and what those do to prices there, on one axis of time."""

    row_in = 1.6
    _PANELS = 3

    def __init__(self, view):
        super().__init__(view)
        self.rows = self._PANELS * len(view.boards())

    def draw(self, figure, events):
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
            senses.set_title(f"{city}: what its sensors read")
            senses.set_ylabel("of their range")
            senses.set_ylim(0, 1.05)
            senses.yaxis.set_major_formatter(lambda level, _: f"{level:.0%}")
            series = {good: view.prices(city, good) for good in view.goods}
            moved = {good: found for good, found in series.items() if max(found.yields) - min(found.yields) > 0.01}
            for good, found in (moved or series).items():
                colour, times = view.good_colours[good], view.at(found.time_s)
                yields.plot(times, found.yields, color=colour, linewidth=1.5, drawstyle="steps-post", label=good)
                self._band(prices, found, colour)
            yields.set_title("yield: units that one act of making gives")
            yields.set_ylabel("units an act")
            prices.set_title(f"price of {', '.join(moved or series)}")
            prices.set_ylabel("price, coins")
            for axes in (yields, prices):
                axes.set_ylim(bottom=0)
            for axes in (senses, yields, prices):
                self._mark(axes, events)
                self._time(axes, axes is prices)
            for axes in (senses, yields):
                axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))


_SECTIONS = {"prices": _Prices, "merchants": _Merchants, "leisure": _Leisure, "board": _Board}


def _tell(view, figure, events):
    """What happened, by number, a line each."""
    unit, seconds = _unit(view.duration_s)
    for index, (at, text) in enumerate(events):
        when = f"tick {at:,.0f}" if view.axis == "ticks" else f"{at / seconds:.3g} {unit}"
        text = f"{index + 1}   {when}: {text}"
        text = text if len(text) <= _TOLD_MAX else text[: _TOLD_MAX - 1] + "…"
        height = 1 - (index + 0.5) / len(events)
        figure.text(0.02, height, text, fontsize=8, color="#3a4150", va="center")


def _smoothed(*columns, points=120):
    """Columns of the same length as means of so many neighbours that about this many points are left."""
    size = -(-len(columns[0]) // points)
    return [[fmean(column[at : at + size]) for at in range(0, len(column), size)] for column in columns]


def _unit(duration_s):
    """(what to call it, seconds in it) for an axis of time that is so long."""
    if duration_s < 300:
        return "s", 1
    return ("min", 60) if duration_s < 4 * 3600 else ("h", 3600)


def _locator(seconds):
    """Marks at round numbers of a unit of so many seconds."""
    from matplotlib.ticker import MaxNLocator

    class Round(MaxNLocator):
        def tick_values(self, vmin, vmax):
            return super().tick_values(vmin / seconds, vmax / seconds) * seconds

    return Round(nbins=7, steps=[1, 2, 2.5, 5, 10])
