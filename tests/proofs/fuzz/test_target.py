"""The fuzz target with inputs from Hypothesis; `python tests/proofs/fuzz/run.py` runs it for longer."""

from core.hostile import CORPUS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proofs.fuzz.target import feed_city

pieces = st.sampled_from([data for data, *_ in CORPUS]) | st.binary(max_size=300)


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 255), st.lists(pieces, max_size=6))
def test_city_ticks_on_after_any_lines(size, found):
    feed_city(bytes([size]) + b"SEASIDE\n" + b"".join(found))


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=3000))
def test_city_ticks_on_after_any_bytes(data):
    feed_city(data)
