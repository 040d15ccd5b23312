"""The firmware's modules put together into one, and its constants put where they are used.

On a board each module takes 256 bytes, each name that it imports 16, and each text that two of them have twice that
text. So those that stay in memory become one, deskonomy/__init__.py. For whoever asks for one of them by its old name,
at a REPL, a file is left that takes memory only then.

Here: sources in, sources out; see bundled(). Not here: what a name then means (resolver.py), compiling (build.py).
"""

import ast
import re

from deskonomy_host.boards.deploy.shrink.module import ONE, SourceModule, origin_of
from deskonomy_host.boards.deploy.shrink.scopes import HiddenNameError, Resolver

NATIVE = re.compile(r"^[ \t]*@micropython\.(viper|native)\n", re.MULTILINE)
_MAIN = "main"
_UNLOADED = "UNLOADED"  # the name in main.py of the list of modules that it unloads


def as_on_board(sources):
    """The firmware, {path: source text}, in as few modules as a board should hold it in. Raises ValueError."""
    native = [path for path, text in sources.items() if NATIVE.search(text)]
    return bundled(sources, [*unloaded(sources), *native])


def unloaded(sources):
    """The paths of the modules that main.py unloads after a start; none without a main.py."""
    tree = ast.parse(sources.get(_MAIN + ".py", ""))
    lists = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == _UNLOADED
    ]
    return [name.replace(".", "/") + ".py" for names in lists for name in names]


def bundled(sources, apart):
    """{path: source text} for {path: source text}: the same programs in fewer modules.

    Put together is what main.py and the modules `apart` (paths) import, and what those import at their top. A module
    that only a function imports, at the moment that it is needed, stays a module, and so do those apart.

    Constants (NAME = const(number) at the top of a module) become numbers wherever they are used. What two modules call
    alike is told apart by renaming what comes later: `line` of tcp.py becomes `tcp_line`. Raises ValueError for what is
    not understood: a `global` statement, or a bundled module that is used as an object.
    """
    hidden = set()
    while True:
        try:
            return _bundled(sources, apart, hidden)
        except HiddenNameError as name:
            hidden.add(str(name))


def _bundled(sources, apart, hidden):
    """As bundled(), without the names that are hidden somewhere. Raises HiddenNameError."""
    modules = {_name(path): SourceModule(_name(path), text) for path, text in sources.items()}
    alone = {_name(path) for path in apart if path in sources} | {name for name in modules if name.count(".") == 0}
    together = _in_order(modules, alone) if ONE in modules else []
    taken = hidden | _beside(modules, together)
    for name in together:
        modules[name].settle(taken)
    lines = []
    for name in together:
        for node in Resolver(modules, name, together).visit(modules[name].tree).body:
            text = ast.unparse(node)
            if not (isinstance(node, (ast.Import, ast.ImportFrom)) and text in lines):
                lines.append(text)
    result = {}
    for path in sources:
        name = _name(path)
        if name == ONE:
            result[path] = "\n".join(lines) + "\n"
        elif name in together:
            result[path] = modules[name].stub()
        else:
            result[path] = ast.unparse(Resolver(modules, name, together).visit(modules[name].tree)) + "\n"
    return result


def _beside(modules, together):
    """The names that the modules put together import from others. Raises ValueError if one means two things."""
    beside = {}
    for name in together:
        for here, (origin, there) in modules[name].imports.items():
            inside = origin in together or f"{origin}.{there}" in together
            if not inside and beside.setdefault(here, (origin, there)) != (origin, there):
                raise ValueError("%s imports another %s than the modules before it" % (name, here))
    return set(beside)


def _name(path):
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _in_order(modules, alone):
    """The names of the modules that are put together, each after those that it needs."""
    order, seen = [], set()

    def add(name):
        if name in seen or name not in modules:
            return
        seen.add(name)
        for inside in _needed(modules[name].tree.body, name):
            add(inside)
        if name not in alone:
            order.append(name)

    for name in _roots(modules, alone):
        add(name)
    return order


def _roots(modules, alone):
    """What main.py and others that stay alone import; without main.py, all but what only functions import."""
    if _MAIN in modules:
        needed = _needed(_unconditional(modules[_MAIN].tree), _MAIN)
        return needed + [inside for name in sorted(alone) for inside in _needed(modules[name].tree.body, name)]
    late = {
        inside
        for name, module in modules.items()
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for inside in _needed(ast.walk(node), name)
    }
    return sorted(set(modules) - late)


def _unconditional(node):
    """The nodes of a module that run, or are defined, whatever a condition says."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.If):
            yield from _unconditional(child)


def _needed(nodes, name):
    """The names of modules, and of what may be modules, that these nodes of a module import."""
    needed = []
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            origin = origin_of(node, name)
            needed += [origin, *[f"{origin}.{alias.name}" for alias in node.names]]
    return needed
