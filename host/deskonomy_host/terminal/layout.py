"""The layout of cities in a terminal: statuses in, lines of text out, for any width and height.

Here: one frame of the live view, and plain lines. Not here: when they are drawn (display.py).
"""

import textwrap
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

Status = Mapping[str, Any]
WINDOW_S = 120  # the length of a trend
CITY_COLUMNS_MIN = 76  # a city in full does not fit into fewer columns
_BARS = "▁▂▃▄▅▆▇█"
_DIM = "bright_black"


class Trends:
    """Each city's mean prices over the last two minutes, one sample a second."""

    def __init__(self) -> None:
        self._samples: dict[tuple[str, str], deque[float]] = {}  # by (city, good)
        self._count: dict[tuple[str, str], int] = {}  # by (city, good): all samples that were ever taken

    def sample(self, statuses: Sequence[Status]) -> None:
        """Add a sample of these statuses. Call it once a second."""
        for status in statuses:
            for good, price in status["price"].items():
                key = status["city"], good
                self._samples.setdefault(key, deque(maxlen=WINDOW_S)).append(price["mean"])
                self._count[key] = self._count.get(key, 0) + 1

    def spark(self, city: str, good: str, width: int) -> str:
        """Return the trend of a good's price as bars, in at most `width` characters."""
        samples = self._samples.get((city, good), ())
        first = self._count.get((city, good), 0) - len(samples)
        size = 1
        while len(samples) > size * width:
            size *= 2
        # Numbered from the first sample ever taken, so that the samples of a bar, and its height, do not change.
        buckets: dict[int, list[float]] = {}
        for index, price in enumerate(samples, first):
            buckets.setdefault(index // size, []).append(price)
        means = [sum(prices) / len(prices) for prices in buckets.values()][-width:]
        if not means:
            return ""
        low, high = min(means), max(means)
        span = max(high - low, 0.04 * high, 0.001)  # a smaller change is drawn as a flat line
        bottom = (low + high - span) / 2
        return "".join(_BARS[min(7, int(8 * (mean - bottom) / span))] for mean in means)

    def direction(self, city: str, good: str) -> int:
        """Return 1 or -1 if the price rose or fell by more than 1 % in the last ten seconds, else 0."""
        samples = self._samples.get((city, good), ())
        if not samples:
            return 0
        before, now = samples[-min(11, len(samples))], samples[-1]
        return (now > before * 1.01) - (now < before * 0.99)


def frame(
    statuses: Sequence[Status],
    colours: Mapping[str, str],
    trends: Trends,
    width: int,
    height: int,
    notes: Sequence[str] = (),
    hint: str = "",
    code: Sequence[Text] = (),
) -> list[Text]:
    """Return a frame: at most `height` lines, none wider than `width` columns.

    Args:
        statuses: the statuses of the cities, in their order.
        colours: {city: colour}.
        trends: the trends of the prices.
        width: columns of the terminal.
        height: lines of the terminal.
        notes: lines about events, the latest last.
        hint: the last line, or several where it is too long for one.
        code: lines above it, which take the place of the cities if there is not enough of it; left out if they do not
            fit.
    """
    head = [_cut(_headline(statuses), width)]
    foot = [_cut(Text(" " + line, style=_DIM), width) for line in _wrap(hint, width - 1, max(1, height // 2))]
    free = height - len(foot)
    if code and len(code) <= free and code[0].cell_len <= width:
        if len(head) + len(statuses) > free - len(code):
            return [*code, *foot]
        foot = [*code, *foot]
    note_lines = [_cut(Text(" " + note), width) for note in notes]
    note_lines_min = min(1, len(note_lines))
    free = height - len(head) - len(foot)
    body = _blocks(statuses, colours, trends, width, free, note_lines_min)
    if body is None:
        body = _rows(statuses, colours, trends, width, free - note_lines_min)
    free -= len(body)
    if free > note_lines_min + 1:
        body = [Text(), *body, Text()]
        free -= 2
    return head + body + note_lines[len(note_lines) - min(free, len(note_lines)) :] + foot


def _wrap(text: str, width: int, lines_max: int) -> list[str]:
    """Return a text in lines of this width; an address that is longer is broken, not cut."""
    return textwrap.wrap(text, max(1, width), break_on_hyphens=False)[:lines_max]


def _headline(statuses: Sequence[Status]) -> Text:
    locals_ = sum(status["locals"] for status in statuses)
    merchants = sum(sum(status["merchants"].values()) for status in statuses)
    speed = max((status.get("ticks_per_s", 0) for status in statuses), default=0)
    text = Text(" deskonomy", style="bold")
    cities = "1 city" if len(statuses) == 1 else f"{len(statuses)} cities"
    for part in (cities, f"{locals_:,} locals", f"{merchants:,} merchants", f"{speed:,.0f} ticks a second"):
        text.append("  ·  ", style=_DIM)
        text.append(part, style="not bold")
    return text


def _blocks(
    statuses: Sequence[Status], colours: Mapping[str, str], trends: Trends, width: int, height: int, spare: int
) -> list[Text] | None:
    """Return all cities in full, in as few columns as fit; None if they do not fit.

    Blank lines separate them if `spare` lines stay free.
    """
    for columns in range(1, width // CITY_COLUMNS_MIN + 1):
        inner = (width - 2 * (columns - 1)) // columns
        blocks = [_block(status, colours, trends, inner) for status in statuses]
        rows = [blocks[start : start + columns] for start in range(0, len(blocks), columns)]
        tall = sum(max(map(len, row)) for row in rows)
        if tall > height:
            continue
        apart = tall + len(rows) - 1 + spare <= height
        lines = []
        for row in rows:
            lines += ([Text()] if lines and apart else []) + _beside(row, inner)
        return lines
    return None


def _beside(blocks: Sequence[Sequence[Text]], width: int) -> list[Text]:
    lines = []
    for index in range(max(map(len, blocks))):
        line = Text()
        for column, block in enumerate(blocks):
            part = block[index].copy() if index < len(block) else Text()
            part.truncate(width, pad=column + 1 < len(blocks))
            line = line.append("  ").append_text(part) if column else part
        lines.append(line)
    return lines


def _block(status: Status, colours: Mapping[str, str], trends: Trends, width: int) -> list[Text]:
    """Return one city in full: its goods, its sensors, its roads."""
    city, colour = status["city"], colours.get(status["city"], "white")
    trend_width = width - 64
    name = Text("▌", style=colour).append(_shorten(city, 13), style=f"bold {colour}")
    name.truncate(15, pad=True)
    heads = f"{'low':>3}{'mean':>8}{'high':>8}   {'trend':<{trend_width}}  {'stock':>6}  {'merchants':<11}{'yield':>6}"
    lines = [_cut(name.append(heads, style=_DIM), width)]
    for good, price in status["price"].items():
        line = Text("▌", style=colour).append(f" {_shorten(good, 8):<8}", style="default")
        line.append(f"{_price(price['min']):>8}", style=_DIM).append(
            f"{_price(price['mean']):>8}", style="bold default"
        )
        direction = trends.direction(city, good)
        line.append(" ▲▼"[direction], style="green" if direction > 0 else "red")
        line.append(f"{_price(price['max']):>7}", style=_DIM).append("   ")
        line.append(f"{trends.spark(city, good, trend_width):<{trend_width}}  ", style=colour)
        line.append(f"{_price(status['owned'][good], 1):>6}  ", style="default")
        line.append_text(_dots(status["merchants"].get(good, 0), colour))
        gives = status["yield"][good]
        line.append(f"{'×' + _price(gives):>6}", style=_DIM if gives == 1 else "bold yellow")
        lines.append(_cut(line, width))
    for name, sensor in status.get("sensors", {}).items():
        lines.append(_cut(_sensor(name, sensor, colour), width))
    return lines + _roads(status["roads"], colour, width)


def _sensor(name: str, sensor: Mapping[str, Any], colour: str) -> Text:
    line = Text("▌", style=colour).append(f" {_shorten(name, 8):<8}  ", style="default")
    if "level" not in sensor:
        return line.append(sensor.get("error", "no reading yet"), style="bold red" if "error" in sensor else _DIM)
    level = sensor["level"]
    filled = round(20 * min(1, max(0, level)))
    line.append("█" * filled, style="yellow").append("░" * (20 - filled), style=_DIM)
    return line.append(f" {level:4.0%}", style="bold yellow").append(f"   reads {sensor['raw']}", style=_DIM)


def _roads(roads: Mapping[str, Mapping[str, Any]], colour: str, width: int) -> list[Text]:
    """Return the roads, as many in a line as fit."""
    lines: list[Text] = []
    for name, road in sorted(roads.items()):
        up = road["state"] == "up"
        part = Text("⇄ " if up else "✕ ", style="green" if up else "red").append(name, style="default")
        part.append(f" {road['kind']}" + ("" if up else f", {road['state']}"), style=_DIM if up else "red")
        part.append(f" →{road['sent']:,} ←{road['received']:,}", style="default")
        for count, label in ((road["waiting"], "waiting"), (road["lost"], "lost")):
            if count:
                part.append(f" {count:,} {label}", style="yellow")
        if lines and lines[-1].cell_len + 3 + part.cell_len <= width:
            lines[-1].append("   ").append_text(part)
        else:
            lines.append(
                Text("▌", style=colour).append(f" {'roads' if not lines else '':<8}  ", style=_DIM).append_text(part)
            )
    return [_cut(line, width) for line in lines]


def _dots(count: int, colour: str) -> Text:
    """Return a number of merchants with as many dots, up to eight."""
    dots_max = 8
    text = Text(f"{count:>2} ", style="default" if count else _DIM)
    text.append("•" * min(count, dots_max), style=colour)
    text.truncate(11, pad=True)
    return text


def _rows(
    statuses: Sequence[Status], colours: Mapping[str, str], trends: Trends, width: int, height: int
) -> list[Text]:
    """Return one line for each city, for worlds that do not fit in full."""
    name_width = max((len(_shorten(status["city"], 14)) for status in statuses), default=0)
    lines = []
    for status in statuses[: height if len(statuses) <= height else max(0, height - 1)]:
        city = status["city"]
        colour = colours.get(city, "white")
        line = Text("▌", style=colour).append(f"{_shorten(city, 14):<{name_width}}", style=f"bold {colour}")
        for good, price in status["price"].items():
            direction = trends.direction(city, good)
            line.append(f" {_shorten(good, 6)} ", style=_DIM).append(f"{_price(price['mean'])}", style="default")
            line.append(" ▲▼"[direction], style="green" if direction > 0 else "red")
        up = sum(road["state"] == "up" for road in status["roads"].values())
        line.append(f" • {sum(status['merchants'].values())}", style=colour)
        line.append(f" ⇄ {up}", style="green" if up == len(status["roads"]) else "red")
        lines.append(_cut(line, width))
    if len(lines) < len(statuses) and height > 0:
        rest = f" and {len(statuses) - len(lines)} more cities: make the window higher"
        lines.append(_cut(Text(rest, style=_DIM), width))
    return lines


def plain_line(status: Status) -> str:
    """Return a city in one line without colours, for a log."""
    parts = []
    for good, price in status["price"].items():
        gives = status["yield"][good]
        parts.append(f"{good} {_price(price['mean'])}" + (f" (yield {gives:g})" if gives != 1 else ""))
    for name, sensor in status.get("sensors", {}).items():
        parts.append(f"{name} {sensor['level']:.0%}" if "level" in sensor else f"{name} {sensor.get('error', '?')}")
    parts.append(f"{sum(status['merchants'].values())} merchants")
    for name, road in sorted(status["roads"].items()):
        parts.append(f"{name} {road['state']} {road['sent']} out {road['received']} in")
    return f"{status['city']} tick {status['tick']}: {', '.join(parts)}"


def _price(amount: float, digits: int = 2) -> str:
    if abs(amount) < 1000:
        return f"{amount:.{digits}f}"
    return f"{amount:.0f}" if abs(amount) < 100_000 else f"{amount / 1000:.0f}k"


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _cut(text: Text, width: int) -> Text:
    text.truncate(width, overflow="ellipsis")
    return text
