"""Stands in for the ESP32's `machine`: the parts that the firmware uses, with pins that the simulator drives."""

import hardware

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5


def reset_cause():
    return hardware.read("reset_cause")


def reset():
    hardware.stop("KILL")


class WDT:
    _timeout_ms = 0  # of the only watchdog, as on a board: the latest call sets it

    def __init__(self, *, id=0, timeout=5000):
        WDT._timeout_ms = timeout
        self.feed()

    def feed(self):
        hardware.write("watchdog", WDT._timeout_ms)


class Pin:
    IN = 1
    OUT = 3

    def __init__(self, id, mode=-1, pull=-1, *, value=0):
        if mode == Pin.OUT and 34 <= id <= 39:
            raise ValueError("pin can only be input")
        self._id = id
        self._is_out = mode == Pin.OUT
        self._out = value

    def value(self, value=None):
        if value is not None:
            self._out = 1 if value else 0
            hardware.write("pin%d" % self._id, self._out)
        else:
            return self._out if self._is_out else 1 if hardware.read("pins").get(str(self._id)) else 0


class ADC:
    ATTN_11DB = 3

    def __init__(self, pin, *, atten=ATTN_11DB):
        self._id = pin._id
        if not 32 <= self._id <= 39:
            raise ValueError("invalid pin")  # other pins have no converter, or the one that Wi-Fi needs

    def read(self):
        return hardware.read("pins").get(str(self._id), 0)
