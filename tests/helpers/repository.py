"""Paths of the repository, for tests."""

import pathlib

REPO = pathlib.Path(__file__).resolve().parents[2]
SHARED = REPO.parent / "shared"  # the tutorial and the specification, if they lie beside the repository
