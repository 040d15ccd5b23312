"""Scopes: what each name of a module means in the bundle, or beside it; rewrites the module with those meanings.

Here: the scopes of functions, classes and comprehensions. Not here: which modules are bundled (bundle.py), the names
that one module binds (source_module.py).
"""

import ast
from collections.abc import Collection, Mapping
from typing import Any

from deskonomy_host.boards.deploy.shrink.source_module import (
    BUNDLE,
    SourceModule,
    bound_names,
    find_origin,
    list_arguments,
)


class HiddenNameError(Exception):
    """A local name hides a name of the bundle where the latter is needed, so the latter has to be another name."""


class Resolver(ast.NodeTransformer):
    """Rewrites one module of `modules` for its place in the bundle, or beside it.

    The meaning of a name is an ast.Constant, a str (its new name), or None (it stays as it is).
    """

    def __init__(
        self, modules: Mapping[str, SourceModule], name: str, bundled: Collection[str], attributes: Mapping[str, str]
    ) -> None:
        """Prepare for the module of this name. attributes: {name of an attribute or a method: its new name}."""
        self._modules = modules
        self._attributes = attributes
        self._module = modules[name]
        self._bundled = bundled
        self._is_bundled = name in bundled
        # (names, whether functions inside see them) of the functions and classes around the node, outer ones first.
        self._scopes: list[tuple[set[str], bool]] = []

    def visit_Module(self, node: ast.Module) -> Any:
        if ast.get_docstring(node) is not None:
            del node.body[0]
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> Any:
        if not self._scopes and isinstance(node.targets[0], ast.Name) and node.targets[0].id in self._module.constants:
            return None
        return self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> Any:
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        origin = find_origin(node, self._module.name)
        imports: list[ast.stmt] = []
        for alias in node.names:
            here = alias.asname or alias.name
            meaning = self._find_meaning(origin, alias.name)
            if here == "const" and not self._module.uses_const:
                continue
            if f"{origin}.{alias.name}" in self._bundled:
                if not self._is_bundled:
                    imports.append(ast.Import([ast.alias(BUNDLE, here)]))
            elif meaning is None:
                imports.append(ast.ImportFrom(origin, [alias], 0))
            elif isinstance(meaning, str) and origin not in self._bundled:
                imports.append(ast.ImportFrom(origin, [ast.alias(meaning)], 0))
            elif isinstance(meaning, str) and not self._is_bundled:
                imports.append(ast.ImportFrom(BUNDLE, [ast.alias(meaning)], 0))
        return imports if imports or not self._scopes else ast.Pass()

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        if isinstance(node.value, ast.Name) and self._is_import(node.value.id):
            origin, there = self._module.imports[node.value.id]
            module = f"{origin}.{there}" if there else origin
            if module in self._modules:
                return self._resolve_member(node, module)
            if origin not in self._modules:
                return node  # of a module of MicroPython, or of something in it
        node.attr = self._attributes.get(node.attr, node.attr)
        return self.generic_visit(node)

    def _resolve_member(self, node: ast.Attribute, module: str) -> Any:
        """Return what a name of an imported module of the firmware becomes."""
        meaning = self._find_meaning(module, node.attr)
        if isinstance(meaning, ast.Constant):
            return meaning
        if meaning is not None and self._is_bundled and module in self._bundled:
            return ast.Name(self._check_visible(meaning), node.ctx)
        if meaning is not None:
            node.attr = meaning
        return node

    def visit_Name(self, node: ast.Name) -> Any:
        name = node.id
        if self._is_import(name):
            origin, there = self._module.imports[name]
            if self._is_bundled and f"{origin}.{there}" in self._bundled:
                raise ValueError("%s uses the module %s as an object" % (self._module.name, there))
            meaning = self._find_meaning(origin, there)
        elif self._is_class_name(name):
            meaning = self._attributes.get(name)
        elif self._is_local(name):
            return node
        else:
            meaning = self._find_meaning(self._module.name, name)
        if isinstance(meaning, ast.Constant):
            return meaning
        if meaning is not None:
            node.id = self._check_visible(meaning)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> Any:
        if node.name:
            node.name = self._bound_name(node.name)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: Any) -> Any:
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        node.args.defaults = [self.visit(default) for default in node.args.defaults]
        node.args.kw_defaults = [default and self.visit(default) for default in node.args.kw_defaults]
        node.name = self._bound_name(node.name)
        names = set(bound_names(node.body)) | {argument.arg for argument in list_arguments(node.args)}
        if ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
        self._scopes.append((names, True))
        node.body = [new for old in node.body for new in _as_list(self.visit(old))] or [ast.Pass()]
        self._scopes.pop()
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        node.args.defaults = [self.visit(default) for default in node.args.defaults]
        self._scopes.append(({argument.arg for argument in list_arguments(node.args)}, True))
        node.body = self.visit(node.body)
        self._scopes.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        node.bases = [self.visit(base) for base in node.bases]
        node.name = self._bound_name(node.name)
        if ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
        self._scopes.append((set(bound_names(node.body)), False))
        node.body = [new for old in node.body for new in _as_list(self.visit(old))]
        self._scopes.pop()
        return node

    def visit_ListComp(self, node: Any) -> Any:
        nodes = [found for part in node.generators for found in ast.walk(part.target)]
        targets = {found.id for found in nodes if isinstance(found, ast.Name)}
        # The first iterable is evaluated outside the comprehension's scope.
        first, node.generators[0].iter = self.visit(node.generators[0].iter), ast.Constant(None)
        self._scopes.append((targets, True))
        self.generic_visit(node)
        self._scopes.pop()
        node.generators[0].iter = first
        return node

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def visit_Global(self, node: ast.Global) -> Any:
        raise ValueError("%s has a global statement" % self._module.name)

    def _find_meaning(self, origin: str, name: str | None) -> ast.Constant | str | None:
        """Return the meaning of a module's name."""
        module = self._modules.get(origin)
        if module is None or name is None:
            return None
        if name in module.constants:
            return ast.Constant(module.constants[name])
        if name in module.own_names:
            new = module.own_names[name]
            return new if origin in self._bundled or new != name else None
        if name in module.imports:
            return self._find_meaning(*module.imports[name])
        return None

    def _bound_name(self, name: str) -> str:
        """Return the new name of a function, class or exception that is bound here by this name."""
        if not self._scopes:
            return self._module.own_names[name]
        return self._attributes.get(name, name) if self._is_class_name(name) else name

    def _is_class_name(self, name: str) -> bool:
        """Return whether this name, directly in a class, is one that the class binds."""
        return bool(self._scopes) and not self._scopes[-1][1] and name in self._scopes[-1][0]

    def _check_visible(self, name: str) -> str:
        """Return a name of the bundle. Raises HiddenNameError if a local name hides it here."""
        if self._is_local(name):
            raise HiddenNameError(name)
        return name

    def _is_local(self, name: str) -> bool:
        return any(name in names and (seen or n == 0) for n, (names, seen) in enumerate(reversed(self._scopes)))

    def _is_import(self, name: str) -> bool:
        """Return whether a name is what the module imports, not a function's own name."""
        imports = self._module.imports
        return name in imports and not any(name in names for names, _ in self._scopes)


def _as_list(nodes: Any) -> list[Any]:
    return nodes if isinstance(nodes, list) else [nodes] if nodes is not None else []
