"""BH1750 over I2C: light in lux, up to 54612.

Each reading begins with a command, so a BH1750 that was without power for a while comes back by itself.
"""

from machine import Pin, SoftI2C

_ONCE = b"\x20"  # one measurement in high resolution mode; 180 ms at most


def readings(settings):
    bus = SoftI2C(scl=Pin(settings["scl"]), sda=Pin(settings["sda"]), freq=100_000, timeout=1000)
    address = settings.get("address", 0x23)
    while True:
        bus.writeto(address, _ONCE)
        yield None
        yield None
        high, low = bus.readfrom(address, 2)
        yield ((high << 8 | low) * 5 + 3) // 6  # 1.2 counts a lux
