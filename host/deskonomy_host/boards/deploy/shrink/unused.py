"""Unused functions: removes from a whole program what only hosts and other programs use.

Here: functions, methods and classes whose names occur nowhere else. Not here: the names of the others (new_names.py).
"""

import ast
from collections.abc import Iterable, Iterator

from deskonomy_host.boards.deploy.shrink.source_module import MAIN

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def remove_unused(trees: Iterable[ast.Module]) -> None:
    """Remove definitions that no module of a program names, until none is left. The trees are changed in place."""
    trees = list(trees)
    is_complete = False
    while not is_complete:
        used = {name for tree in trees for name in _used_names(tree)} | {MAIN}
        removed = [_remove_from(node, used) for tree in trees for node in ast.walk(tree)]
        is_complete = not any(removed)


def _remove_from(node: ast.AST, used: set[str]) -> bool:
    """Remove unused definitions from the body of a module or a class. Return whether there was one."""
    if not isinstance(node, (ast.Module, ast.ClassDef)):
        return False
    kept = [part for part in node.body if not (isinstance(part, _Definition) and _is_unused(part.name, used))]
    is_changed = len(kept) < len(node.body)
    node.body = kept or [ast.Pass()]
    return is_changed


def _is_unused(name: str, used: set[str]) -> bool:
    """Return whether no module needs this name. A __repr__ is called only for debugging."""
    return name == "__repr__" or (name not in used and not name.startswith("__"))


def _used_names(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module reads or imports, and the texts that may be names."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name) | ast.alias(name=name):
                yield name
            case ast.Constant(value=str(name)):
                yield name
