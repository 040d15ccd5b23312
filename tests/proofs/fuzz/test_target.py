"""The fuzz target on what Hypothesis thinks of: `python tests/fuzz/run.py` goes on where this ends."""

from core.hostile import CORPUS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proofs.fuzz.target import one_input

pieces = st.sampled_from([data for data, *_ in CORPUS]) | st.binary(max_size=300)


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 255), st.lists(pieces, max_size=6))
def test_whatever_comes_the_city_lives_on(size, found):
    one_input(bytes([size]) + b"SEASIDE\n" + b"".join(found))


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=3000))
def test_whoever_comes_the_city_lives_on(data):
    one_input(data)
