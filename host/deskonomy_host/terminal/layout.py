"""How cities look in a terminal: statuses in, lines of text out, for any width and height.

Here: one frame of the live view, and the plain lines that stand in for it. Not here: when it is drawn (display.py).
"""

from collections import deque

from rich.text import Text

WINDOW_S = 120  # how far back a trend looks
NARROWEST = 76  # columns that one city takes at the least
_BARS = "▁▂▃▄▅▆▇█"
_DIM = "bright_black"


class Trends:
    """Every city's mean prices over the last two minutes, one sample a second."""

    def __init__(self):
        self._samples = {}  # (city, good): prices
        self._count = {}  # (city, good): samples ever taken

    def sample(self, statuses):
        """Keep what these statuses say; to be called once a second."""
        for status in statuses:
            for good, price in status["price"].items():
                key = status["city"], good
                self._samples.setdefault(key, deque(maxlen=WINDOW_S)).append(price["mean"])
                self._count[key] = self._count.get(key, 0) + 1

    def spark(self, city, good, width):
        """What is known of the window in at most so many characters."""
        samples = self._samples.get((city, good), ())
        first = self._count.get((city, good), 0) - len(samples)
        size = 1
        while len(samples) > size * width:
            size *= 2
        buckets = {}  # by their place in all of time, so that a column once drawn keeps its height
        for index, price in enumerate(samples, first):
            buckets.setdefault(index // size, []).append(price)
        means = [sum(prices) / len(prices) for prices in buckets.values()][-width:]
        if not means:
            return ""
        low, high = min(means), max(means)
        span = max(high - low, 0.04 * high, 0.001)  # less than that is a flat line
        bottom = (low + high - span) / 2
        return "".join(_BARS[min(7, int(8 * (mean - bottom) / span))] for mean in means)

    def direction(self, city, good):
        """1, -1 or 0: whether the price rose or fell by more than 1 % in the last ten seconds."""
        samples = self._samples.get((city, good), ())
        if not samples:
            return 0
        before, now = samples[-min(11, len(samples))], samples[-1]
        return (now > before * 1.01) - (now < before * 0.99)


def frame(statuses, colours, trends, width, height, notes=(), hint=""):
    """A list of at most `height` Texts, none wider than `width`.

    statuses: status dicts, in order. colours: {city: colour}. notes: lines about what happened, the latest last.
    hint: one line to go at the foot.
    """
    head = [_cut(_headline(statuses), width)]
    foot = [_cut(Text(" " + hint, style=_DIM), width)] if hint else []
    told = [_cut(Text(" " + note), width) for note in notes]
    room = height - len(head) - len(foot)
    body = _blocks(statuses, colours, trends, width, room, len(told[:1]))
    if body is None:
        body = _rows(statuses, colours, trends, width, room - len(told[:1]))
    room -= len(body)
    if room > len(told[:1]) + 1:
        body = [Text(), *body, Text()]
        room -= 2
    return head + body + told[len(told) - min(room, len(told)) :] + foot


def _headline(statuses):
    locals_ = sum(status["locals"] for status in statuses)
    merchants = sum(sum(status["merchants"].values()) for status in statuses)
    speed = max((status.get("ticks_per_s", 0) for status in statuses), default=0)
    text = Text(" deskonomy", style="bold")
    cities = "1 city" if len(statuses) == 1 else f"{len(statuses)} cities"
    for part in (cities, f"{locals_:,} locals", f"{merchants:,} merchants", f"{speed:,.0f} ticks a second"):
        text.append("  ·  ", style=_DIM)
        text.append(part, style="not bold")
    return text


def _blocks(statuses, colours, trends, width, height, spare):
    """All cities in full, in as few columns as fit, apart where `spare` lines stay free; None if they don't fit."""
    for columns in range(1, width // NARROWEST + 1):
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


def _beside(blocks, width):
    lines = []
    for index in range(max(map(len, blocks))):
        line = Text()
        for column, block in enumerate(blocks):
            part = block[index].copy() if index < len(block) else Text()
            part.truncate(width, pad=column + 1 < len(blocks))
            line = line.append("  ").append_text(part) if column else part
        lines.append(line)
    return lines


def _block(status, colours, trends, width):
    """One city: its goods, its sensors, its roads."""
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


def _sensor(name, sensor, colour):
    line = Text("▌", style=colour).append(f" {_shorten(name, 8):<8}  ", style="default")
    if "level" not in sensor:
        return line.append(sensor.get("error", "no reading yet"), style="bold red" if "error" in sensor else _DIM)
    level = sensor["level"]
    filled = round(20 * min(1, max(0, level)))
    line.append("█" * filled, style="yellow").append("░" * (20 - filled), style=_DIM)
    return line.append(f" {level:4.0%}", style="bold yellow").append(f"   reads {sensor['raw']}", style=_DIM)


def _roads(roads, colour, width):
    """The roads, as many a line as fit."""
    lines = []
    for name, road in sorted(roads.items()):
        up = road["state"] == "up"
        part = Text("⇄ " if up else "✕ ", style="green" if up else "red").append(name, style="default")
        part.append(f" {road['kind']}" + ("" if up else f", {road['state']}"), style=_DIM if up else "red")
        part.append(f" →{road['sent']:,} ←{road['received']:,}", style="default")
        for count, what in ((road["waiting"], "waiting"), (road["lost"], "lost")):
            if count:
                part.append(f" {count:,} {what}", style="yellow")
        if lines and lines[-1].cell_len + 3 + part.cell_len <= width:
            lines[-1].append("   ").append_text(part)
        else:
            lines.append(
                Text("▌", style=colour).append(f" {'roads' if not lines else '':<8}  ", style=_DIM).append_text(part)
            )
    return [_cut(line, width) for line in lines]


def _dots(count, colour):
    room = 8
    text = Text(f"{count:>2} ", style="default" if count else _DIM)
    text.append("•" * min(count, room), style=colour)
    text.truncate(11, pad=True)
    return text


def _rows(statuses, colours, trends, width, height):
    """A line a city, for more of them than the window has room for."""
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
        more = f" and {len(statuses) - len(lines)} more cities: make the window higher"
        lines.append(_cut(Text(more, style=_DIM), width))
    return lines


def plain(status):
    """A city in one line without colours, for a log."""
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


def _price(amount, digits=2):
    if abs(amount) < 1000:
        return f"{amount:.{digits}f}"
    return f"{amount:.0f}" if abs(amount) < 100_000 else f"{amount / 1000:.0f}k"


def _shorten(text, length):
    return text if len(text) <= length else text[: length - 1] + "…"


def _cut(text, width):
    text.truncate(width, overflow="ellipsis")
    return text
