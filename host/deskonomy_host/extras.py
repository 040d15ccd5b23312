"""Packages that only some commands need: whether one is installed, and what to type if it is not.

Here: the table of the extras of pyproject.toml, and the command of pip, pipx or uv that installs one. Not here: using
the packages (each module that imports one).
"""

import importlib.metadata
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

_PROJECT = "deskonomy"


class Extra(NamedTuple):
    """An extra of pyproject.toml.

    Attributes:
        module: the module that it brings.
        need: what needs it, as the beginning of a sentence.
    """

    module: str
    need: str


EXTRAS = {
    "fast": Extra("numba", "the engine numba needs numba"),
    "flash": Extra("esptool", "putting MicroPython on a chip needs esptool"),
    "mdns": Extra("zeroconf", "looking for names on the network needs zeroconf"),
    "parquet": Extra("pyarrow", "Parquet needs pyarrow"),
    "plot": Extra("matplotlib", "pictures need matplotlib"),
}


def find_missing(name: str) -> str | None:
    """Return one line on what to type to install an extra; None if it is installed."""
    extra = EXTRAS[name]
    if importlib.util.find_spec(extra.module) is not None:
        return None
    return f"{extra.need}, which is not installed; {explain_install(name)}"


def explain_install(name: str) -> str:
    """Return what to type to install an extra: first for the tool that installed this program, then for the others."""
    target = f"'{_find_source()}[{name}]'"
    commands = {"pip": f"pip install {target}"}
    commands["pipx"] = f"pipx install --force {target}"
    commands["uv"] = f"uv {'tool install --force' if _is_below('uv', 'tools') else 'pip install'} {target}"
    first = _find_installer()
    others = " or ".join(command for tool, command in commands.items() if tool != first)
    return f"type: {commands[first]} (elsewhere: {others})"


def _find_source() -> str:
    """Return what pip calls this project: "." in its clone, the clone's path elsewhere, its name without a clone."""
    text = _read_metadata("direct_url.json")
    url = urlsplit(json.loads(text)["url"]) if text else None
    if url is None or url.scheme != "file":
        return _PROJECT
    folder = Path(unquote(url.path))
    return "." if folder == Path.cwd() else str(folder)


def _find_installer() -> str:
    if _is_below("pipx", "venvs"):
        return "pipx"
    return "uv" if (_read_metadata("INSTALLER") or "").strip() == "uv" else "pip"


def _is_below(*folders: str) -> bool:
    """Return whether this Python is in an environment below these folders."""
    return os.path.join("", *folders, "") in os.path.join(sys.prefix, "").replace("/", os.sep)


def _read_metadata(file: str) -> str | None:
    try:
        return importlib.metadata.distribution(_PROJECT).read_text(file)
    except importlib.metadata.PackageNotFoundError:
        return None
