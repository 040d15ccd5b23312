"""Constants that one module of the firmware has and others use, put in where they are used.

MicroPython folds `NAME = const(1)` inside its module, but keeps every NAME for the other modules: some 40 bytes of a
board's memory each, and a look-up at each use. Here: sources in, sources out. Not here: compiling them (deploy.py).
"""

import ast


def folded(sources):
    """The same {path: source text}, in which `module.NAME` is a number wherever that module says NAME = const(number).

    Such a NAME then begins with an underscore, for which MicroPython keeps nothing, unless somebody imports it by name.
    """
    trees = {path: ast.parse(text) for path, text in sources.items()}
    imports = {path: _imports(tree, path) for path, tree in trees.items()}
    by_name = {(module, name) for _, names in imports.values() for module, name in names}
    constants = {}
    for path, tree in trees.items():
        module = _module(path)
        found = {name: value for name, value in _constants(tree) if (module, name) not in by_name}
        constants[module] = found
    return {
        path: _rewritten(text, trees[path], constants[_module(path)], imports[path][0], constants)
        for path, text in sources.items()
    }


def _module(path):
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _constants(tree):
    """(NAME, number) of every NAME = const(number) that is no private one."""
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Name(id="const"), args=[ast.Constant(value=int(value))]),
            ) if not name.startswith("_"):
                yield name, value


def _imports(tree, path):
    """({name here: module}, {(module, name)}): what this source imports of modules as a whole, and of names in them."""
    package = _module(path).rpartition(".")[0]
    modules, names = {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            origin = ".".join(part for part in (package if node.level else "", node.module) if part)
            for alias in node.names:
                modules[alias.asname or alias.name] = f"{origin}.{alias.name}"
                names.add((origin, alias.name))
    return modules, names


def _rewritten(text, tree, own, modules, constants):
    edits = []
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=alias), attr=name) if name in constants.get(modules.get(alias), ()):
                edits.append((node, str(constants[modules[alias]][name])))
            case ast.Name(id=name) if name in own:
                edits.append((node, "_" + name))
    lines = [line.encode() for line in text.splitlines(keepends=True)]
    for node, new in sorted(edits, key=lambda edit: (edit[0].lineno, edit[0].col_offset), reverse=True):
        line = lines[node.lineno - 1]
        lines[node.lineno - 1] = line[: node.col_offset] + new.encode() + line[node.end_col_offset :]
    return b"".join(lines).decode()
