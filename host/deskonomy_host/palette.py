"""One colour a city and one a good, in pictures as on the dashboard's page.

Here: the colours that the terminal's names stand for on paper (dashboard/page/colours.js has the same). Not here: who
chose which name (world.py, world files).
"""

NAMED = {
    "green": "#2f9e63",
    "cyan": "#1c97b5",
    "yellow": "#c9941a",
    "magenta": "#b455b0",
    "red": "#d1534a",
    "blue": "#4b74d1",
    "white": "#858d99",
}
GOODS = {"wood": "#9a6a3c", "chair": "#e0813a", "thread": "#8a6fd0", "bed": "#2b9c94"}


def of_cities(names):
    """{city: "#rrggbb"}, all different as long as there are colours left. names: {city: colour as world files say}."""
    chosen = {}
    free = [colour for colour in NAMED.values() if colour not in map(_hex, names.values())]
    for index, (city, name) in enumerate(names.items()):
        colour = _hex(name)
        if colour in chosen.values():
            colour = free.pop(0) if free else _beyond(index)
        chosen[city] = colour
    return chosen


def of_goods(names):
    """{good: "#rrggbb"}."""
    return {good: GOODS.get(good) or _beyond(index + 3) for index, good in enumerate(names)}


def _hex(name):
    """A colour's name, as a terminal knows it, as "#rrggbb"."""
    if name in NAMED:
        return NAMED[name]
    from rich.color import Color, ColorParseError

    try:
        return Color.parse(name).get_truecolor().hex
    except ColorParseError:
        return NAMED["white"]


def _beyond(index):
    """A colour beyond the table: hues a golden angle apart, so that neighbours differ."""
    from colorsys import hls_to_rgb

    red, green, blue = hls_to_rgb((index * 137.508 + 20) % 360 / 360, 0.46 if index % 2 else 0.56, 0.48)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
