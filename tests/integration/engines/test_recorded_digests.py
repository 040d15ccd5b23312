"""The worlds that version 0.1.0 recorded give the same digests, checkpoints, departures and status lines today."""

import json
import subprocess

import pytest
from deskonomy_host.world import engines
from helpers import replay
from helpers.repository import REPO

RECORD = REPO / "tests" / "data" / "0.1.0" / "digests.json"
SCENARIOS = json.loads(RECORD.read_text(encoding="utf-8"))

ON_MICROPYTHON = """
import json, sys
sys.path[:0] = [{tests!r}, {firmware!r}]
from helpers import replay
with open({record!r}) as file:
    scenarios = json.load(file)
for scenario in scenarios:
    for difference in replay.list_differences(scenario, replay.replay_scenario(scenario)):
        print(difference)
print(len(scenarios), "scenarios")
"""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["name"] for scenario in SCENARIOS])
def test_replay_on_cpython_equals_record(scenario):
    assert replay.list_differences(scenario, replay.replay_scenario(scenario)) == []


@pytest.mark.parametrize("name", engines.list_engines())
def test_replay_on_host_engine_equals_record(name):
    engine = engines.load_engine(name)
    differences = []
    for scenario in SCENARIOS:
        differences += replay.list_differences(scenario, replay.replay_scenario(scenario, engine))
    assert differences == []


def test_replay_on_micropython_equals_record(micropython):
    program = ON_MICROPYTHON.format(tests=str(REPO / "tests"), firmware=str(REPO / "firmware"), record=str(RECORD))
    command = [micropython, "-X", "heapsize=64m", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{len(SCENARIOS)} scenarios\n"


def test_record_has_all_digests():
    digests = [
        digest for scenario in SCENARIOS for cities in scenario["digests"].values() for digest in cities.values()
    ]
    assert (len(SCENARIOS), len(digests)) == (25, 185)
