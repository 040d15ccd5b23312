"""A board's life: a short run of what `python tests/soak/run.py --minutes 60` does for long."""

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")


@pytest.mark.usefixtures("micropython")
def test_half_a_minute():
    """In a process of its own, for time passes faster there. How long ticks stop depends on who else is busy here."""
    words = ["--minutes", "0.4", "--seed", "4", "--stop-ms", "2000"]
    done = subprocess.run([sys.executable, RUN, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all money is there" in done.stdout
