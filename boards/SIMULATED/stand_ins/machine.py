"""Stands in for the ESP32's `machine`: as much of it as the firmware uses, and pins that the simulator drives."""

import hardware

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5


def unique_id():
    return b"\x02\0\0\0\0\1"


def reset_cause():
    return hardware.read("reset_cause")


def reset():
    hardware.stop("KILL")


def soft_reset():
    raise SystemExit


class Pin:
    IN = 1
    OUT = 3

    def __init__(self, id, mode=-1, pull=-1, *, value=0):
        self._id = id
        self._is_out = mode == Pin.OUT
        self._out = value

    def value(self, x=None):
        if x is not None:
            self._out = 1 if x else 0
        else:
            return self._out if self._is_out else 1 if hardware.read("pins").get(str(self._id)) else 0


class ADC:
    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3

    def __init__(self, pin, *, atten=ATTN_0DB):
        self._pin = pin._id if isinstance(pin, Pin) else pin
        if not 32 <= self._pin <= 39:
            raise ValueError("invalid pin")  # the others have no converter, or one that Wi-Fi needs
        self.atten(atten)

    def atten(self, atten):
        self._full_uv = (950_000, 1_250_000, 1_750_000, 2_450_000)[atten]

    def read(self):
        return hardware.read("pins").get(str(self._pin), 0)

    def read_u16(self):
        raw = self.read()
        return raw << 4 | raw >> 8

    def read_uv(self):
        return self.read() * self._full_uv // 4095
