"""Packages that only some commands need: the words that install them, for the tool that installed this program."""

import json
import sys
import tomllib
from pathlib import Path

import pytest
from deskonomy_host import extras
from helpers.repository import REPO


@pytest.fixture
def install(monkeypatch):
    """A function that sets how this program was installed: install(installer, folder of the clone or None, prefix)."""

    def set_installation(installer, clone=None, prefix="/env"):
        url = f"file://{clone}" if clone else "https://example.org/deskonomy.whl"
        files = {"INSTALLER": f"{installer}\n", "direct_url.json": json.dumps({"url": url})}
        monkeypatch.setattr(extras, "_read_metadata", files.get)
        monkeypatch.setattr(sys, "prefix", prefix)

    return set_installation


def test_installed_extra_is_not_missing(monkeypatch):
    monkeypatch.setitem(extras.EXTRAS, "plot", extras.Extra("json", "nothing"))
    assert extras.find_missing("plot") is None


def test_extra_of_clone_is_installed_from_clone(install, monkeypatch):
    install("pip", Path.cwd())
    assert extras.explain_install("plot").startswith("type: pip install '.[plot]' (")
    install("pip", "/some/clone%20of%20it")
    assert extras.explain_install("plot").startswith("type: pip install '/some/clone of it[plot]' (")
    install("pip")
    assert extras.explain_install("plot").startswith("type: pip install 'deskonomy[plot]' (")


@pytest.mark.parametrize(
    ("installer", "prefix", "first"),
    [
        ("pip", "/home/ann/.venv", "pip install '.[mdns]'"),
        ("pip", "/home/ann/.local/pipx/venvs/deskonomy", "pipx install --force '.[mdns]'"),
        ("uv", "/home/ann/.venv", "uv pip install '.[mdns]'"),
        ("uv", "/home/ann/.local/share/uv/tools/deskonomy", "uv tool install --force '.[mdns]'"),
    ],
)
def test_command_of_tool_that_installed_program_comes_first(installer, prefix, first, install):
    install(installer, Path.cwd(), prefix)
    text = extras.explain_install("mdns")
    assert text.startswith(f"type: {first} (")
    assert all(f"{tool} " in text for tool in ("pip", "pipx", "uv"))


def test_every_extra_for_users_is_known():
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(extras.EXTRAS) == set(project["optional-dependencies"]) - {"test", "fuzz"}
