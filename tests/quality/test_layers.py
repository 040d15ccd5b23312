"""The layers of docs/architecture.md: import contracts, no cycle of modules, few levels of packages."""

import subprocess
import sys

import grimp
import pytest
from helpers.repository import REPO

PACKAGES = ("deskonomy_host", "deskonomy", "deskonomy_board")
LEVELS_MAX = 8
TOP_MODULES_MAX = 12


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True, cache_dir=None)


def imports_of(graph):
    """Return {module: set of the modules that it imports}."""
    return {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}


def cycles_of(imports):
    """Return the groups of modules that import each other, by Tarjan's algorithm."""
    index, low, stack, found = {}, {}, [], []

    def visit(module):
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in sorted(imports.get(module, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[module] = min(low[module], low[other])
        if low[module] == index[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                found.append(sorted(group))

    for module in sorted(imports):
        if module not in index:
            visit(module)
    return found


def package_of(module):
    """Return the second level of a module's name, such as deskonomy_host.boards."""
    return ".".join(module.split(".")[:2])


def levels_of(imports):
    """Return the number of packages on the longest chain of imports between packages."""
    between = {}
    for module, others in imports.items():
        here = between.setdefault(package_of(module), set())
        here |= {package_of(other) for other in others} - {package_of(module)}
    depth = {}

    def measure(package):
        if package not in depth:
            depth[package] = 1 + max((measure(other) for other in between.get(package, ())), default=0)
        return depth[package]

    return max(measure(package) for package in between)


def test_import_contracts_are_kept():
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    done = subprocess.run([*command, "--no-cache"], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout, done.stdout


def test_modules_import_each_other_in_no_cycle(graph):
    assert cycles_of(imports_of(graph)) == []


def test_packages_stand_in_few_levels(graph):
    assert levels_of({m: o for m, o in imports_of(graph).items() if m.startswith("deskonomy_host.")}) <= LEVELS_MAX


def test_few_modules_lie_beside_the_packages():
    assert len(list((REPO / "host" / "deskonomy_host").glob("*.py"))) <= TOP_MODULES_MAX


def test_no_module_imports_tests():
    for folder in ("host", "firmware", "boards"):
        for path in (REPO / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert "from tests" not in text and "from helpers" not in text and "import pytest" not in text, path


def test_cycle_is_found():
    assert cycles_of({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
