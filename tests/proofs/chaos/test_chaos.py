"""Real processes, killed: a short run of what `python tests/chaos/run.py --kills 500` does for long."""

import asyncio

from proofs.chaos import links
from proofs.chaos.town import chaos


def test_a_few_kills():
    books = asyncio.run(chaos(12, seed=3))
    assert books.agree()


def test_a_link_that_dies_and_comes_back():
    noticed, resumed = asyncio.run(links.measure(1))
    assert len(noticed) == len(resumed) == 1
