"""What a newcomer meets first: the two READMEs tell the same, and hooks and CI call what the Makefile has."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = (ROOT / name for name in ("README.md", "README.zh-CN.md"))
TARGETS = set(re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
_CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def headings(text: str) -> list[int]:
    return [len(marks) for marks in re.findall(r"^(#+) ", _CODE_BLOCK.sub("", text), re.MULTILINE)]


def links(text: str) -> list[str]:
    """Where they lead, and the addresses that are written out; without those from one README to the other."""
    found = re.findall(r"\]\(([^)]+)\)|(https?://[\w.:/-]+)", text)
    return [one for one in ("".join(pair) for pair in found) if one not in (ENGLISH.name, CHINESE.name)]


def commands(text: str) -> list[str]:
    """The lines of all code blocks, without what is explained beside and in them."""
    lines = "\n".join(_CODE_BLOCK.findall(text)).splitlines()
    return [re.split(r" {3,}\S*[^\x00-\x7f ]| {4,}[a-z]|(?:^| )#", line.strip())[0].strip() for line in lines]


def names(text: str) -> list[str]:
    """What is set as code in the text, in tables and outside."""
    return sorted(re.findall(r"`([^`]+)`", _CODE_BLOCK.sub("", text)))


@pytest.mark.parametrize("part", [headings, links, commands, names], ids=lambda part: part.__name__)
def test_both_readmes_tell_the_same(part: object) -> None:
    assert callable(part)
    english, chinese = part(ENGLISH.read_text("utf-8")), part(CHINESE.read_text("utf-8"))
    assert english == chinese
    assert len(english) >= 7


def test_both_readmes_have_rows_for_the_same_things() -> None:
    def table_sizes(path: Path) -> list[int]:
        return [len(table.splitlines()) for table in re.findall(r"(?:^\|.*\n)+", path.read_text("utf-8"), re.MULTILINE)]

    assert table_sizes(ENGLISH) == table_sizes(CHINESE)
    assert len(table_sizes(ENGLISH)) == 4


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", "docs/compose.md"])
def test_every_link_of_the_first_pages_leads_somewhere(name: str) -> None:
    page = ROOT / name
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert link.startswith("http") or (page.parent / link).exists(), link


def test_hooks_call_targets_of_the_makefile() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["entry"].split()[0] for hook in hooks] == ["make"] * len(hooks)
    assert {hook["entry"].split()[1] for hook in hooks} <= TARGETS


def test_the_example_of_a_ci_calls_targets_of_the_makefile_and_the_script_of_ours() -> None:
    jobs = yaml.safe_load((ROOT / "docs/ci/github.yml").read_text())["jobs"]
    run = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert "bash .ci/run" in run
    assert {command.split()[1] for command in run if command.startswith("make ")} <= TARGETS
    assert all(command.startswith(("make ", "bash .ci/run")) for command in run)


def test_every_make_target_that_a_page_names_exists() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    named = {target for page in pages for target in re.findall(r"`make ([a-z0-9-]+)", page.read_text("utf-8"))}
    assert named <= TARGETS
    assert len(named) > 10


def test_make_refuses_a_python_that_is_too_old_with_one_sentence() -> None:
    as_if_old = "import sys; sys.version_info = (3, 10, 4); sys.path.insert(0, 'tools'); import prepare; prepare.main()"
    done = subprocess.run([sys.executable, "-c", as_if_old], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("make install: Python 3.11 or newer is needed")
    assert len(done.stderr.splitlines()) == 1
