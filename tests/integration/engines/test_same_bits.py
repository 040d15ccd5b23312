"""All engines give the same digests: plain CPython, numba, MicroPython's viper and its bytecode."""

import json
import subprocess

import pytest
from core import scenarios
from deskonomy_host.world import engines
from helpers.repository import REPO

TICKS = 5000

ON_MICROPYTHON = """
import json, sys
sys.path[:0] = [{tests!r}, {firmware!r}]
from core import scenarios
from deskonomy.economy import kernel
print(json.dumps(scenarios.compute_digests({engine}, {ticks})))
"""


@pytest.fixture(scope="module")
def plain_digests():
    return scenarios.compute_digests(scenarios.load_plain_kernel(), TICKS)


@pytest.mark.parametrize("engine", ["kernel", "scenarios.load_plain_kernel()"], ids=["viper", "bytecode"])
def test_micropython_gives_the_digests_of_plain_python(micropython, plain_digests, engine):
    program = ON_MICROPYTHON.format(
        tests=str(REPO / "tests"), firmware=str(REPO / "firmware"), engine=engine, ticks=TICKS
    )
    done = subprocess.run([micropython, "-c", program], capture_output=True, text=True, timeout=900, check=True)
    assert json.loads(done.stdout) == plain_digests


@pytest.mark.parametrize("name", engines.list_engines())
def test_host_engine_gives_the_digests_of_plain_python(plain_digests, name):
    assert scenarios.compute_digests(engines.load_engine(name), TICKS) == plain_digests


def test_worlds_have_different_digests(plain_digests):
    assert len(set(plain_digests)) == len(plain_digests)
