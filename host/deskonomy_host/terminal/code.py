"""The QR code of an address, for the camera of a phone.

Here: text in, lines of half blocks out. Not here: when and where a code is shown (display.py).
"""

from rich.text import Text

_MARGIN = 2  # modules; the standard asks for 4, and cameras do with 2
_STYLE = "black on white"  # whatever the terminal's own colours are: cameras want dark modules on light ground
_HALVES = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}  # by the upper and the lower module


def draw_code(text: str) -> list[Text]:
    """Return the QR code of a text, two modules a line: an address of 60 letters takes 37 columns and 19 lines."""
    import segno  # few runs show a code

    rows = [list(row) for row in segno.make_qr(text, error="l").matrix_iter(border=_MARGIN)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    return [
        Text("".join(_HALVES[bool(upper), bool(lower)] for upper, lower in zip(*pair, strict=True)), style=_STYLE)
        for pair in zip(rows[::2], rows[1::2], strict=True)
    ]
