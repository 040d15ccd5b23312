"""What is usual of each kind of sensor: its readings, and what a config.json says of it if nobody says otherwise.

Not here: what a sensor may be (firmware/board/config.py), how it is typed (board_settings.py).
"""

from deskonomy.economy.goods import GOODS

# What each kind reads where there is little of it and where there is much, the least difference that tells more than
# noise, and how to show it both.
_TYPICAL = {
    "adc": (200, 3900, 185, "cover it, then give it light (or let it be dry, then wet)"),
    "bh1750": (0, 1000, 10, "cover it, then give it light"),
    "button": (0, 3, 1, ""),
    "digital": (0, 1, 1, ""),
    "mcu": (3000, 7000, 100, "let the board rest, then warm it"),
    "rssi": (-90, -40, 3, "carry the board away from the Wi-Fi, then near to it"),
    "touch": (600, 200, 20, "leave it alone, then touch it"),
    "temperature": (1500, 3000, 75, "cool it, then warm it with your hand"),
    "humidity": (3000, 7000, 200, "leave it alone, then breathe on it"),
    "pressure": (98_000, 103_000, 20, "carry it downstairs, then up two floors"),
}
_SEVERAL = ("bme280", "dht11", "dht22")  # kinds that have to be told what they shall read


def typical(sensor, board=None):
    """(low, high, least difference, how to show it both) of a sensor as config.json describes it, on such a board."""
    what = "temperature" if sensor.get("kind") == "ds18b20" else sensor.get("reads", sensor.get("kind"))
    low, high, least, how = _TYPICAL.get(str(what), (0, 1, 1, ""))
    if what == "touch" and board and board.touch:
        low, high = board.touch
        least = abs(high - low) // 20
    return low, high, least, how


def filled(sensor, board=None):
    """A sensor that leaves things out, with what is typical of its kind, on such a board."""
    usual = {"good": GOODS[0].name}
    if sensor.get("kind") in _SEVERAL:
        usual["reads"] = "temperature"
    if "yield" not in sensor and "recipe" not in sensor:
        usual["yield"] = [0.0, 2.0]
    low, high, *_ = typical({**usual, **sensor}, board)
    usual |= {"name": sensor.get("kind"), "low": low, "high": high}
    return {**sensor, **{key: value for key, value in usual.items() if key not in sensor}}
