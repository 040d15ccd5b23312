"""The firmware's modules put together into one, and its constants put where they are used.

On a board each module takes 256 bytes, each name that it imports 16, and each text that two of them have twice that
text. So those that stay in memory become one, deskonomy/__init__.py. For whoever asks for one of them by its old name,
at a REPL, a file is left that takes memory only then.

Here: sources in, sources out; see bundled(). Not here: compiling them (build.py).
"""

import ast
from typing import Any

_ONE = "deskonomy"
_MAIN = "main"


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
        except _Hidden as name:
            hidden.add(str(name))


class _Hidden(Exception):
    """A name of the one module that something local hides where it is needed: it has to be another one."""


def _bundled(sources, apart, hidden):
    """As bundled(), without the names that are hidden somewhere. Raises _Hidden."""
    modules = {_name(path): _Module(_name(path), text) for path, text in sources.items()}
    alone = {_name(path) for path in apart if path in sources} | {name for name in modules if name.count(".") == 0}
    together = _in_order(modules, alone) if _ONE in modules else []
    taken = hidden | _beside(modules, together)
    for name in together:
        modules[name].settle(taken)
    lines = []
    for name in together:
        for node in _Resolved(modules, name, together).visit(modules[name].tree).body:
            text = ast.unparse(node)
            if not (isinstance(node, (ast.Import, ast.ImportFrom)) and text in lines):
                lines.append(text)
    result = {}
    for path in sources:
        name = _name(path)
        if name == _ONE:
            result[path] = "\n".join(lines) + "\n"
        elif name in together:
            result[path] = modules[name].stub()
        else:
            result[path] = ast.unparse(_Resolved(modules, name, together).visit(modules[name].tree)) + "\n"
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


class _Module:
    """A module.

    own: {name at its top: the name that it gets}. constants: {name: number}. imports: {name here: (module, name
    there, None for the module as a whole)}.
    """

    def __init__(self, name, text):
        self.name = name
        self.tree = ast.parse(text)
        self.constants = dict(_constants(self.tree))
        self.own = {name: name for name in _bound(self.tree.body) if name not in self.constants}
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
        lines += ["from %s import %s as %s" % (_ONE, new, old) for old, new in self.own.items() if old[0] != "_"]
        return "\n".join(lines) + "\n"


