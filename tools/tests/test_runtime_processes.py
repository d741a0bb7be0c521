import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from linework.processes import LOG_ROTATES_AT, Child, find_recorded, has_ended, rotate, stop_leftovers
from linework.runtime.checks import refuse_small_disk
from linework.runtime.watch import DEATHS_ALLOWED, DiesAgainAndAgain, Watch
from linework.stopped import ComponentDied, Stopped

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]


def make_child(folder: Path, *, name: str = "worker", command: list[str] = SLEEPS) -> Child:
    return Child(name, command, log=folder / f"{name}.log", records=folder / "run")


def test_a_leftover_is_found_by_its_record_and_stopped(tmp_path: Path) -> None:
    child = make_child(tmp_path)
    child.spawn()
    assert stop_leftovers(tmp_path / "run", ["worker"]) == ["worker"]
    child.wait_stopped(5)
    assert child.exit_code() == -signal.SIGTERM
    assert not list((tmp_path / "run").iterdir())


def test_a_stranger_with_the_same_id_is_left_alone(tmp_path: Path) -> None:
    child = make_child(tmp_path)
    child.spawn()
    record = tmp_path / "run" / "worker.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "created_at": time.time() - 3600}))
    assert find_recorded(record) is None
    assert stop_leftovers(tmp_path / "run", []) == []
    assert child.is_running
    child.kill()


def test_a_leftover_that_ignores_the_request_is_taken(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    child = make_child(tmp_path, command=[sys.executable, "-c", deaf])
    child.spawn()
    while not child.log.read_text():
        os.sched_yield()
    stop_leftovers(tmp_path / "run", [], seconds=0.2)
    child.wait_stopped(5)
    assert child.exit_code() == -signal.SIGKILL


def test_a_zombie_counts_as_ended(tmp_path: Path) -> None:
    child = make_child(tmp_path, command=[sys.executable, "-c", ""])
    child.spawn()
    assert has_ended(psutil.Process(child.pid), 10)
    child.wait_stopped(5)


def test_what_died_is_started_again_until_it_dies_too_often(tmp_path: Path) -> None:
    said: list[str] = []
    dying = Dying(tmp_path)
    watch = Watch([dying], said.append)
    with pytest.raises(DiesAgainAndAgain, match=r"dying died 5 times .* ends with: no such luck"):
        tend_forever(watch)
    assert dying.started_count == DEATHS_ALLOWED - 1
    assert len(said) == DEATHS_ALLOWED - 1


def tend_forever(watch: Watch) -> None:
    while True:
        watch.tend()


class Dying:
    """A component that is always found dead."""

    name = "dying"

    def __init__(self, folder: Path) -> None:
        self.log = folder / "dying.log"
        self.log.write_text("no such luck\n\n")
        self.started_count = 0

    def start(self) -> None:
        self.started_count += 1

    def exit_code(self) -> int | None:
        return 1

    def signal_stop(self) -> None: ...

    def wait_stopped(self, seconds: float) -> None: ...


def test_a_death_at_start_names_its_log_and_last_line(tmp_path: Path) -> None:
    log = tmp_path / "qa.log"
    log.write_text("starting\nDATABASE_URL is missing\n")
    assert str(ComponentDied("qa", log, 1)) == (
        f"qa died at start (exit status 1); its log is {log} and ends with: DATABASE_URL is missing"
    )


def test_a_disk_without_room_is_refused(tmp_path: Path) -> None:
    refuse_small_disk(tmp_path, needed=1)
    with pytest.raises(Stopped, match=r"GiB free and .* are needed"):
        refuse_small_disk(tmp_path, needed=1 << 60)


def test_a_log_that_grows_too_large_is_moved_aside_while_its_process_writes_to_it(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with log.open("ab") as file:
        file.write(b"x" * 2000)
        file.flush()
        rotate(log, at=2000)
        assert log.stat().st_size == 2000
        rotate(log, at=1999)
        file.write(b"after\n")
        file.flush()
    assert log.read_bytes() == b"after\n"
    assert log.with_suffix(".log.1").read_bytes() == b"x" * 2000
    rotate(tmp_path / "of nobody.log", at=0)


def test_the_supervisor_moves_logs_aside_as_it_looks(tmp_path: Path) -> None:
    child = make_child(tmp_path)
    child.spawn()
    os.truncate(child.log, LOG_ROTATES_AT + 1)
    component = Dying(tmp_path)
    component.log = child.log
    Watch([component], [].append).tend()
    assert child.log.stat().st_size == 0
    child.kill()
