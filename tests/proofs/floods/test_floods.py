"""Hostile peers: a short run of what `python tests/proofs/floods/run.py` does for long."""

import asyncio

from proofs.floods.flood import HOST, run_flood


def test_city_lives_on_under_a_flood():
    result = asyncio.run(run_flood(HOST, 8, 4, quiet_s=1))
    assert result.honest_s < 10 and result.ticks > 0.8, result
