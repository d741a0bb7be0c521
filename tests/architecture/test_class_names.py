"""A class name is defined once in libs, services and tools: whoever reads `Question` need not ask which."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]

SHARED_NAMES = {
    # The body of a route, its domain's command or value, and the tools' own copy of the published body.
    "AnsweredAtOnce": "body of a route and its value in the domain",
    "Case": "answer of a route and its value in the domain",
    "CreateWorkOrder": "body of a route, its command in the domain, and the body as importers check it",
    "DispatchWorkOrder": "body of a route and its command in the domain",
    "LogCall": "body of a route and its command in the domain",
    "NamesBody": "a name in English and in Chinese, in two services",
    "Referral": "answer of a route and its value in the domain",
    "SendToRedispatch": "body of a route and its command in the domain",
    "Settlement": "answer of a route and its value in the domain",
    "Window": "the appointment in the body of an order, and the same as importers check it",
    # The name of a refusal is its published code: services that refuse for the same reason answer with the same code.
    "StaffOutsideWorkArea": "a published code of dispatch and fieldwork",
    "StaffRepeated": "a published code of dispatch and fieldwork",
    # The recount reads the stream with code of its own, which would prove nothing if it were reporting's or intake's.
    "Call": "intake's aggregate, and the same call as the recount reads it from the stream",
    "Leg": "a leg of intake's call, and the same leg as the recount reads it from the stream",
}


def definitions(sources: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    """The files in which each public class is defined, by its name."""
    found = defaultdict(list)
    for file, text in sources:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(file)
    return found


def shared(sources: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    return {name: files for name, files in definitions(sources).items() if len(files) > 1}


def _product() -> list[tuple[str, str]]:
    folders = (*ROOT.glob("libs/*/src"), *ROOT.glob("libs/*/tooling/src"), *ROOT.glob("services/*/src"))
    files = [file for folder in (*folders, ROOT / "tools/src") for file in folder.rglob("*.py")]
    return [(str(file.relative_to(ROOT)), file.read_text()) for file in files]


def test_a_class_name_is_defined_once() -> None:
    assert {name: files for name, files in shared(_product()).items() if name not in SHARED_NAMES} == {}


def test_a_name_on_the_list_is_still_shared() -> None:
    assert SHARED_NAMES.keys() - shared(_product()).keys() == set()


def test_a_second_class_of_the_same_name_is_found() -> None:
    planted = [("a.py", "class Question: ..."), ("b.py", "class Outer:\n    class Question: ...")]

    assert shared(planted) == {"Question": ["a.py", "b.py"]}


def test_a_private_class_may_have_the_name_of_another() -> None:
    assert shared([("a.py", "class _Batch: ..."), ("b.py", "class _Batch: ...")]) == {}
