"""Calibration: which readings of a sensor count, and the levels that follow from them.

Here: that decision, without any input or output. Not here: watching the board (apps/board_setup.py), the range of a
kind (spec/sensors.py).
"""

from typing import Any

from deskonomy_host.boards.spec.sensors import Quantity

_PERCENT = 2  # of the readings are left out at each end, and
_LEFT_OUT_MIN = 1  # at least so many,
_READINGS_MIN = 10  # if there are so many: a single reading that is far off must not become a level


class Calibration:
    """The readings of a sensor while a user shows it its lowest and its highest.

    Attributes:
        readings: The readings that count.
        failed: How many readings failed, or are outside the range of the sensor.
        early: How often there was no reading yet; of a signal strength, no Wi-Fi.
        error: Why the latest reading failed; None if it did not.
    """

    def __init__(self, quantity: Quantity) -> None:
        """Prepare for a sensor that measures this."""
        self.readings: list[int] = []
        self.failed = 0
        self.early = 0
        self.error: str | None = None
        self._quantity = quantity
        self._failures = 0  # as the latest status counted them

    def add(self, sensor: dict[str, Any]) -> bool:
        """Process a sensor as it is in a status line. Return whether its reading counts."""
        failures = sensor.get("failures", 0)
        self.failed += max(0, failures - self._failures)
        self._failures = failures
        self.error = sensor.get("error")
        raw = sensor.get("raw")
        lowest, highest = self._quantity.lowest, self._quantity.highest
        if self.error is not None:
            self.failed += 1
        elif raw is None or (self._quantity.name == "signal" and raw == lowest):
            self.early += 1
        elif lowest is not None and highest is not None and not lowest <= raw <= highest:
            self.failed += 1
        else:
            self.readings.append(raw)
            return True
        return False

    def find_levels(self) -> tuple[int, int]:
        """Return the 2nd and the 98th percentile of the readings that count, of which there is at least one."""
        count = len(self.readings)
        left_out = max(_LEFT_OUT_MIN, count * _PERCENT // 100) if count >= _READINGS_MIN else 0
        ordered = sorted(self.readings)
        return ordered[left_out], ordered[-1 - left_out]

    def describe_ignored(self) -> str:
        """Return which readings do not count, in one line; "" if all do."""
        parts = [
            "%d that failed or cannot be" % self.failed if self.failed else "",
            "%d before the sensor was ready" % self.early if self.early else "",
        ]
        return "not counted: " + ", ".join(filter(None, parts)) if any(parts) else ""
