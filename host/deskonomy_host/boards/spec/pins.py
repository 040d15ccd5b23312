"""Pins: what a sensor or a light may be at on a board, and who may share one.

Here: that, in words. Not here: which pins there are (boards/NAME/board.json), the other rules of a config.json
(firmware/board/config.py).
"""

# Settings that are pins, and what a pin has to be able to do for each kind: one of the lists in board.json.
_NEEDS = {
    "adc": {"pin": "adc"},
    "bh1750": {"scl": "out", "sda": "out"},
    "bme280": {"scl": "out", "sda": "out"},
    "button": {"pin": "in"},
    "dht11": {"pin": "out"},
    "dht22": {"pin": "out"},
    "digital": {"pin": "in"},
    "ds18b20": {"pin": "out"},
    "led": {"pin": "out"},
    "neopixel": {"pin": "out"},
    "touch": {"pin": "touch"},
}
# What may be at one pin together: sensors that have the same of these.
_BUSES = {"dht11": "dht11", "dht22": "dht22", "ds18b20": "1-wire", "bh1750": "I2C", "bme280": "I2C"}


def why_not(one, board):
    """Why a sensor or an indicator, as a config.json describes it, cannot be on such a board; None if it can."""
    for setting, need in _NEEDS.get(one["kind"], {}).items():
        pins = board.pins.get(need)
        if pins is not None and one[setting] not in pins:
            if not pins:
                return "%s needs a pin that %s does not have" % (_called(one), board.name)
            where = "one of the pins %s of %s" % (_spans(pins), board.name)
            return "%s goes to %s, not to %s" % (_called(one), where, one[setting])
    return None


def clash(config):
    """Which two of a config.json are at one pin and cannot share it, in words; None if all are apart."""
    at = {}
    for one in [*config.get("sensors", []), *filter(None, [config.get("indicator")])]:
        for setting in _NEEDS.get(one["kind"], {}):
            use = (_BUSES.get(one["kind"]), setting)
            other, theirs = at.setdefault(one[setting], (one, use))
            if other is one and use != theirs:
                return "%s needs a pin for each wire, not %s for both" % (_called(one), one[setting])
            if other is not one and (use[0] is None or use != theirs):
                return "%s and %s are both at pin %s: give one of them another" % (
                    *(_called(other), _called(one)),
                    one[setting],
                )
    return None


def _called(one):
    return "the %s sensor %s" % (one["kind"], one["name"]) if "name" in one else "the board's own light (--indicator)"


def _spans(pins):
    """ "0, 2, 4 to 7" of [0, 2, 4, 5, 6, 7]."""
    spans = []
    for pin in sorted(pins):
        if spans and pin == spans[-1][1] + 1:
            spans[-1][1] = pin
        else:
            spans.append([pin, pin])
    return ", ".join("%d" % low if low == high else "%d to %d" % (low, high) for low, high in spans)
