"""What an operator or a client meets is documented: every setting, every error code, in both languages."""

import re
import string
import tomllib
from pathlib import Path

import pytest
from deploy import reference_pages

from chassis.settings import Settings
from contracts.refusals import Refusal

ROOT = Path(__file__).parents[2]
REFUSALS = reference_pages.refusals_of(reference_pages.packages_of(ROOT))


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def faults(refusal: type[Refusal]) -> list[str]:
    """What is wrong with the sentences of a refusal."""
    found = []
    if "zh" not in vars(refusal):
        found.append("it has no Chinese sentence of its own")
    if not refusal.__doc__:
        found.append("it has no English sentence")
    if placeholders(refusal.zh) != placeholders(refusal.__doc__ or ""):
        found.append(f"{placeholders(refusal.zh)} in Chinese, {placeholders(refusal.__doc__ or '')} in English")
    if not any("\u4e00" <= character <= "\u9fff" for character in refusal.zh):
        found.append("its Chinese sentence has no Chinese in it")
    return found


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.code)
def test_every_refusal_says_the_same_in_both_languages(refusal: type[Refusal]) -> None:
    assert faults(refusal) == []


def test_a_refusal_that_does_not_is_caught() -> None:
    class Silent(Refusal):
        """{what} is silent."""

    class Different(Refusal):
        """{what} differs."""

        zh = "{which} 不同。"

    class English(Refusal):
        """{what} is English."""

        zh = "{what} is English."

    assert len(faults(Silent)) == 2
    assert len(faults(Different)) == 1
    assert len(faults(English)) == 1


def test_a_code_means_one_thing_in_a_service() -> None:
    codes = [(refusal.__module__.split(".")[0], refusal.code) for refusal in REFUSALS]
    assert sorted({code for code in codes if codes.count(code) > 1}) == []
    assert len(codes) > 30


def test_every_setting_has_a_meaning() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_pages_say_what_the_code_says(tmp_path: Path) -> None:
    assert reference_pages.differences(ROOT) == [], "run `python -m deploy.reference_pages`"
    assert len(reference_pages.differences(tmp_path)) == 3


def declared(project: Path) -> set[str]:
    """What a project says that it needs, its parts of this repository left out."""
    told = tomllib.loads(project.read_text())
    needed = [*told["project"].get("dependencies", []), *told.get("build-system", {}).get("requires", [])]
    for group in told.get("dependency-groups", {}).values():
        needed += [one for one in group if isinstance(one, str)]
    names = {re.split(r"[\[<>=;~! ]", one, maxsplit=1)[0].lower() for one in needed}
    return {name for name in names if not name.startswith("linework")}


def test_the_readme_says_what_each_dependency_is_for() -> None:
    told = (ROOT / "README.md").read_text().partition("## What each dependency is for")[2].lower()
    projects = [ROOT / "pyproject.toml", *ROOT.glob("*/pyproject.toml"), *ROOT.glob("*/*/pyproject.toml")]
    needed = set().union(*map(declared, projects))
    assert len(needed) > 30
    families = ("opentelemetry-", "pytest-")  # told of together: "OpenTelemetry SDK", "pytest with asyncio"
    assert {name for name in needed if name.removeprefix(families[0]).removeprefix(families[1]) not in told} <= {
        "opentelemetry-exporter-otlp-proto-http"
    }
