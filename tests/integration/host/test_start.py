"""A command starts at once, and Ctrl-C ends it at any time, also while modules are imported."""

import subprocess
import sys

import pytest
from helpers.commands import PATIENCE_S

LARGE = ("asyncio", "aiohttp", "rich", "numba", "numpy", "serial", "mpremote", "deskonomy.economy.city")

# Sends Ctrl-C when a module is about to be imported.
INTERRUPTED = """
import os, signal, sys
class Interrupter:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupter())
from deskonomy_host.cli import main
sys.exit(main(sys.argv[2:]))
"""


def test_help_imports_no_large_module():
    code = f"""
import sys
from deskonomy_host.cli import main
main(["--help"])
print("LOADED", [name for name in {LARGE!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, timeout=PATIENCE_S)
    assert done.stdout.endswith("LOADED []\n"), done


@pytest.mark.parametrize(
    "module",
    ["deskonomy_host.errors", "typer", "deskonomy_host.apps.run", "deskonomy.wire.network", "aiohttp", "rich.console"],
)
def test_ctrl_c_while_module_is_imported_ends_command(module, environment):
    command = [sys.executable, "-c", INTERRUPTED, module, "run", "A", "--duration", "10"]
    done = subprocess.run(command, text=True, capture_output=True, timeout=PATIENCE_S, env=environment)
    assert (done.returncode, "Traceback" in done.stderr) == (130, False), done
