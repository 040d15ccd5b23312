"""Exactly once, whatever dies and when: ten thousand schedules, and proof that they find what is wrong.

A million of them: python tests/simulation/run.py --seeds 1000000
"""

import pytest
from proofs.simulation import planted, run
from proofs.simulation.schedule import Schedule
from proofs.simulation.world import Broken

SEEDS, SLICE = 10_000, 500
CAUGHT_WITHIN = 1_000


@pytest.mark.parametrize("first", range(0, SEEDS, SLICE))
def test_ten_thousand_schedules(first):
    found = run.broken(range(first, first + SLICE))
    assert not found, "%d of %d schedules; the first:\n%s" % (len(found), SLICE, found[0])


@pytest.mark.parametrize("fault", planted.FAULTS, ids=lambda fault: fault.__name__)
def test_a_planted_fault_is_caught(fault):
    with fault():
        for seed in range(CAUGHT_WITHIN):
            if run.broken([seed]):
                break
        else:
            raise AssertionError("%d schedules did not find it" % CAUGHT_WITHIN)
    assert run.broken([seed]) == []


def test_a_seed_replays_exactly():
    logs = []
    for _ in range(2):
        schedule = Schedule(9)
        schedule.run()
        logs.append(schedule.log)
    assert logs[0] == logs[1] and len(logs[0]) > 5
    with planted.no_ledger():
        texts = [run.broken([seed for seed in range(40)]) for _ in range(2)]
    assert texts[0] == texts[1] != []


def test_a_broken_schedule_says_its_seed():
    with planted.no_ledger(), pytest.raises(Broken, match=r"^seed 9: merchants .* are nowhere"):
        Schedule(9).run()
