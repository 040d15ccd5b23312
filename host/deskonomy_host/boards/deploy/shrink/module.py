"""What a module of the firmware binds and imports, read off its source.

Here: one module by itself. Not here: which modules become one, and what names mean there (bundle.py, resolver.py).
"""

import ast

ONE = "deskonomy"  # the module that others are put into


class SourceModule:
    """A module.

    own: {name at its top: the name that it gets}. constants: {name: number}. imports: {name here: (module, name
    there, None for the module as a whole)}.
    """

    def __init__(self, name, text):
        self.name = name
        self.tree = ast.parse(text)
        self.constants = dict(_constants(self.tree))
        self.own = {name: name for name in bound(self.tree.body) if name not in self.constants}
        self.imports = {here: (module, there) for here, module, there in _imports(self.tree, name)}

    def settle(self, taken):
        """Give its own names new ones where they are taken."""
        for name in self.own:
            new, stem = name, self.name.split(".")[-1]
            while new in taken:
                new = "_" + stem + name if name.startswith("_") else stem + "_" + name
                stem += "_"
            taken.add(new)
            self.own[name] = new

    def stub(self):
        """What is left of it: its public names, from where they are now."""
        lines = ["%s = %d" % constant for constant in self.constants.items() if constant[0][0] != "_"]
        lines += ["from %s import %s as %s" % (ONE, new, old) for old, new in self.own.items() if old[0] != "_"]
        return "\n".join(lines) + "\n"


def arguments(node):
    """Each ast.arg of an ast.arguments."""
    yield from node.posonlyargs + node.args + node.kwonlyargs
    yield from [one for one in (node.vararg, node.kwarg) if one]


def _constants(tree):
    """(NAME, number) of every NAME = const(number)."""
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Name(id="const"), args=[ast.Constant(value=int(value))]),
            ):
                yield name, value


def bound(body):
    """The names that these statements bind, but for imports, and for those inside of functions and classes."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif not isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            if isinstance(node, ast.ExceptHandler) and node.name:
                yield node.name
            yield from bound(ast.iter_child_nodes(node))


def _imports(tree, name):
    """(name here, module, name there) of everything that is imported by `from`; None for a module as a whole."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, origin_of(node, name), alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield (
                    (alias.asname or alias.name).split(".")[0],
                    alias.name if alias.asname else alias.name.split(".")[0],
                    None,
                )


def origin_of(node, name):
    """The module that this ast.ImportFrom, in the module of this name, imports from."""
    return ".".join([part for part in (name.rpartition(".")[0] if node.level else "", node.module) if part])
