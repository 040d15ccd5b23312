"""The clock: it runs ticks at the pace that is set, cities in step, and other tasks get their turn."""

import asyncio
import unittest

from deskonomy.compat import ticks_diff, ticks_ms
from deskonomy.economy import clock as clock_module
from deskonomy.economy.clock import Clock


class CountingCity:
    """A city that only counts its ticks, and records each call of run()."""

    def __init__(self, calls=None, cost_ms=0):
        self.tick = 0
        self.calls = calls
        self.cost_ms = cost_ms

    def run(self, ticks=1):
        start = ticks_ms()
        while ticks_diff(ticks_ms(), start) < self.cost_ms * ticks:
            pass
        self.tick += ticks
        if self.calls is not None:
            self.calls.append(self)


class TestClock(unittest.TestCase):
    def test_run_ends_after_exactly_the_ticks_asked_for(self):
        city = CountingCity()
        asyncio.run(Clock([city]).run(12_345))
        self.assertEqual(city.tick, 12_345)

    def test_cities_run_in_step(self):
        calls = []
        cities = [CountingCity(calls), CountingCity(calls), CountingCity(calls)]
        asyncio.run(Clock(cities).run(5))
        self.assertEqual(calls, cities * 5)

    def test_other_tasks_get_their_turn_after_each_slice(self):
        city = CountingCity(cost_ms=1)
        gaps = []

        async def measure_gaps():
            last = ticks_ms()
            while True:
                await asyncio.sleep(0)
                now = ticks_ms()
                gaps.append(ticks_diff(now, last))
                last = now

        async def run_both():
            task = asyncio.create_task(measure_gaps())
            await Clock([city], slice_ms=20).run(200)
            task.cancel()

        asyncio.run(run_both())
        gaps.sort()
        self.assertLessEqual(gaps[len(gaps) * 9 // 10], 40)  # slices of 20 ms, on a machine that may be busy
        self.assertGreater(len(gaps), 5)

    def test_pace_is_kept_on_a_busy_machine(self):
        # The clock catches up after a delay, so the ticks of a second are right whatever else the machine does.
        city = CountingCity()
        start = ticks_ms()
        asyncio.run(Clock([city], ticks_per_s=1000).run(500))
        self.assertGreater(ticks_diff(ticks_ms(), start), 494)

    def test_pace_below_one_tick_a_second_is_kept(self):
        city = CountingCity()
        clock = Clock([city], ticks_per_s=0.5)
        now, tick_times, before = [0], [], (clock_module.ticks_ms, clock_module._wait_s)

        def read_fast_clock_ms():
            now[0] += 50
            return now[0]

        city.run = lambda ticks: tick_times.append(now[0])
        clock_module.ticks_ms, clock_module._wait_s = read_fast_clock_ms, lambda pace: 0
        try:
            asyncio.run(clock.run(6))
        finally:
            clock_module.ticks_ms, clock_module._wait_s = before
        for number, time_ms in enumerate(tick_times):
            self.assertTrue(0 <= time_ms - 2000 * (number + 1) <= 500, tick_times)

    def test_gap_ms_is_the_longest_time_between_two_slices(self):
        city = CountingCity(cost_ms=1)

        async def block_the_loop():
            for _ in range(3):
                await asyncio.sleep(0)
            CountingCity(cost_ms=50).run()

        async def run_both():
            clock = Clock([city])
            await clock.run(1)
            clock.gap_ms = 0
            task = asyncio.create_task(block_the_loop())
            await clock.run(100)
            await task
            return clock.gap_ms

        self.assertGreater(asyncio.run(run_both()), 49)

    def test_pause_and_pace_change_take_effect_while_running(self):
        city = CountingCity()

        async def change_pace():
            clock = Clock([city], ticks_per_s=1)
            clock.paused = True
            task = asyncio.create_task(clock.run(1000))
            await asyncio.sleep(0.06)
            self.assertEqual(city.tick, 0)
            clock.step(3)
            self.assertEqual(city.tick, 3)
            clock.ticks_per_s = None
            clock.paused = False
            await task

        asyncio.run(change_pace())
        self.assertEqual(city.tick, 1000)
