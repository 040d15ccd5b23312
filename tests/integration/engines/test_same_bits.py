"""Every engine gives the same digest: plain CPython, numba, MicroPython's viper and its bytecode."""

import json
import subprocess

import pytest
from core import scenarios
from deskonomy_host.world import engines as engine
from helpers.repository import REPO

TICKS = 5000

ON_MICROPYTHON = """
import json, sys
sys.path[:0] = [{tests!r}, {firmware!r}]
from core import scenarios
from deskonomy.economy import kernel
print(json.dumps(scenarios.digests({engine}, {ticks})))
"""


@pytest.fixture(scope="module")
def plain():
    return scenarios.digests(scenarios.plain_kernel(), TICKS)


@pytest.mark.parametrize("engine", ["kernel", "scenarios.plain_kernel()"], ids=["viper", "bytecode"])
def test_micropython(micropython, plain, engine):
    program = ON_MICROPYTHON.format(
        tests=str(REPO / "tests"), firmware=str(REPO / "firmware"), engine=engine, ticks=TICKS
    )
    done = subprocess.run([micropython, "-c", program], capture_output=True, text=True, timeout=900, check=True)
    assert json.loads(done.stdout) == plain


@pytest.mark.parametrize("name", engine.available())
def test_host_engine(plain, name):
    assert scenarios.digests(engine.engine(name), TICKS) == plain


def test_worlds_differ(plain):
    assert len(set(plain)) == len(plain)
