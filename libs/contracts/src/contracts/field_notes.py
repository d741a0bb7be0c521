"""What the docstrings below the fields of a class say: the published meaning of each field."""

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache


@cache
def field_notes(shape: type) -> Mapping[str, str]:
    """By field, inherited ones included."""
    notes: dict[str, str] = {}
    for holder in reversed(shape.__mro__):
        notes |= _notes_of_module(holder.__module__).get(holder.__qualname__, {})
    return notes


@cache
def _notes_of_module(name: str) -> Mapping[str, Mapping[str, str]]:
    """By class; a module is parsed once, since finding a single class in it costs as much."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[name]))
    except (KeyError, OSError, TypeError):  # built in, or without its source
        return {}
    return dict(_classes(tree, ""))


def _classes(scope: ast.AST, prefix: str) -> list[tuple[str, Mapping[str, str]]]:
    found: list[tuple[str, Mapping[str, str]]] = []
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.ClassDef):
            found.append((f"{prefix}{node.name}", _notes(node)))
            found += _classes(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found += _classes(node, f"{prefix}{node.name}.<locals>.")
    return found


def _notes(definition: ast.ClassDef) -> Mapping[str, str]:
    notes = {}
    for field, note in zip(definition.body, definition.body[1:], strict=False):
        match field, note:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                notes[name] = inspect.cleandoc(text)
    return notes
