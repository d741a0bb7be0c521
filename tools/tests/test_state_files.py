"""A state folder with anything in its files ends in a sentence, and one installation is started once."""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from chassis.testing import eventually
from linework.processes import Child, find_recorded, stop_leftovers, write_record
from linework.runtime import detached
from linework.runtime.giving_up import GivingUp, end_with
from linework.runtime.installation import LocalInstallation, described_installation, existing_installation
from linework.runtime.program import sealing_master_keys
from linework.runtime.status import stop_installation
from linework.runtime.supervisor import read_phase, set_phase, supervisor_record
from linework.stopped import Stopped

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]
GOOD = {"pid": 7, "created_at": 1.0, "stop_signal": 15}
GARBAGE = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b'"pid"',
    b"7",
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    *(
        json.dumps(GOOD | wrong).encode()
        for wrong in (
            {"pid": None},
            {"pid": "7"},
            {"pid": -1},
            {"pid": 0},
            {"pid": 10**30},
            {"pid": [7]},
            {"created_at": None},
            {"created_at": "now"},
            {"stop_signal": None},
            {"stop_signal": 4711},
        )
    ),
]


@pytest.fixture
def installation(tmp_path: Path) -> LocalInstallation:
    made = described_installation(tmp_path / "state", 21900)
    made.make_folders()
    return made


@pytest.mark.parametrize("content", GARBAGE)
def test_a_record_that_is_none_is_named_in_a_sentence(installation: LocalInstallation, content: bytes) -> None:
    record = supervisor_record(installation)
    record.write_bytes(content)
    for act in (
        lambda: find_recorded(record),
        lambda: stop_installation(installation),
        lambda: read_phase(installation),
    ):
        with pytest.raises(Stopped, match=r"supervisor\.json is not the record of a process .* remove the file"):
            act()


def test_what_can_be_stopped_is_stopped_before_a_record_is_complained_of(installation: LocalInstallation) -> None:
    (installation.records / "a.json").write_text("null")
    child = Child("b", SLEEPS, log=installation.logs / "b.log", records=installation.records)
    child.spawn()
    with pytest.raises(Stopped, match=r"a\.json is not the record"):
        stop_leftovers(installation.records, [])
    child.wait_stopped(5)
    assert child.exit_code() == -signal.SIGTERM
    assert (installation.records / "a.json").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"ports": null}', b'{"ports": {}}', "ports", "without"],
)
def test_a_description_that_is_none_is_named_in_a_sentence(
    installation: LocalInstallation, content: bytes | str
) -> None:
    file = installation.state_folder / "installation.json"
    if isinstance(content, str):
        installation.remember()
        broken = {"ports": {"intake": "x"}, "without": [[]]}[content]
        content = json.dumps(json.loads(file.read_text()) | {content: broken}).encode()
    file.write_bytes(content)
    with pytest.raises(Stopped, match=r"installation\.json cannot be read \(.*\); remove it"):
        existing_installation(installation.state_folder, None)


def test_what_was_remembered_is_read_again(installation: LocalInstallation) -> None:
    installation.remember()
    assert existing_installation(installation.state_folder, None) == installation


@pytest.mark.parametrize("content", ["", "null", "[1]", '{"a": 1}', '"dancing"'])
def test_a_phase_that_is_none_is_none(installation: LocalInstallation, content: str) -> None:
    write_record(supervisor_record(installation), os.getpid(), signal.SIGTERM)
    (installation.state_folder / "phase").write_text(content)
    assert read_phase(installation) is None
    set_phase(installation, "ready")
    assert read_phase(installation) == "ready"


_SUPERVISES = """
import sys, time
from pathlib import Path
from linework.runtime import supervisor
from linework.runtime.installation import described_installation
installation = described_installation(Path(sys.argv[1]), 21900)
with supervisor._only_supervisor(installation):
    installation.remember()
    print("started", flush=True)
    supervisor.set_phase(installation, "ready")
    time.sleep(60)
"""


@pytest.fixture
def started(installation: LocalInstallation, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Child]]:
    """What `up --detach` starts: a supervisor that is ready at once."""
    children: list[Child] = []

    def spawned(_: str, __: Any, **options: Any) -> Child:
        command = [sys.executable, "-c", _SUPERVISES, str(installation.state_folder)]
        children.append(Child("up", command, dies_with_parent=True, **options))
        return children[-1]

    monkeypatch.setattr(detached, "Child", spawned)
    yield children
    for child in children:
        child.kill()


def test_a_running_installation_is_shown_with_its_addresses_and_not_started_again(
    installation: LocalInstallation, started: list[Child], capsys: pytest.CaptureFixture[str]
) -> None:
    detached.start_detached(installation, [])
    detached.start_detached(described_installation(installation.state_folder, 22900), [])
    out = capsys.readouterr().out
    assert len(started) == 1
    assert "is already running; nothing was started" in out
    assert "intake     http://127.0.0.1:21901" in out
    assert (installation.logs / "up.log").read_text() == "started\n"


def test_of_two_at_once_one_starts_it_and_both_end_well(installation: LocalInstallation, started: list[Child]) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            detached.start_detached(installation, [])
        except BaseException as error:
            failures.append(error)

    # Started here and not in a thread: what a thread starts dies with that thread.
    second = threading.Thread(target=start)
    first_spawn = detached._spawned

    def spawn_and_let_the_other_come(*arguments: Any) -> Child:
        second.start()
        return first_spawn(*arguments)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(detached, "_spawned", spawn_and_let_the_other_come)
        start()
        second.join(30)
    assert failures == []
    assert len(started) == 1


async def test_an_installation_ends_with_the_process_it_was_started_for() -> None:
    given_up = GivingUp()
    process = psutil.Popen(SLEEPS)
    end_with(process.pid, given_up)
    assert not given_up.is_set()
    process.kill()
    process.wait()
    await eventually(lambda: _as_awaitable(given_up.is_set()), until=bool)


async def _as_awaitable(value: bool) -> bool:
    return value


@pytest.mark.parametrize("pid", [2**31 - 2, 10**30])
def test_a_process_that_is_not_there_is_refused(pid: int) -> None:
    with pytest.raises(Stopped, match="There is no process"):
        end_with(pid, GivingUp())


_PARENT = """
import sys, time
from pathlib import Path
from linework.processes import Child
command = [sys.executable, "-c", "import time; time.sleep(60)"]
child = Child("child", command, log=Path(sys.argv[1]), dies_with_parent=True)
child.spawn()
print(child.pid, flush=True)
time.sleep(60)
"""


def test_of_several_starts_at_once_one_makes_the_master_key_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEALING_MASTER_KEYS", raising=False)
    all_look = threading.Barrier(8)
    exists = Path.exists

    def exists_for_none(file: Path) -> bool:
        found = exists(file)
        all_look.wait(10)
        return found

    monkeypatch.setattr(Path, "exists", exists_for_none)
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(sealing_master_keys, [tmp_path] * 8))
    assert len(keys) == 1
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_is_to_die_with_its_parent_does_when_the_parent_is_killed(tmp_path: Path) -> None:
    parent = psutil.Popen([sys.executable, "-c", _PARENT, str(tmp_path / "log")], stdout=-1)
    child = psutil.Process(int(parent.stdout.readline()))
    assert child.is_running()
    parent.kill()
    parent.communicate()
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
