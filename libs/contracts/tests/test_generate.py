"""What is generated is committed, and is the same each time."""

import subprocess
import sys
from pathlib import Path

import pytest

from contracts.catalogue import CATALOGUE
from contracts.lifecycle import STEPS, Act, Status
from contracts_tooling.generate import PAGE, SCHEMAS_FOLDER, differences, documents, main

ROOT = Path(__file__).parents[3]


def test_the_committed_files_are_what_the_code_generates() -> None:
    assert differences(ROOT) == []


def test_a_second_process_generates_the_same_bytes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "contracts_tooling.generate", "--root", str(tmp_path)]
    subprocess.run(command, check=True, env={"PYTHONHASHSEED": "1"})
    assert {path: (tmp_path / path).read_text(encoding="utf-8") for path in documents()} == documents()


def test_check_passes_after_writing(tmp_path: Path) -> None:
    assert main(["--root", str(tmp_path)]) == 0
    assert main(["--check", "--root", str(tmp_path)]) == 0


def test_check_names_what_differs_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--root", str(tmp_path)])
    changed, missing = SCHEMAS_FOLDER / "asyncapi.json", SCHEMAS_FOLDER / f"{CATALOGUE[0].type}.json"
    extra = SCHEMAS_FOLDER / "linework.gone.v1.json"
    (tmp_path / changed).write_text("{}", encoding="utf-8")
    (tmp_path / missing).unlink()
    (tmp_path / extra).write_text("{}", encoding="utf-8")
    assert main(["--check", "--root", str(tmp_path)]) == 1
    printed = capsys.readouterr().err.splitlines()
    assert f"{changed} differs from the code" in printed
    assert f"{missing} is missing" in printed
    assert f"{extra} is left over" in printed
    assert (tmp_path / changed).read_text(encoding="utf-8") == "{}"
    assert not (tmp_path / missing).exists()
    main(["--root", str(tmp_path)])
    assert differences(tmp_path) == []


def test_the_page_has_every_message_with_its_type() -> None:
    page = documents()[PAGE]
    for entry in CATALOGUE:
        assert f"### {entry.body.__name__}\n" in page
        assert f"`{entry.type}` · {entry.kind}" in page


def test_the_page_has_every_status_and_act() -> None:
    lines = documents()[PAGE].splitlines()
    for status in Status:
        assert sum(line.startswith(f"| `{status}` | ") for line in lines) >= 1
    for act in Act:
        assert any(line.startswith(f"| `{act}` | ") for line in lines)
        assert {status for status, allowed in STEPS if allowed is act}
