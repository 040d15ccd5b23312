"""The soak run: half a minute of what `python tests/proofs/soak/run.py --minutes 60` does for an hour."""

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")


@pytest.mark.usefixtures("micropython")
def test_soak_run_of_half_a_minute_passes_all_checks():
    """In a process of its own, because its clock is fast. Ticks may stop for 2 s, because other tests run meanwhile."""
    arguments = ["--minutes", "0.4", "--seed", "4", "--stop-ms", "2000"]
    run = subprocess.run([sys.executable, RUN, *arguments], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "money and merchants are conserved" in run.stdout
