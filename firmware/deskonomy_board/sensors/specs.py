"""The table of sensor kinds and light kinds: everything that is known of a kind besides its driver.

Here: each kind's pins, other settings, readings and usual levels, and how a simulated board provides it. Not here: how
a kind is read (drivers/), the settings that every sensor takes (config.py), the pins of a board
(boards/NAME/board.json).

A new kind is a row here, a module of the same name in drivers/, and a test. Rows are plain tuples of constants, because
a board loads this table only to check config.json, and such rows leave nothing in memory once main.py has unloaded it.
The host names the columns (boards/spec/sensors.py).
"""

from deskonomy.compat import TYPE_CHECKING, const

if TYPE_CHECKING:
    from typing import Any

PIN_MAX = const(48)  # the highest number of a pin of any supported chip, an ESP32-S3

# The columns of a row of SENSORS and LIGHTS:
KIND = const(0)
# (setting, capability) of each setting that is a pin. A capability is a list of pins in a board.json: adc, touch, in
# (digital input) or out (digital input and output).
PINS = const(1)
# The names of its other settings, from OPTION_RULES; config.json may leave them out.
OPTIONS = const(2)
# What it reads, a tuple of quantities. Where there are several, the setting `reads` names one; the first is usual.
QUANTITIES = const(3)
# Sensors of the same bus may share a pin, if it is the same setting of both; "" allows no sharing.
BUS = const(4)
# The modules of boards/SIMULATED/stand_ins that a simulated board loads for it.
STAND_INS = const(5)
# Where a simulated board puts a reading: on the "pin", or in the signal strength, "rssi"; "" where it cannot.
SIMULATED_BY = const(6)

# The columns of a quantity, whose readings are integers:
#   its name;
#   the lowest and the highest reading that the sensor can deliver; None where the user's `low` and `high` decide;
#   the usual `low` and `high`, the readings of level 0 and level 1 (a board.json has those of its touch pins);
#   the least difference between both that calibration accepts, above the noise of a reading; 0: nothing to calibrate;
#   how a user produces both readings; where there is nothing to calibrate: what it reads.
_LIGHT = const("cover it, then give it light")
_WARMTH = const("cool it, then warm it with your hand")
_DAMP = const("leave it alone, then breathe on it")

SENSORS: "tuple[tuple[Any, ...], ...]" = (
    (
        "adc",
        (("pin", "adc"),),
        (),
        (("voltage", 0, 4095, 200, 3900, 185, "cover it, then give it light (or let it be dry, then wet)"),),
        "",
        (),
        "pin",
    ),
    (
        "bh1750",
        (("scl", "out"), ("sda", "out")),
        ("address",),
        (("light", 0, 54_613, 0, 1000, 10, _LIGHT),),
        "I2C",
        ("i2c",),
        "",
    ),
    (
        "bme280",
        (("scl", "out"), ("sda", "out")),
        ("address",),
        (
            ("temperature", -4000, 8500, 1500, 3000, 75, _WARMTH),
            ("humidity", 0, 10_000, 3000, 7000, 200, _DAMP),
            ("pressure", 30_000, 110_000, 98_000, 103_000, 20, "carry it downstairs, then up two floors"),
        ),
        "I2C",
        ("i2c",),
        "",
    ),
    (
        "button",
        (("pin", "in"),),
        ("pull",),
        (("presses", None, None, 0, 3, 0, "how often it was pressed"),),
        "",
        ("inputs",),
        "",
    ),
    (
        "dht11",
        (("pin", "out"),),
        (),
        (
            ("temperature", -2000, 6000, 1500, 3000, 75, _WARMTH),
            ("humidity", 500, 9500, 3000, 7000, 200, _DAMP),
        ),
        "DHT11",
        ("dht",),
        "",
    ),
    (
        "dht22",
        (("pin", "out"),),
        (),
        (
            ("temperature", -4000, 8000, 1500, 3000, 75, _WARMTH),
            ("humidity", 0, 10_000, 3000, 7000, 200, _DAMP),
        ),
        "DHT22",
        ("dht",),
        "",
    ),
    (
        "digital",
        (("pin", "in"),),
        ("pull",),
        (("state", 0, 1, 0, 1, 0, "0 or 1"),),
        "",
        ("inputs",),
        "pin",
    ),
    (
        "ds18b20",
        (("pin", "out"),),
        ("rom",),
        (("temperature", -5500, 12_500, 1500, 3000, 75, _WARMTH),),
        "1-Wire",
        ("onewire", "ds18x20"),
        "",
    ),
    (
        "mcu",
        (),
        (),
        # An S3 or C3 has the widest range of all chips.
        (("chip temperature", -4000, 12_500, 3000, 7000, 100, "let the board rest, then warm it"),),
        "",
        ("esp32",),
        "",
    ),
    (
        "rssi",
        (),
        (),
        (("signal", -100, -1, -90, -40, 3, "carry the board away from the Wi-Fi, then near to it"),),
        "",
        (),
        "rssi",
    ),
    (
        "touch",
        (("pin", "touch"),),
        (),
        # 22 bits on an ESP32-S3, the widest range of all chips; all of them set is a pad that never charges.
        (("touch", 1, 4_194_302, 600, 200, 20, "leave it alone, then touch it"),),
        "",
        ("touch_pad",),
        "pin",
    ),
)

# The settings of a driver of the owner, a kind "drivers/NAME", that are pins; it takes any other settings besides.
OWN_PINS = ("pin", "scl", "sda")

# The kinds of a board's own light, its indicator.
LIGHTS: "tuple[tuple[Any, ...], ...]" = (
    ("led", (("pin", "out"),), (), (), "", (), ""),
    ("neopixel", (("pin", "out"),), (), (), "", ("neopixel",), ""),
)

# The rules of optional settings: (name, limits, what config.json must contain). Limits are the lowest and the highest
# whole number, the texts to choose from, or the number of hex digits.
OPTION_RULES: "tuple[tuple[Any, ...], ...]" = (
    ("address", (8, 119), "an I2C address, 8 to 119"),
    ("pull", ("up", "down"), '"up" or "down"'),
    ("rom", 16, "the 16 hex digits of a DS18B20"),
)
