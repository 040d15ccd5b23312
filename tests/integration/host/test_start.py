"""A command starts at once, and Ctrl-C ends it at any time, also while it still loads."""

import subprocess
import sys

import pytest
from helpers.commands import PATIENCE_S

HEAVY = ("asyncio", "aiohttp", "rich", "numba", "numpy", "serial", "mpremote", "deskonomy.economy.city")

# Presses Ctrl-C when a module is about to be loaded.
INTERRUPTED = """
import os, signal, sys
class Press:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Press())
from deskonomy_host.cli import main
sys.exit(main(sys.argv[2:]))
"""


def test_help_loads_nothing_heavy():
    code = f"""
import sys
from deskonomy_host.cli import main
main(["--help"])
print("LOADED", [name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, timeout=PATIENCE_S)
    assert done.stdout.endswith("LOADED []\n"), done


@pytest.mark.parametrize(
    "module",
    ["deskonomy_host.errors", "typer", "deskonomy_host.apps.run", "deskonomy.wire.network", "aiohttp", "rich.console"],
)
def test_ctrl_c_while_loading(module, environment):
    words = [sys.executable, "-c", INTERRUPTED, module, "run", "A", "--duration", "10"]
    done = subprocess.run(words, text=True, capture_output=True, timeout=PATIENCE_S, env=environment)
    assert (done.returncode, "Traceback" in done.stderr) == (130, False), done
