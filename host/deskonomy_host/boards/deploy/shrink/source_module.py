"""A module of the firmware as its source describes it: the names that it binds and imports.

Here: one module by itself. Not here: which modules become one (bundle.py), what a name means there (scopes.py).
"""

import ast
import re
from collections.abc import Collection, Iterable, Iterator

from deskonomy_host.boards.deploy.shrink.type_hints import FLAG

BUNDLE = "deskonomy"  # the module that other modules are put into
MAIN = "main"  # the module of a whole program that starts it
_NAMES = re.compile(r"[\w ,]+")


class SourceModule:
    """A module.

    Attributes:
        name: Such as "deskonomy.wire.codec".
        tree: Its syntax tree.
        constants: {name: number or text} of every NAME = const(...) at its top, and of TYPE_CHECKING.
        own_names: {name that it binds at its top: its new name}.
        imports: {name: (module, name there; None for the module as a whole)}.
        identifiers: Every name in it.
        uses_const: Whether it calls const() for more than its constants.
        texts: Every text in it that could be a name, and the words of a text that could be a list of names.
        short_texts: Its texts that are names of up to 10 letters, which the compiler makes names.
        attributes: The names of attributes that it uses or defines, but for those of modules.
        defined_attributes: Those that it defines.
    """

    def __init__(self, name: str, tree: ast.Module, module_names: Collection[str]) -> None:
        """Describe a module by its tree, which has no type hints. module_names: of all modules of the firmware."""
        self.name = name
        self.tree = tree
        self._module_names = module_names
        const_calls = dict(_find_constants(self.tree))
        self.constants: dict[str, int | str] = const_calls | dict(_find_flag(self.tree))
        self.own_names = {bound: bound for bound in bound_names(self.tree.body) if bound not in self.constants}
        self.imports = {here: (module, there) for here, module, there in _find_imports(self.tree, name)}
        nodes = list(ast.walk(self.tree))
        uses_of_const = [node for node in nodes if isinstance(node, ast.Name) and node.id == "const"]
        self.uses_const = len(uses_of_const) > len(const_calls)
        self.identifiers = set(_find_identifiers(nodes))
        self.texts = set(_find_texts(nodes))
        self.short_texts = set(_find_short_texts(nodes))
        classes = {bound for node in nodes if isinstance(node, ast.ClassDef) for bound in bound_names(node.body)}
        attributes = [node for node in nodes if isinstance(node, ast.Attribute) and not self._is_of_module(node)]
        self.attributes = classes | {node.attr for node in attributes}
        self.defined_attributes = classes | {node.attr for node in attributes if isinstance(node.ctx, ast.Store)}

    def make_stub(self) -> str:
        """Return the source of the file that stays in a bundled module's place: its public names, from the bundle."""
        lines = ["%s = %r" % constant for constant in self.constants.items() if constant[0][0] != "_"]
        lines += [
            "from %s import %s as %s" % (BUNDLE, new, old) for old, new in self.own_names.items() if old[0] != "_"
        ]
        return "\n".join(lines) + "\n"

    def _is_of_module(self, node: ast.Attribute) -> bool:
        """Return whether this is an attribute of a module, or of anything that is not the firmware's."""
        if not isinstance(node.value, ast.Name) or node.value.id not in self.imports:
            return False
        origin, there = self.imports[node.value.id]
        return there is None or origin not in self._module_names or f"{origin}.{there}" in self._module_names


def list_arguments(node: ast.arguments) -> Iterator[ast.arg]:
    """Yield every argument of a function."""
    yield from node.posonlyargs + node.args + node.kwonlyargs
    yield from [argument for argument in (node.vararg, node.kwarg) if argument]


def bound_names(body: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that statements bind: not those of imports, nor those bound inside functions and classes."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif not isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            if isinstance(node, ast.ExceptHandler) and node.name:
                yield node.name
            yield from bound_names(ast.iter_child_nodes(node))


def find_origin(node: ast.ImportFrom, module: str) -> str:
    """Return the name of the module that this statement, in the module of this name, imports from."""
    return ".".join([part for part in (module.rpartition(".")[0] if node.level else "", node.module) if part])


def _find_constants(tree: ast.Module) -> Iterator[tuple[str, int | str]]:
    """Yield (NAME, value) of every NAME = const(value) at the top of a module whose value is a number or a text."""
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Name(id="const"), args=[ast.Constant(value=int(value) | str(value))]),
            ):
                yield name, value


def _find_flag(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the name and the value of `TYPE_CHECKING = False`."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=False)) if name == FLAG:
                yield name, False


def _find_imports(tree: ast.Module, module: str) -> Iterator[tuple[str, str, str | None]]:
    """Yield (name here, module, name there) of every import of a module; None for another module as a whole."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, find_origin(node, module), alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                package = alias.name.split(".")[0]
                yield alias.asname or package, alias.name if alias.asname else package, None


def _find_identifiers(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names in these nodes, of variables, attributes, arguments, functions, classes and imports."""
    for node in nodes:
        for field in ("id", "attr", "arg", "name", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield from value.split(".")
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from node.module.split(".")


def _find_texts(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the words of texts that consist of names, such as the fields of a namedtuple."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _NAMES.fullmatch(node.value):
            yield from re.findall(r"\w+", node.value)


def _find_short_texts(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Constant(value=str(text)) if len(text) <= 10 and text.isidentifier():
                yield text
