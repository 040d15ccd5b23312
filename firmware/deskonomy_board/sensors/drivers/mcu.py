"""The temperature of the chip itself, in hundredths of a degree Celsius. It needs no wiring."""

esp32 = __import__("esp32")  # by its name as text: no chip's stubs have both of these functions


def readings(settings):
    celsius = hasattr(esp32, "mcu_temperature")  # an ESP32 has the other one, in Fahrenheit
    while True:
        yield round(esp32.mcu_temperature() * 100) if celsius else (esp32.raw_temperature() - 32) * 500 // 9
