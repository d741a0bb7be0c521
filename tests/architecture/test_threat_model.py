"""The page about threats is true in one respect at least: every file and every test that it names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "threat-model.md"
_NAMED = re.compile(r"`((?:libs|services|tools|deploy|tests)/[\w./-]+)(?:::(\w+))?`")
_LINKED = re.compile(r"\]\(([^)#]+)\)")


def faults(text: str) -> list[str]:
    """What the text names and the repository does not have."""
    found = []
    for name, test in _NAMED.findall(text):
        file = ROOT / name
        if not file.exists():
            found.append(f"{name} is not there")
        elif test and not re.search(rf"^(?:async )?def {test}\(", file.read_text(encoding="utf-8"), re.MULTILINE):
            found.append(f"{name} has no {test}")
    return found + [f"{link} is not there" for link in _LINKED.findall(text) if not (PAGE.parent / link).exists()]


def test_every_file_and_test_that_the_page_names_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert faults(text) == []
    assert len(_NAMED.findall(text)) > 60


@pytest.mark.parametrize(
    "text",
    [
        "`libs/chassis/src/chassis/gard.py`",
        "`libs/chassis/tests/test_auth.py::test_nobody_gets_in`",
        "[a page](no-such-page.md)",
    ],
)
def test_a_name_of_nothing_is_found(text: str) -> None:
    assert len(faults(text)) == 1


def test_each_threat_has_a_word_of_stride_and_what_remains_has_a_place() -> None:
    rows = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| [STRIDE]( [STRIDE])* \|", line)
    ]
    assert len(rows) > 25
    assert [row for row in rows if row.count("|") != 6] == []
    words = {word for row in rows for word in row.split("|")[1].split()}
    assert words == set("STRIDE")
