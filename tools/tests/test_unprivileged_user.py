"""The system user of PostgreSQL is made once, however many installations start at the same time."""

import os
import pwd
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from linework.embedded import unprivileged

USERADD = """#!/bin/sh
sleep 0.2
set -o noclobber
echo made > "{account}"
"""


def test_two_first_starts_at_once_make_one_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = tmp_path / "account"
    useradd = tmp_path / "useradd"
    useradd.write_text(USERADD.format(account=account))
    useradd.chmod(0o755)

    def getpwnam(name: str) -> str:
        if not account.exists():
            raise KeyError(name)
        return name

    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", getpwnam)
    monkeypatch.setattr(unprivileged, "ACCOUNTS", tmp_path)
    with ThreadPoolExecutor(4) as starts:
        users = list(starts.map(lambda _: unprivileged.unprivileged_user(), range(4)))
    assert users == [unprivileged.USER] * 4
