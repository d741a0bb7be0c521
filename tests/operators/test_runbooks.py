"""What a runbook says can be typed: commands that there are, with options that they have, and pages that are linked.

`make runbooks` types them all on an installation of its own.
"""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.operators.runbooks import RUNBOOKS, Typed, commands_of

from linework.cli import app

PAGES = sorted(RUNBOOKS.glob("*.md"))
COMMANDS = [typed for page in PAGES for typed in commands_of(page)]
_INLINE = re.compile(r"`(linework [a-z][^`]*)`")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def faults(text: str, *, is_whole: bool = True) -> Iterator[str]:
    """What keeps a command from being typed as it stands."""
    words = shlex.split(text, comments=True)
    if "--" in words and words[:2] == ["linework", "run"]:
        yield from faults(shlex.join(words[words.index("--") + 1 :]))
    if words[0] == "linework":
        yield from _linework_faults(words[1:], is_whole)
    if words[:2] == ["python", "-m"] and importlib.util.find_spec(words[2]) is None:
        yield f"there is no module {words[2]}"


def _linework_faults(words: list[str], is_whole: bool) -> Iterator[str]:
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands") and words:
        name, *words = words
        if name not in command.commands:
            yield f"there is no command {name}"
            return
        command = command.commands[name]
    if not is_whole:
        return
    try:
        command.make_context(command.name, list(words))
    except Exception as error:  # typer brings a click of its own, whose errors have no public name
        yield str(error)


@pytest.mark.parametrize("typed", COMMANDS, ids=lambda typed: f"{typed.page}: {typed.text[:60]}")
def test_every_command_of_a_page_can_be_typed(typed: Typed) -> None:
    assert list(faults(typed.text)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_says_in_passing_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    wrong = [fault for said in _INLINE.findall(text) for fault in faults(said, is_whole=False)]
    wrong += [f"{link} is not there" for link in _LINK.findall(text) if not (page.parent / link).exists()]
    assert wrong == []


def test_every_page_is_in_the_index() -> None:
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if page.name != "README.md" and f"({page.name})" not in index] == []


@pytest.mark.parametrize(
    "text",
    [
        "linework parkd list fieldwork",
        "linework parked list",
        "linework parked list fieldwork --stat any",
        "linework run qa -- python -m chassis.restord qa",
        "python -m reporting.republsh work-orders",
    ],
)
def test_a_command_that_is_not_there_is_caught(text: str) -> None:
    assert list(faults(text))
