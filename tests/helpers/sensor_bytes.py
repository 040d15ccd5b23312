"""The bytes of sensors: answers of real chips and worked examples of datasheets, with right checksums.

Here: a DS18B20's scratchpad, the registers of BMP280 and BME280. Not here: how a driver reads them
(integration/board/test_sensors.py, integration/board/test_impossible_readings.py).
"""


def crc8(data):
    """The 1-Wire checksum, from its polynomial x^8 + x^5 + x^4 + 1 (Maxim's application note 27)."""
    crc = 0
    for byte in data:
        for bit in range(8):
            mix = (crc ^ byte >> bit) & 1
            crc = crc >> 1 ^ (0x8C if mix else 0)
    return crc


def scratchpad(sixteenths):
    """A DS18B20's nine bytes at 12 bits of resolution."""
    data = (sixteenths & 0xFFFF).to_bytes(2, "little") + bytes([0x4B, 0x46, 0x7F, 0xFF, 0x0C, 0x10])
    return (data + bytes([crc8(data)])).hex()


UNSIGNED = {"T1", "P1"}
DATASHEET = dict(  # the BMP280 datasheet's example (BST-BMP280-DS001, section 3.12)
    zip(
        ("T1", "T2", "T3", "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9"),
        (27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000),
        strict=True,
    )
)


def packed(calibration):
    """Return calibration data as a chip has them at 0x88."""
    return b"".join(n.to_bytes(2, "little", signed=name not in UNSIGNED) for name, n in calibration.items())


def chip(id, calibration, data, h1=0, humidity=bytes(7)):
    """Return a chip in the form of the stand-in i2c.py."""
    blocks = {0xD0: bytes([id]), 0x88: calibration, 0xA1: bytes([h1]), 0xE1: humidity, 0xF7: data}
    return {str(register): block.hex() for register, block in blocks.items()}


BMP280 = chip(0x58, packed(DATASHEET), (415148 << 4).to_bytes(3, "big") + (519888 << 4).to_bytes(3, "big") + bytes(2))
# Calibration and data of two chips, with the results of floating-point drivers: from the tests of pyserialsensors
# (26.105 degrees, 100129.98 Pa, 45.058 %) and of pymeterreader (19.27, 99855.57, 50.936).
FIRST_BME280 = chip(
    0x60,
    packed(
        dict(
            zip(DATASHEET, (28470, 26738, 50, 37529, -10507, 3024, 9278, -158, -7, 9900, -10230, 4285), strict=True),
        )
    ),
    bytes.fromhex("491d008334007718"),
    75,
    (352).to_bytes(2, "little") + bytes([0, 345 >> 4, 345 & 15 | (50 & 15) << 4, 50 >> 4, 30]),
)
SECOND_BME280 = chip(
    0x60,
    bytes.fromhex("6d6f9d683200218ef8d6d00bc91ce6fff9ffac260ad8bd10"),
    bytes([83, 224, 0, 126, 41, 128, 97, 8]),
    75,
    bytes([135, 1, 0, 15, 46, 3, 30]),
)
