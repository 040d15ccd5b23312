"""The core's own tests under MicroPython; the runner finds them itself."""

import subprocess

import pytest
from helpers.repository import REPO

CORE = REPO / "tests" / "core"


@pytest.mark.parametrize("module", sorted(path.stem for path in CORE.glob("test_*.py")))
def test_core_passes_on_micropython(micropython, module):
    done = subprocess.run([micropython, str(CORE / "runner.py"), module], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 failed" in done.stdout and not done.stdout.startswith("0 passed"), done.stdout


def test_runner_fails_when_it_finds_no_test(micropython, tmp_path):
    copy = tmp_path / "runner.py"
    copy.write_text((CORE / "runner.py").read_text())
    assert subprocess.run([micropython, str(copy)], capture_output=True, timeout=60).returncode == 1


def test_runner_fails_when_a_test_fails(micropython, tmp_path):
    (tmp_path / "runner.py").write_text((CORE / "runner.py").read_text())
    (tmp_path / "test_wrong.py").write_text(
        "import unittest\nclass Wrong(unittest.TestCase):\n    def test(self):\n        self.assertEqual(1, 2)\n"
    )
    done = subprocess.run([micropython, str(tmp_path / "runner.py")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "0 passed, 1 failed" in done.stdout
