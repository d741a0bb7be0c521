"""The chassis serves any trade: it loads no service, not by a string either, and knows no word of the trade.

A service that the chassis has to reach registers itself, as an entry point of its package.
"""

import ast
import re
from collections.abc import Iterator

import pytest
from tests.architecture.test_imports import LIBRARIES, SERVICES, imports_of, modules

LOADERS = ("importlib", "pkgutil", "runpy", "imp", "pydoc", "pkg_resources")
"""Modules that import what a string names."""
BUILT_IN_LOADERS = {"__import__", "eval", "exec", "compile"}
ALLOWED_LOADERS = ("importlib.metadata", "importlib.resources")
"""They read what packages say of themselves."""
IN_A_SERVICE = re.compile(rf"(?:{'|'.join(sorted(SERVICES))})(?:\.\w+)+(?::\w+)?")

TRADE = re.compile(
    r"\b(?:"
    r"work[\s_-]?orders?|orders|order[_\s](?:id|no|number)s?|the order's|work[\s_-]?areas?|tickets?|territor(?:y|ies)"
    r"|subscriber_(?:id|no)|subscribers|technicians?|dispatchers?|auditors?|supervisors?|agents?|custod(?:y|ians?)"
    r"|calls? centres?|telephony|recordings|recording_id|questionnaires?|outages?|complaints?"
    r"|redispatch|fieldwork|intake"
    r")\b",
    re.IGNORECASE,
)
"""Words of the call centre and its field staff. `order` alone is left out: rows have one."""
PUBLISHED = {"chassis.settings": {"intake", "recordings", "recording_id"}}
"""What a module may say because operators know it by this name: INTAKE_URL and RECORDINGS_URL."""


def loads(text: str, module: str) -> Iterator[str]:
    """How a text could import a module whose name it has in a string, and which modules of services it names."""
    for imported in imports_of(text, module):
        if imported.split(".")[0] in LOADERS and not imported.startswith(ALLOWED_LOADERS):
            yield f"imports {imported}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BUILT_IN_LOADERS:
            yield f"calls {node.func.id}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and IN_A_SERVICE.fullmatch(node.value):
            yield f"names {node.value}"


def trade_words(text: str) -> set[str]:
    """Identifiers count as the words that they are made of."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return {word.lower() for word in TRADE.findall(split)} | {
        word.lower() for word in TRADE.findall(split.replace("_", " "))
    }


def test_no_library_loads_a_service() -> None:
    found = [
        f"{module} {how}"
        for module, file in modules().items()
        if module.split(".")[0] in LIBRARIES
        for how in loads(file.read_text(encoding="utf-8"), module)
    ]
    assert found == []


@pytest.mark.parametrize(
    "planted",
    [
        "import importlib\nimportlib.import_module(f'{name}.consumers')",
        "from importlib import import_module",
        "def later():\n    import importlib.util",
        "from pkgutil import resolve_name",
        "import runpy",
        "__import__('intake')",
        "exec(code)",
        "uvicorn.run('intake.main:app')",
        "load('qa.follow_up.use_cases')",
    ],
)
def test_a_planted_load_is_caught(planted: str) -> None:
    assert list(loads(planted, "chassis.relay"))


@pytest.mark.parametrize(
    "text", ["from importlib.metadata import entry_points", "log('qa. reporting.')", "x = 'intake'"]
)
def test_what_loads_nothing_is_let_through(text: str) -> None:
    assert list(loads(text, "chassis.relay")) == []


def test_the_chassis_has_no_word_of_the_trade() -> None:
    found = {
        module: words
        for module, file in modules().items()
        if module.split(".")[0] == "chassis" and ".migrations" not in module  # frozen text, with names of old revisions
        if (words := trade_words(file.read_text(encoding="utf-8")) - PUBLISHED.get(module, set()))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("planted", "word"),
    [
        ("# who sees a work order", "work order"),
        ("class WorkOrderSeen: ...", "work order"),
        ("def lock(work_area_id): ...", "work area"),
        ("span.set('linework.order_id')", "order_id"),
        ("'''The technicians' lists.'''", "technicians"),
        ("f'/v1/tickets/{ticket}'", "tickets"),
    ],
)
def test_a_planted_word_is_caught(planted: str, word: str) -> None:
    assert word in trade_words(planted)


@pytest.mark.parametrize("text", ["select * from outbox order by id", "in the order given", "OrderedDict()"])
def test_an_order_of_rows_is_no_order_of_the_trade(text: str) -> None:
    assert trade_words(text) == set()
