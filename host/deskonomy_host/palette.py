"""Colours: one for each city and one for each good, the same in pictures and on the dashboard's page.

Here: the colours in pictures of the names that terminals know; dashboard/page/colours.js has the same. Not here: which
name a city has (world/plan.py, world files).
"""

from collections.abc import Iterable, Mapping

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
_GOLDEN_ANGLE = 137.508  # degrees between the hues of two neighbours, so that they differ for any number of colours


def assign_city_colours(names: Mapping[str, str]) -> dict[str, str]:
    """Return {city: "#rrggbb"}, all different for as long as there are unused colours.

    Args:
        names: {city: colour as a world file names it}.
    """
    assigned: dict[str, str] = {}
    free = [colour for colour in NAMED.values() if colour not in map(_to_hex, names.values())]
    for index, (city, name) in enumerate(names.items()):
        colour = _to_hex(name)
        if colour in assigned.values():
            colour = free.pop(0) if free else _make_colour(index)
        assigned[city] = colour
    return assigned


def assign_good_colours(names: Iterable[str]) -> dict[str, str]:
    """Return {good: "#rrggbb"} of these goods."""
    return {good: GOODS.get(good) or _make_colour(index + 3) for index, good in enumerate(names)}


def _to_hex(name: str) -> str:
    """Return a colour that a terminal knows by name as "#rrggbb"."""
    if name in NAMED:
        return NAMED[name]
    from rich.color import Color, ColorParseError

    try:
        return Color.parse(name).get_truecolor().hex
    except ColorParseError:
        return NAMED["white"]


def _make_colour(index: int) -> str:
    """Return a colour outside the tables, different from its neighbours'."""
    from colorsys import hls_to_rgb

    hue = (index * _GOLDEN_ANGLE + 20) % 360 / 360
    red, green, blue = hls_to_rgb(hue, 0.46 if index % 2 else 0.56, 0.48)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
