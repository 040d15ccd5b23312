"""Time passes at the pace asked for, in step, and leaves everybody else their turn."""

import asyncio
import unittest

from deskonomy.compat import ticks_diff, ticks_ms
from deskonomy.economy import clock as drive_module
from deskonomy.economy.clock import Drive


class Clockwork:
    """A city that only counts its ticks, and says when."""

    def __init__(self, heard=None, cost_ms=0):
        self.tick = 0
        self.heard = heard
        self.cost_ms = cost_ms

    def run(self, ticks=1):
        start = ticks_ms()
        while ticks_diff(ticks_ms(), start) < self.cost_ms * ticks:
            pass
        self.tick += ticks
        if self.heard is not None:
            self.heard.append(self)


class Driving(unittest.TestCase):
    def test_so_many_ticks_and_no_more(self):
        city = Clockwork()
        asyncio.run(Drive([city]).run(12_345))
        self.assertEqual(city.tick, 12_345)

    def test_cities_go_in_step(self):
        heard = []
        cities = [Clockwork(heard), Clockwork(heard), Clockwork(heard)]
        asyncio.run(Drive(cities).run(5))
        self.assertEqual(heard, cities * 5)

    def test_others_get_their_turn(self):
        city = Clockwork(cost_ms=1)
        gaps = []

        async def other():
            last = ticks_ms()
            while True:
                await asyncio.sleep(0)
                now = ticks_ms()
                gaps.append(ticks_diff(now, last))
                last = now

        async def both():
            task = asyncio.create_task(other())
            await Drive([city], slice_ms=20).run(200)
            task.cancel()

        asyncio.run(both())
        gaps.sort()
        self.assertLessEqual(gaps[len(gaps) * 9 // 10], 40)  # slices of 20 ms, on a machine that may be busy
        self.assertGreater(len(gaps), 5)

    def test_a_pace_is_kept(self):
        # Behind, it catches up, so that the ticks of a second are right whatever the machine does in between.
        city = Clockwork()
        start = ticks_ms()
        asyncio.run(Drive([city], ticks_per_s=1000).run(500))
        self.assertGreater(ticks_diff(ticks_ms(), start), 494)

    def test_a_pace_below_a_tick_a_second_is_kept(self):
        city = Clockwork()
        drive = Drive([city], ticks_per_s=0.5)
        now, ticked, before = [0], [], (drive_module.ticks_ms, drive_module._wait_s)

        def fast_ms():
            now[0] += 50
            return now[0]

        city.run = lambda ticks: ticked.append(now[0])
        drive_module.ticks_ms, drive_module._wait_s = fast_ms, lambda pace: 0
        try:
            asyncio.run(drive.run(6))
        finally:
            drive_module.ticks_ms, drive_module._wait_s = before
        for number, when in enumerate(ticked):
            self.assertTrue(0 <= when - 2000 * (number + 1) <= 500, ticked)

    def test_the_longest_time_between_two_ticks(self):
        city = Clockwork(cost_ms=1)

        async def other():
            for _ in range(3):
                await asyncio.sleep(0)
            Clockwork(cost_ms=50).run()

        async def both():
            drive = Drive([city])
            await drive.run(1)
            drive.gap_ms = 0
            task = asyncio.create_task(other())
            await drive.run(100)
            await task
            return drive.gap_ms

        self.assertGreater(asyncio.run(both()), 49)

    def test_pause_and_another_pace(self):
        city = Clockwork()

        async def scene():
            drive = Drive([city], ticks_per_s=1)
            drive.paused = True
            task = asyncio.create_task(drive.run(1000))
            await asyncio.sleep(0.06)
            self.assertEqual(city.tick, 0)
            drive.step(3)
            self.assertEqual(city.tick, 3)
            drive.ticks_per_s = None
            drive.paused = False
            await task

        asyncio.run(scene())
        self.assertEqual(city.tick, 1000)
