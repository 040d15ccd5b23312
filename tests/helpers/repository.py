"""Where things lie, for tests."""

import pathlib

REPO = pathlib.Path(__file__).resolve().parents[2]
SHARED = REPO.parent / "shared"  # the tutorial and the descriptions, where they lie beside the project
