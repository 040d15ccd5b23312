"""DS18B20: hundredths of a degree Celsius, rounded down. Several may share a wire; the setting `rom` selects one."""

from binascii import hexlify, unhexlify

from deskonomy.compat import TYPE_CHECKING
from ds18x20 import DS18X20
from machine import Pin
from micropython import const
from onewire import OneWire, OneWireError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FAMILIES = (0x28, 0x22)  # the first byte of its ROMs, and of the DS1822's; a DS18S20 has another format
_CONVERT = const(0x44)
_CONVERSION_SAMPLES = const(8)  # a conversion takes 750 ms at most
_POWER_ON = const(0x0550)  # 85 degrees, the value before the first conversion,
_POWER_ON_6 = const(0x0C)  # together with this byte 6; after a conversion to 85 degrees that is 0x10
_LOWEST = const(-55 * 16)
_HIGHEST = const(125 * 16)


def read_sensor(settings: dict) -> "Iterator[int | None]":
    """Yield readings, None during a conversion. Raises OSError where no single sensor answers as a DS18B20."""
    wire = OneWire(Pin(settings["pin"]))
    bus = DS18X20(wire)
    roms = [rom for rom in bus.scan() if rom[0] in _FAMILIES]
    wanted = settings.get("rom")
    if wanted:
        roms = [rom for rom in roms if rom == unhexlify(wanted)]
    if not roms:
        raise OSError("no %s on this wire" % (wanted or "DS18B20"))
    if len(roms) > 1:
        raise OSError('"rom" has to be %s' % " or ".join([hexlify(rom).decode() for rom in roms]))
    while True:
        if not wire.reset():
            raise OSError("no answer")
        wire.select_rom(roms[0])  # only this one, because others on the wire may be converting
        wire.writebyte(_CONVERT)
        for _ in range(_CONVERSION_SAMPLES):
            yield None
        try:
            data = bus.read_scratch(roms[0])
        except OneWireError:
            raise OSError("no answer") from None
        if data[4] & 31 != 31:  # a shorted wire reads as zeros, which have a correct checksum
            raise OSError("its answer is no DS18B20's: is the wire shorted?")
        sixteenths = data[1] << 8 | data[0]
        if sixteenths == _POWER_ON and data[6] == _POWER_ON_6:
            raise OSError("it lost its power while it measured")
        if sixteenths & 32768:
            sixteenths -= 65536
        if not _LOWEST <= sixteenths <= _HIGHEST:
            raise OSError("impossible answer " + data.hex())
        yield sixteenths * 25 // 4