class _Resolved(ast.NodeTransformer):
    """Rewrites one module: what its names mean in the one module, or beside it."""

    def __init__(self, modules, name, together):
        self._modules = modules
        self._module = modules[name]
        self._together = together
        self._is_bundled = name in together
        self._scopes = []  # (names, whether functions inside see them) of the functions and classes around

    def visit_Module(self, node):
        if ast.get_docstring(node) is not None:
            del node.body[0]
        return self.generic_visit(node)

    def visit_Assign(self, node):
        if not self._scopes and isinstance(node.targets[0], ast.Name) and node.targets[0].id in self._module.constants:
            return None
        return self.generic_visit(node)

    def visit_Import(self, node):
        return node

    def visit_ImportFrom(self, node):
        origin = _origin(node, self._module.name)
        left = []
        for alias in node.names:
            here = alias.asname or alias.name
            meant = self._meant(origin, alias.name)
            if f"{origin}.{alias.name}" in self._together:
                if not self._is_bundled:
                    left.append(ast.Import([ast.alias(_ONE, here)]))
            elif meant is None:
                left.append(ast.ImportFrom(origin, [alias], 0))
            elif not self._is_bundled and isinstance(meant, str):
                left.append(ast.ImportFrom(_ONE, [ast.alias(meant, here if here != meant else None)], 0))
        return left if left or not self._scopes else ast.Pass()

    def visit_Attribute(self, node):
        if isinstance(node.value, ast.Name) and self._is_import(node.value.id):
            origin, there = self._module.imports[node.value.id]
            meant = self._meant(f"{origin}.{there}" if there else origin, node.attr)
            if isinstance(meant, int):
                return ast.Constant(meant)
            if meant is not None and self._is_bundled:
                return ast.Name(self._seen(meant), node.ctx)
            if meant is not None:
                node.attr = meant
            return node
        return self.generic_visit(node)

    def visit_Name(self, node):
        name = node.id
        if self._is_import(name):
            origin, there = self._module.imports[name]
            if self._is_bundled and f"{origin}.{there}" in self._together:
                raise ValueError("%s uses the module %s as an object" % (self._module.name, there))
            meant = self._meant(origin, there)
        elif self._is_local(name):
            return node
        else:
            meant = self._meant(self._module.name, name)
        if isinstance(meant, int):
            return ast.Constant(meant)
        if meant is not None and self._is_bundled:
            node.id = self._seen(meant)
        return node

    def _seen(self, name):
        if self._is_local(name):
            raise _Hidden(name)
        return name

    def _meant(self, origin, name):
        """What a name of a module of ours means: a number, or the name that it has in the one module; else None."""
        module = self._modules.get(origin)
        if module is None:
            return None
        if name in module.constants:
            return module.constants[name]
        if name in module.own:
            return module.own[name] if origin in self._together else None
        if name in module.imports:
            return self._meant(*module.imports[name])
        return None

    def visit_FunctionDef(self, node: Any):
        node.decorator_list = [self.visit(one) for one in node.decorator_list]
        node.args.defaults = [self.visit(one) for one in node.args.defaults]
        node.args.kw_defaults = [one and self.visit(one) for one in node.args.kw_defaults]
        if not self._scopes and self._is_bundled:
            node.name = self._module.own[node.name]
        names = set(_bound(node.body)) | {one.arg for one in _arguments(node.args)}
        if ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
        self._scopes.append((names, True))
        node.body = [new for old in node.body for new in _listed(self.visit(old))] or [ast.Pass()]
        self._scopes.pop()
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        node.args.defaults = [self.visit(one) for one in node.args.defaults]
        self._scopes.append(({one.arg for one in _arguments(node.args)}, True))
        node.body = self.visit(node.body)
        self._scopes.pop()
        return node

    def visit_ClassDef(self, node):
        node.bases = [self.visit(one) for one in node.bases]
        if not self._scopes and self._is_bundled:
            node.name = self._module.own[node.name]
        if ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
        self._scopes.append((set(_bound(node.body)), False))
        node.body = [new for old in node.body for new in _listed(self.visit(old))]
        self._scopes.pop()
        return node

    def visit_ListComp(self, node: Any) -> Any:
        targets = {one.id for part in node.generators for one in ast.walk(part.target) if isinstance(one, ast.Name)}
        first, node.generators[0].iter = self.visit(node.generators[0].iter), ast.Constant(None)
        self._scopes.append((targets, True))
        self.generic_visit(node)
        self._scopes.pop()
        node.generators[0].iter = first
        return node

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def visit_Global(self, node):
        raise ValueError("%s says global" % self._module.name)

    def _is_local(self, name):
        return any(name in names and (sees or n == 0) for n, (names, sees) in enumerate(reversed(self._scopes)))

    def _is_import(self, name):
        """Whether this name is what is imported here, not something of the same name in a function."""
        imports = self._module.imports
        return name in imports and not any(name in names for names, _ in self._scopes)


def _name(path):
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _listed(nodes):
    return nodes if isinstance(nodes, list) else [nodes] if nodes is not None else []


def _arguments(arguments):
    yield from arguments.posonlyargs + arguments.args + arguments.kwonlyargs
    yield from [one for one in (arguments.vararg, arguments.kwarg) if one]


def _constants(tree):
    """(NAME, number) of every NAME = const(number)."""
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Name(id="const"), args=[ast.Constant(value=int(value))]),
            ):
                yield name, value


def _bound(body):
    """The names that these statements bind, but for imports, and for those inside of functions and classes."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif not isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            if isinstance(node, ast.ExceptHandler) and node.name:
                yield node.name
            yield from _bound(ast.iter_child_nodes(node))


def _imports(tree, name):
    """(name here, module, name there) of everything that is imported by `from`; None for a module as a whole."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, _origin(node, name), alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield (
                    (alias.asname or alias.name).split(".")[0],
                    alias.name if alias.asname else alias.name.split(".")[0],
                    None,
                )


def _origin(node, name):
    return ".".join([part for part in (name.rpartition(".")[0] if node.level else "", node.module) if part])


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
        needed = _needed(ast.walk(modules[_MAIN].tree), _MAIN)
        return needed + [inside for name in sorted(alone) for inside in _needed(modules[name].tree.body, name)]
    late = {
        inside
        for name, module in modules.items()
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for inside in _needed(ast.walk(node), name)
    }
    return sorted(set(modules) - late)


def _needed(nodes, name):
    """The names of modules, and of what may be modules, that these nodes of a module import."""
    needed = []
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            origin = _origin(node, name)
            needed += [origin, *[f"{origin}.{alias.name}" for alias in node.names]]
    return needed
