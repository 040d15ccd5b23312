"""The bundle: the firmware's modules put together into one, and constants put where they are used.

Here: which modules become one; sources in, sources out. Not here: what a name means in the bundle (scopes.py), one
module by itself (source_module.py), compiling (../compile.py).

On a board each module takes 256 bytes, each imported name 16, and each text that two modules have twice its length. So
modules that stay in memory become one, deskonomy/__init__.py. In the place of each a small file is left, for an import
by the old name at a REPL; it takes memory only then.
"""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from deskonomy_host.boards.deploy.shrink.new_names import choose_attributes, choose_globals
from deskonomy_host.boards.deploy.shrink.scopes import HiddenNameError, Resolver
from deskonomy_host.boards.deploy.shrink.source_module import BUNDLE, MAIN, SourceModule, find_origin
from deskonomy_host.boards.deploy.shrink.type_hints import is_native, remove_type_hints
from deskonomy_host.boards.deploy.shrink.unused import remove_unused

PROGRAM = MAIN + ".py"  # the path of the module that makes the modules a whole program
_UNLOADED = "UNLOADED"  # the name in main.py of the list of modules that main.py unloads


def bundle_modules(sources: Mapping[str, str]) -> dict[str, str]:
    """Return {path: source} of the same program in fewer modules.

    Bundled is what main.py and the modules that stay alone import, and what those modules import at their top. A module
    stays alone if main.py unloads it, if it has native code, or if it is imported only inside a function or, in
    main.py, under a condition.

    A constant (NAME = const(value) at the top of a module) becomes its value wherever it is used. Names that only these
    modules look up become shorter. With a main.py the modules are a whole program, from which unused functions are left
    out; without, other programs may use their public names.

    Raises:
        SyntaxError: A source is no Python.
        ValueError: A source uses what a bundle does not support.
    """
    hidden: set[str] = set()
    while True:
        try:
            return _bundle(sources, hidden)
        except HiddenNameError as name:
            hidden.add(str(name))


def list_unloaded(sources: Mapping[str, str]) -> list[str]:
    """Return the paths of the modules that main.py unloads after a start; none if there is no main.py."""
    tree = ast.parse(sources.get(PROGRAM, ""))
    lists = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == _UNLOADED
    ]
    return [name.replace(".", "/") + ".py" for names in lists for name in names]


def find_original_names(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """Return {new name: the names in the sources that it replaces}, as "module.name" or, for an attribute, ".name"."""
    choice = _choose_names(sources, ())
    originals: dict[str, list[str]] = {}
    for module in choice.modules.values():
        for name, new in module.own_names.items():
            if new != name:
                originals.setdefault(new, []).append(f"{module.name}.{name}")
    for name, new in choice.attributes.items():
        originals.setdefault(new, []).append("." + name)
    return originals


class _Choice(NamedTuple):
    """The modules with their new names, which of them are bundled, and the new names of attributes."""

    modules: dict[str, SourceModule]
    bundled: list[str]
    attributes: dict[str, str]


def _choose_names(sources: Mapping[str, str], hidden: Collection[str]) -> _Choice:
    """Decide what is bundled and renamed. No name of the bundle is one of the hidden ones."""
    closed = PROGRAM in sources
    trees = {_module_name(path): remove_type_hints(ast.parse(text)) for path, text in sources.items()}
    if closed:
        remove_unused(trees.values())
    modules = {name: SourceModule(name, tree, trees.keys()) for name, tree in trees.items()}
    alone = _find_alone(modules, list_unloaded(sources))
    bundled = _order_bundle(modules, alone) if BUNDLE in modules else []
    choose_globals(modules, bundled, closed, taken={*hidden, *_outer_imports(modules, bundled)})
    return _Choice(modules, bundled, choose_attributes(modules, bundled, closed))


def _bundle(sources: Mapping[str, str], hidden: Collection[str]) -> dict[str, str]:
    """As bundle_modules(), with no name of the bundle among the hidden ones. Raises HiddenNameError for another."""
    modules, bundled, attributes = _choose_names(sources, hidden)

    def resolve(name: str) -> ast.Module:
        return Resolver(modules, name, bundled, attributes).visit(modules[name].tree)

    result = {}
    for path in sources:
        name = _module_name(path)
        if name == BUNDLE:
            result[path] = _join(map(resolve, bundled))
        elif name in bundled:
            result[path] = modules[name].make_stub()
        else:
            result[path] = ast.unparse(resolve(name)) + "\n"
    return result


def _join(trees: Iterable[ast.Module]) -> str:
    """Return the source of the bundle, with each import once."""
    lines: list[str] = []
    for tree in trees:
        for node in tree.body:
            text = ast.unparse(node)
            if not (isinstance(node, (ast.Import, ast.ImportFrom)) and text in lines):
                lines.append(text)
    return "\n".join(lines) + "\n"


def _find_alone(modules: Mapping[str, SourceModule], unloaded: Iterable[str]) -> set[str]:
    """Return the names of the modules that are not bundled although the program needs them at once."""
    alone = {_module_name(path) for path in unloaded} & modules.keys()
    alone |= {name for name, module in modules.items() if any(map(is_native, ast.walk(module.tree)))}
    return alone | {name for name in modules if "." not in name}  # main, and the packages


def _outer_imports(modules: Mapping[str, SourceModule], bundled: Collection[str]) -> set[str]:
    """Return the names that bundled modules import from others. Raises ValueError if a name means two things."""
    outer: dict[str, tuple[str, str | None]] = {}
    for name in bundled:
        for here, (origin, there) in modules[name].imports.items():
            is_inside = origin in bundled or f"{origin}.{there}" in bundled
            if not is_inside and outer.setdefault(here, (origin, there)) != (origin, there):
                raise ValueError("%s imports another %s than the modules before it" % (name, here))
    return set(outer)


def _order_bundle(modules: Mapping[str, SourceModule], alone: Collection[str]) -> list[str]:
    """Return the names of the modules that are bundled, each after those that it imports."""
    order: list[str] = []
    visited: set[str] = set()

    def visit(name: str) -> None:
        if name in visited or name not in modules:
            return
        visited.add(name)
        for imported in _imported_modules(modules[name].tree.body, name):
            visit(imported)
        if name not in alone:
            order.append(name)

    for name in _find_roots(modules, alone):
        visit(name)
    return order


def _find_roots(modules: Mapping[str, SourceModule], alone: Collection[str]) -> list[str]:
    """Return what main.py and the modules that stay alone import; without main.py, what not only functions import."""
    if MAIN in modules:
        needed = _imported_modules(_unconditional_nodes(modules[MAIN].tree), MAIN)
        return needed + [name for lone in sorted(alone) for name in _imported_modules(modules[lone].tree.body, lone)]
    late = {
        imported
        for name, module in modules.items()
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for imported in _imported_modules(ast.walk(node), name)
    }
    return sorted(set(modules) - late)


def _unconditional_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a module that are not inside an `if` statement."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.If):
            yield from _unconditional_nodes(child)


def _imported_modules(nodes: Iterable[ast.AST], name: str) -> list[str]:
    """Return the names of modules, and of what may be modules, that these nodes of a module import."""
    imported = []
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            origin = find_origin(node, name)
            imported += [origin, *[f"{origin}.{alias.name}" for alias in node.names]]
    return imported


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
