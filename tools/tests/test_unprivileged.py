"""PostgreSQL's programs as another user runs them."""

import stat
from pathlib import Path

import pytest

from linework.embedded.unprivileged import let_read_programs


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """As a strict umask leaves them."""
    folder = tmp_path / "pginstall"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "postgres").touch()
    for path in (folder / "bin" / "postgres", folder / "bin", folder):
        path.chmod(0o700)
    return folder


def is_for_others(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IROTH)


def test_programs_are_readable_to_others_before_their_folder_says_so(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readable_before_folder: list[bool] = []
    change = Path.chmod

    def chmod(self: Path, mode: int) -> None:
        if self == programs:
            readable_before_folder.extend(is_for_others(path) for path in programs.rglob("*"))
        change(self, mode)

    monkeypatch.setattr(Path, "chmod", chmod)
    let_read_programs(programs)
    assert readable_before_folder == [True, True]
    assert is_for_others(programs)


def test_a_start_after_an_interrupted_one_makes_every_program_readable(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = Path.chmod

    def interrupted(self: Path, mode: int) -> None:
        if self.name == "postgres":
            raise KeyboardInterrupt
        change(self, mode)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "chmod", interrupted)
        with pytest.raises(KeyboardInterrupt):
            let_read_programs(programs)
    let_read_programs(programs)
    assert all(is_for_others(path) for path in programs.rglob("*"))
