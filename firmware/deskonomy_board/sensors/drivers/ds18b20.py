"""DS18B20: hundredths of a degree Celsius, rounded down. One wire takes many; `rom` says which of them is meant."""

from binascii import hexlify, unhexlify

from ds18x20 import DS18X20
from machine import Pin
from micropython import const
from onewire import OneWire

_FAMILIES = (0x28, 0x22)  # of its ROMs, and of the DS1822's; the DS18S20 counts otherwise
_CONVERT = const(0x44)
_CONVERSION = const(8)  # samples; 750 ms at most
_POWER_ON = const(0x0550)  # 85 degrees, until it has measured


def readings(settings):
    wire = OneWire(Pin(settings["pin"]))
    bus = DS18X20(wire)
    found = [one for one in bus.scan() if one[0] in _FAMILIES]
    rom = settings.get("rom")
    if rom:
        found = [one for one in found if one == unhexlify(rom)]
    if not found:
        raise OSError("no %s on this wire" % (rom or "DS18B20"))
    if len(found) > 1:
        raise OSError('"rom" has to say which: %s' % " or ".join([hexlify(one).decode() for one in found]))
    while True:
        wire.reset(True)
        wire.select_rom(found[0])  # the others on the wire may be in the midst of theirs
        wire.writebyte(_CONVERT)
        for _ in range(_CONVERSION):
            yield None
        data = bus.read_scratch(found[0])
        if data[4] & 31 != 31:  # a wire that is shorted reads as zeros, whose checksum is right
            raise OSError("its answer is no DS18B20's: is the wire shorted?")
        sixteenths = data[1] << 8 | data[0]
        if sixteenths == _POWER_ON:
            raise OSError("it lost its power while it measured")
        yield (sixteenths - 65536 if sixteenths & 32768 else sixteenths) * 25 // 4
