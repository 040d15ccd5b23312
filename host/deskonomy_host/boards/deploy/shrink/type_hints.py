"""Type hints: removes from a module's syntax tree what only a type checker reads.

Here: annotations, `if TYPE_CHECKING:` blocks and imports of TYPE_CHECKING. Not here: the definition of TYPE_CHECKING,
which is a constant (source_module.py), any other change of a module (scopes.py).

Functions in native code keep their annotations: `@micropython.viper` takes the types of its code from them.
"""

import ast
from typing import Any

FLAG = "TYPE_CHECKING"  # deskonomy/compat.py defines it
_NATIVE = ("viper", "native")


def remove_type_hints(tree: ast.Module) -> ast.Module:
    """Remove what only a type checker reads from a module's tree. Return the tree, which is changed in place."""
    return _Remover().visit(tree)


def is_native(node: ast.AST) -> bool:
    """Return whether this node is a function that the compiler turns into native code."""
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(
        isinstance(decorator, ast.Attribute)
        and isinstance(decorator.value, ast.Name)
        and (decorator.value.id, decorator.attr in _NATIVE) == ("micropython", True)
        for decorator in node.decorator_list
    )


class _Remover(ast.NodeTransformer):
    def visit_If(self, node: ast.If) -> Any:
        self.generic_visit(node)
        is_for_checker = isinstance(node.test, ast.Name) and node.test.id == FLAG
        return node.orelse if is_for_checker else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        node.names = [alias for alias in node.names if alias.name != FLAG]
        return node if node.names else None

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_FunctionDef(self, node: Any) -> Any:
        if is_native(node):
            return node
        node.returns = None
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    def visit_arg(self, node: ast.arg) -> Any:
        node.annotation = None
        return node
