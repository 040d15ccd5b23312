"""Stands in for a part of the ESP32's `machine`: pins with a pull resistor, and with an interrupt at an edge.

An interrupt comes at most 20 ms after the simulator has changed the pin.
"""

import asyncio

import machine

_LOOK_MS = 20


class Pin(machine.Pin):
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2

    def irq(self, handler=None, trigger=IRQ_FALLING | IRQ_RISING):
        # Ends with the program.
        asyncio.create_task(self._watch(handler, trigger))  # noqa: RUF006 - MicroPython's loop keeps it

    async def _watch(self, handler, trigger):
        before = self.value()
        while True:
            await asyncio.sleep_ms(_LOOK_MS)
            now = self.value()
            if now != before and trigger & (self.IRQ_RISING if now else self.IRQ_FALLING):
                handler(self)
            before = now


machine.Pin = Pin
