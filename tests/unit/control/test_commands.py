"""The commands of cities: each implementation has the arguments of its definition."""

import inspect

import pytest
from deskonomy_host.apps.demo import Story
from deskonomy_host.apps.playback import HistoryPlayer
from deskonomy_host.boards.simulator.commands import BoardCommands
from deskonomy_host.control.commands import CITY_COMMANDS, COMMANDS
from deskonomy_host.runtime.cities import Cities
from deskonomy_host.runtime.controller import Controller

IMPLEMENTATIONS = [
    *((Cities, name) for name in CITY_COMMANDS),
    *((Controller, name) for name in ("pause", "step", "speed", "open", "close", "school")),
    *((BoardCommands, name) for name in ("influence", "connect", "forget", "sense", "serial")),
    *((Story, name) for name in ("influence", "connect", "open", "close", "forget", "sense")),
    *((HistoryPlayer, name) for name in ("pause", "speed", "step", "seek")),
]


@pytest.mark.parametrize(("owner", "name"), IMPLEMENTATIONS, ids=[f"{cls.__name__}-{n}" for cls, n in IMPLEMENTATIONS])
def test_implementation_takes_arguments_of_definition(owner, name):
    parameters = list(inspect.signature(getattr(owner, name)).parameters.values())[1:]
    required = tuple(parameter.name for parameter in parameters if parameter.default is parameter.empty)
    optional = tuple(parameter.name for parameter in parameters if parameter.default is not parameter.empty)
    assert (required, optional) == (COMMANDS[name].required, COMMANDS[name].optional)


def test_every_definition_has_an_implementation():
    assert {name for _, name in IMPLEMENTATIONS} == set(COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "accepted"),
    [
        ({"city": "A", "other": "B"}, True),
        ({"city": "A", "other": "B", "address": None}, True),
        ({"city": "A"}, False),
        ({"city": "A", "other": "B", "more": 1}, False),
        (["city", "other"], False),
        (None, False),
    ],
)
def test_command_accepts_its_arguments_only(arguments, accepted):
    assert COMMANDS["open"].accepts(arguments) is accepted
