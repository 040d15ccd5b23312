"""Rewrites a module of the firmware for its life in, or beside, the one that others were put into.

Here: what each name in it means there. Not here: which modules are put together (bundle.py), what one binds by itself
(source_module.py).
"""

import ast
from typing import Any

from deskonomy_host.boards.deploy.shrink.module import ONE, arguments, bound, origin_of


class HiddenNameError(Exception):
    """A name of the one module that something local hides where it is needed: it has to be another one."""


class Resolver(ast.NodeTransformer):
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
        origin = origin_of(node, self._module.name)
        left = []
        for alias in node.names:
            here = alias.asname or alias.name
            meant = self._meant(origin, alias.name)
            if f"{origin}.{alias.name}" in self._together:
                if not self._is_bundled:
                    left.append(ast.Import([ast.alias(ONE, here)]))
            elif meant is None:
                left.append(ast.ImportFrom(origin, [alias], 0))
            elif not self._is_bundled and isinstance(meant, str):
                left.append(ast.ImportFrom(ONE, [ast.alias(meant, here if here != meant else None)], 0))
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
            raise HiddenNameError(name)
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
        names = set(bound(node.body)) | {one.arg for one in arguments(node.args)}
        if ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
        self._scopes.append((names, True))
        node.body = [new for old in node.body for new in _listed(self.visit(old))] or [ast.Pass()]
        self._scopes.pop()
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        node.args.defaults = [self.visit(one) for one in node.args.defaults]
        self._scopes.append(({one.arg for one in arguments(node.args)}, True))
        node.body = self.visit(node.body)
        self._scopes.pop()
        return node

    def visit_ClassDef(self, node):
        node.bases = [self.visit(one) for one in node.bases]
        if not self._scopes and self._is_bundled:
            node.name = self._module.own[node.name]
        if ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
        self._scopes.append((set(bound(node.body)), False))
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


def _listed(nodes):
    return nodes if isinstance(nodes, list) else [nodes] if nodes is not None else []
