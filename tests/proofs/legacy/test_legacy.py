"""Programs of the tutorial beside cities: a short run of what `python tests/proofs/legacy/run.py --minutes 60` does."""

import asyncio

from proofs.legacy.neighbours import run_neighbours


def test_no_tutorial_program_crashes_and_all_money_is_accounted_for():
    account = asyncio.run(run_neighbours(5, 2, ticks_per_s=200, paces_per_s=(20, 200), pause_s=0.5))
    assert "no program crashed" in account
