"""The simulated world, driven by Hypothesis, which looks for the shortest sequence of steps that breaks it."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from proofs.simulation import planted_faults
from proofs.simulation.actors import InvariantError
from proofs.simulation.schedule import Schedule

machine_indices = st.integers(0, 1)


class SimulatedWorld(RuleBasedStateMachine):
    """Two machines, a wire, and everything that may happen to them."""

    @initialize(seed=st.integers(0, 1000))
    def create(self, seed):
        self.schedule = Schedule(seed)
        self.schedule.loses_disks = False

    def machine(self, index):
        return self.schedule.machines[index]

    @rule(ms=st.sampled_from([0, 1, 20, 300, 1200, 5000, 15_000]))
    def pass_time(self, ms):
        self.schedule.now_ms += ms

    @rule(index=machine_indices)
    def work(self, index):
        if self.machine(index).running:
            self.schedule.work(self.machine(index))

    @rule(index=machine_indices)
    def send_resident(self, index):
        if self.machine(index).running:
            self.schedule.send_resident(self.machine(index))

    @rule(index=machine_indices)
    def admit_merchants(self, index):
        if self.machine(index).running:
            self.machine(index).admit_merchants()

    @rule(index=machine_indices)
    def begin_checkpoint(self, index):
        if self.machine(index).running:
            self.machine(index).begin_checkpoint()

    @rule(index=machine_indices)
    def end_checkpoint(self, index):
        self.machine(index).end_checkpoint()

    @rule(index=machine_indices)
    def crash_or_restart(self, index):
        machine = self.machine(index)
        machine.crash() if machine.running else machine.restart()

    @rule()
    def dial(self):
        for pair in self.schedule.pairs:
            self.schedule.dial(pair)

    @precondition(lambda self: self.schedule.machines[0].wires)
    @rule(closing_end=machine_indices)
    def cut_wire(self, closing_end):
        wire = self.schedule.machines[0].wires[0]
        wire.cut_at_random_byte()
        wire.close(wire.ends[closing_end])

    @rule()
    def open_roads(self):
        self.schedule.open_roads()

    @invariant()
    def every_merchant_is_in_one_place(self):
        if hasattr(self, "schedule"):
            self.schedule.check()

    def teardown(self):
        if hasattr(self, "schedule"):
            self.schedule.run_without_faults()


# The same sequences every time; run.py looks for new ones.
REPEATABLE = settings(
    deadline=None,
    derandomize=True,
    max_examples=60,
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
)
TestSimulatedWorld = SimulatedWorld.TestCase
TestSimulatedWorld.settings = REPEATABLE


def test_hypothesis_finds_planted_fault():
    single = settings(REPEATABLE, max_examples=300, database=None, report_multiple_bugs=False)
    with planted_faults.save_no_departures(), pytest.raises(InvariantError):
        run_state_machine_as_test(SimulatedWorld, settings=single)
