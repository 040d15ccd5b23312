"""The public names of the library: a change of one of them shows here, and each stands in docs/library.md.

Here: names, methods with their parameters, and properties. Not here: what they do (integration/host/test_library.py,
integration/host/test_history.py).
"""

import inspect

import deskonomy_host
import pytest
from deskonomy_host.history.reader import Event, Prices
from helpers.repository import REPO

# {name: its parameters when it is called, and its members: a method with its parameters, or a property without}.
PUBLIC = {
    "Harbour": {
        "Harbour(address, name, *, key_file=None, log=None)",
        "address",
        "arrivals()",
        "roads",
    },
    "History": {
        "History(path)",
        "at(time_s)",
        "begin_s",
        "cities",
        "close()",
        "colours",
        "end_s",
        "events()",
        "goods",
        "path",
        "people(city)",
        "prices(city, good)",
        "query(sql, *values)",
        "samples",
        "sensors(city)",
        "states()",
        "table(name)",
    },
    "Merchant": {
        "Merchant(good, money=1000.0, capacity=20, owned=0, prices=<factory>)",
        "capacity",
        "good",
        "money",
        "money_mills",
        "owned",
        "prices",
    },
    "NoRoadError": set(),
    "Road": {
        "arrived()",
        "dial(address, name, *, key_file=None, timeout_s=10.0, log=None)",
        "is_up",
        "kind",
        "listen(address, name, *, key_file=None, log=None)",
        "peer",
        "receive()",
        "send(merchant)",
        "status()",
        "waiting",
    },
}
# Attributes that a class sets when it is created, and names in its docstring.
ATTRIBUTES = {
    "Harbour": ("address",),
    "History": ("path", "colours", "goods", "samples", "begin_s", "end_s"),
    "Merchant": ("good", "money", "capacity", "owned", "prices"),
}
FIELDS = {
    Prices: ("time_s", "tick", "span", "low", "mean", "high", "owned", "yields", "merchants"),
    Event: ("time_s", "city", "category", "text", "type", "road"),
}
MADE_BY_OTHERS = ("Road", "NoRoadError")  # a program does not call these classes


def format_signature(function):
    """Return a function's parameters without self and without types, in parentheses."""
    signature = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
        if parameter.name != "self"
    ]
    return str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))


def list_members(name):
    """Return the public members of a class of the library, in the form of PUBLIC."""
    cls = getattr(deskonomy_host, name)
    members = set(ATTRIBUTES.get(name, ()))
    if name not in MADE_BY_OTHERS:
        members.add(name + format_signature(cls))
    for member in vars(cls):
        if not member.startswith("_"):
            value = getattr(cls, member)
            members.add(member + (format_signature(value) if callable(value) else ""))
    return members


def test_library_exports_recorded_names():
    assert sorted(deskonomy_host.__all__) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_class_has_recorded_members(name):
    assert list_members(name) == PUBLIC[name]


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attribute_is_described_in_docstring(name):
    documentation = getattr(deskonomy_host, name).__doc__
    assert [attribute for attribute in ATTRIBUTES[name] if attribute not in documentation] == []


@pytest.mark.parametrize("result", FIELDS, ids=lambda result: result.__name__)
def test_result_of_history_has_recorded_fields(result):
    assert result._fields == FIELDS[result]
    assert [field for field in result._fields if field not in result.__doc__] == []


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_stands_in_library_document(name):
    text = (REPO / "docs" / "library.md").read_text(encoding="utf-8")
    _, _, section = text.partition(f"## {name if name != 'NoRoadError' else 'Exceptions'}\n")
    section = section.partition("\n## ")[0]
    assert name in text
    members = {member.partition("(")[0] for member in PUBLIC[name]} - {name}
    assert [member for member in sorted(members) if member not in section] == []
