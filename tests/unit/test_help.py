"""The help of every command, as a user reads it."""

import re

import pytest
import typer
from deskonomy_host.cli import app


def list_commands(command, path=()):
    yield path
    for name, part in getattr(command, "commands", {}).items():
        yield from list_commands(part, (*path, name))


@pytest.mark.parametrize("path", list(list_commands(typer.main.get_command(app.app))), ids=" ".join)
def test_help_shows_no_python_type_and_each_default_once(path, capsys):
    assert app.run([*path, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert not re.search(r"<\w|\bFLOAT\b|\bINTEGER\b|\bTEXT\b.*\bTEXT\b", text)
    assert not re.search(r"\[[^\]]*\] +\[default", text)
