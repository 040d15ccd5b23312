"""The same world as in the schedules, led by Hypothesis, which looks for the shortest story that breaks it."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from proofs.simulation import planted
from proofs.simulation.schedule import Schedule
from proofs.simulation.world import Broken

one = st.integers(0, 1)


class Cities(RuleBasedStateMachine):
    """Two cities, a wire, and everything that may happen to them."""

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed):
        self.world = Schedule(seed)
        self.world.disks = False

    def machine(self, which):
        return self.world.machines[which]

    @rule(ms=st.sampled_from([0, 1, 20, 300, 1200, 5000, 15_000]))
    def time_passes(self, ms):
        self.world.now_ms += ms

    @rule(which=one)
    def works(self, which):
        if self.machine(which).running:
            self.world.work(self.machine(which))

    @rule(which=one)
    def somebody_leaves(self, which):
        machine = self.machine(which)
        if machine.running:
            machine.leave()
            self.world.let_off([(road, road.outbound) for road in machine.ledger.roads.values()])

    @rule(which=one)
    def somebody_enters(self, which):
        if self.machine(which).running:
            self.machine(which).enter()

    @rule(which=one)
    def a_checkpoint_begins(self, which):
        if self.machine(which).running:
            self.machine(which).begin_checkpoint()

    @rule(which=one)
    def a_checkpoint_ends(self, which):
        self.machine(which).end_checkpoint()

    @rule(which=one)
    def crashes_or_restarts(self, which):
        machine = self.machine(which)
        machine.crash() if machine.running else machine.restart()

    @rule()
    def dial(self):
        for pair in self.world.pairs:
            self.world.dial(pair)

    @precondition(lambda self: self.world.machines[0].wires)
    @rule(hang_up=one)
    def a_wire_is_cut(self, hang_up):
        wire = self.world.machines[0].wires[0]
        wire.cut_now()
        wire.close(wire.ends[hang_up])

    @rule()
    def everybody_works_for_a_while(self):
        self.world.open_roads()

    @invariant()
    def everybody_is_in_one_place(self):
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self):
        if hasattr(self, "world"):
            self.world.calm()


# The same stories every time; new ones are looked for by run.py.
steady = settings(
    deadline=None,
    derandomize=True,
    max_examples=60,
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
)
TestCities = Cities.TestCase
TestCities.settings = steady


def test_hypothesis_finds_what_is_planted():
    from hypothesis.stateful import run_state_machine_as_test

    with planted.no_ledger():
        try:
            run_state_machine_as_test(Cities, settings=settings(steady, max_examples=300, database=None))
        except Broken:
            return
    raise AssertionError("it was not found")
