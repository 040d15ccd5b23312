"""Each merchant arrives exactly once, whatever fails and when: ten thousand schedules, which find every planted fault.

A million of them: python tests/proofs/simulation/run.py --seeds 1000000
"""

import pytest
from proofs.simulation import planted_faults, run
from proofs.simulation.actors import InvariantError
from proofs.simulation.schedule import Schedule

SEEDS, SLICE = 10_000, 500
FOUND_WITHIN = 1_000  # schedules


@pytest.mark.parametrize("first", range(0, SEEDS, SLICE))
def test_schedules_hold_invariants(first):
    failures = run.find_failures(range(first, first + SLICE))
    assert not failures, "%d of %d schedules; the first:\n%s" % (len(failures), SLICE, failures[0])


@pytest.mark.parametrize("fault", planted_faults.FAULTS, ids=lambda fault: fault.__name__)
def test_planted_fault_is_found(fault):
    with fault():
        for seed in range(FOUND_WITHIN):
            if run.find_failures([seed]):
                break
        else:
            raise AssertionError("%d schedules did not find it" % FOUND_WITHIN)
    assert run.find_failures([seed]) == []


def test_seed_replays_exactly():
    logs = []
    for _ in range(2):
        schedule = Schedule(9)
        schedule.run()
        logs.append(schedule.log)
    assert logs[0] == logs[1] and len(logs[0]) > 5
    with planted_faults.save_no_departures():
        texts = [run.find_failures(range(40)) for _ in range(2)]
    assert texts[0] == texts[1] != []


def test_failed_schedule_names_its_seed():
    with (
        planted_faults.save_no_departures(),
        pytest.raises(InvariantError, match=r"^seed 9: merchants .* are nowhere"),
    ):
        Schedule(9).run()
