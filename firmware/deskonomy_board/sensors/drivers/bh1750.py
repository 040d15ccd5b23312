"""BH1750 over I2C: light in lux, up to 54613.

Each reading begins with a command, so a BH1750 returns by itself after a loss of power.
"""

from deskonomy.compat import TYPE_CHECKING
from machine import Pin, SoftI2C

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEASURE_ONCE = b"\x20"  # one measurement in high resolution mode; 180 ms at most


def read_sensor(settings: dict) -> "Iterator[int | None]":
    """Yield readings in lux, None while the chip measures."""
    bus = SoftI2C(scl=Pin(settings["scl"]), sda=Pin(settings["sda"]), freq=100_000, timeout=1000)
    address = settings.get("address", 0x23)
    while True:
        bus.writeto(address, _MEASURE_ONCE)
        yield None
        yield None
        high, low = bus.readfrom(address, 2)
        yield ((high << 8 | low) * 5 + 3) // 6  # 1.2 counts per lux
