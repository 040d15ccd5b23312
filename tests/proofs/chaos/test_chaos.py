"""Real processes, killed: a short run of what `python tests/proofs/chaos/run.py --kills 500` does for long."""

import asyncio

from proofs.chaos import links
from proofs.chaos.processes import run_chaos


def test_accounts_are_complete_after_kills():
    accounts = asyncio.run(run_chaos(12, seed=3))
    assert accounts.are_complete()


def test_dead_link_is_noticed_and_trade_resumes():
    noticed_s, resumed_s = asyncio.run(links.measure(1))
    assert len(noticed_s) == len(resumed_s) == 1
