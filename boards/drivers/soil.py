"""A template for a driver of your own: a soil sensor on an analog pin, the mean of several readings.

On a board it is /drivers/soil.py, and a sensor uses it by the kind "drivers/soil":

    deskonomy board setup --sensor "bed drivers/soil pin=33 low=2900 high=1300 good=thread"

Rules: read_sensor() is a generator, which is asked ten times a second and never waits: it yields a whole number, or
None while it has none. `settings` are those of the sensor in config.json; `pin`, `scl` and `sda` are checked there, any
others are yours. An OSError means that the sensor failed: it is reported, and a new generator begins two seconds later.
Any other error of Python is reported as the driver's. Raise OSError, with the bytes, for what the sensor cannot give.
Import MicroPython's modules only, because a deploy gives the firmware's own functions other names.
"""

from machine import ADC, Pin

_LOWEST = 1  # a broken wire reads as 0, a short one to 3.3 V as 4095
_HIGHEST = 4094


def read_sensor(settings: dict):
    """Yield the mean of as many readings as the setting `samples` says, None until there are that many."""
    adc = ADC(Pin(settings["pin"]), atten=ADC.ATTN_11DB)
    count = settings.get("samples", 10)
    total = 0
    while True:
        for _ in range(count - 1):
            total += adc.read()
            yield None
        mean = (total + adc.read()) // count
        total = 0
        if not _LOWEST <= mean <= _HIGHEST:
            raise OSError("impossible answer %d" % mean)
        yield mean
