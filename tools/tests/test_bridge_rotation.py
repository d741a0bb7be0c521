"""A queue_log that is rotated while nothing reads it: no line is lost, none is doubled, and what is gone is named."""

import asyncio
import gzip
import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from contracts.message import Message
from linework.bridge.cursor import load_cursor
from linework.bridge.queue_log import LinesMissing
from linework.bridge.reading import QueueLogs, ReadingSummary
from linework.bridge.rotation import Log
from linework.stopped import Stopped

REAL = Path(__file__).parents[3] / "shared" / "data" / "asterisk-queue_log"
START = 1_795_400_000


class Kept:
    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, messages: Sequence[Message]) -> None:
        self.messages += messages

    @property
    def sent(self) -> list[tuple[str, bytes]]:
        return [(message.id, message.data) for message in self.messages]


def a_log(calls: int = 40) -> list[str]:
    """Overlapping calls, so that every rotation falls into the middle of some."""
    lines = [f"{START}|NONE|NONE|NONE|QUEUESTART|", f"{START}|NONE|support|A|ADDMEMBER|"]
    for number in range(calls):
        at, call = START + 10 * number, f"{START + 10 * number}.1"
        lines += [
            f"{at}|{call}|support|NONE|ENTERQUEUE||13800001111|1",
            f"{at + 4}|{call}|support|A|CONNECT|4|{call}2|4",
            f"{at + 25}|{call}|support|A|COMPLETECALLER|4|21|1",
        ]
    return sorted(lines, key=lambda line: float(line.split("|")[0]))


def text(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


async def read(paths: list[Path], sink: Kept, cursor: Path) -> ReadingSummary:
    summary = ReadingSummary()
    await QueueLogs(paths, "pbx", cursor, summary).deliver(sink)
    return summary


async def in_one_pass(lines: Sequence[str], folder: Path) -> list[tuple[str, bytes]]:
    folder.mkdir()
    (folder / "whole").write_text(text(lines))
    sink = Kept()
    await read([folder / "whole"], sink, folder / "cursor")
    return sink.sent


def renamed(log: Path) -> None:
    for number in (2, 1):
        if (older := log.with_name(f"{log.name}.{number}")).exists():
            older.rename(log.with_name(f"{log.name}.{number + 1}"))
    log.rename(log.with_name(log.name + ".1"))


def packed(log: Path) -> None:
    for number in (2, 1):
        if (older := log.with_name(f"{log.name}.{number}.gz")).exists():
            older.rename(log.with_name(f"{log.name}.{number + 1}.gz"))
    log.with_name(log.name + ".1.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()


_days = itertools.count(20260302)


def dated(log: Path) -> None:
    log.rename(log.with_name(f"{log.name}-{next(_days)}"))


def dated_and_packed(log: Path) -> None:
    log.with_name(f"{log.name}-{next(_days)}.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()


def copied_and_emptied(log: Path) -> None:
    for number in (2, 1):
        if (older := log.with_name(f"{log.name}.{number}")).exists():
            older.rename(log.with_name(f"{log.name}.{number + 1}"))
    shutil.copyfile(log, log.with_name(log.name + ".1"))
    os.truncate(log, 0)


def counted_upwards(log: Path) -> None:
    """As Asterisk's own `logger rotate` does it: the highest number is the latest."""
    number = next(number for number in itertools.count() if not log.with_name(f"{log.name}.{number}").exists())
    log.rename(log.with_name(f"{log.name}.{number}"))


def linked(log: Path) -> None:
    """The path is a link to the file of the day."""
    target = log.resolve()
    if not log.is_symlink():
        target = log.rename(log.with_name(f"{log.name}-{next(_days)}"))
    else:
        log.unlink()
    log.symlink_to(target.with_name(f"{log.name}-{next(_days)}"))


ROTATIONS = [renamed, packed, dated, dated_and_packed, copied_and_emptied, counted_upwards, linked]


@pytest.mark.parametrize("rotations", [1, 2, 3])
@pytest.mark.parametrize("rotate", ROTATIONS)
async def test_what_was_written_and_rotated_while_nothing_read_is_read_first(
    tmp_path: Path, rotate: Callable[[Path], None], rotations: int
) -> None:
    lines, log, cursor, sink = a_log(), tmp_path / "queue_log", tmp_path / "cursor", Kept()
    log.write_text(text(lines[:20]))
    await read([log], sink, cursor)
    for number in range(rotations):
        with log.open("a") as file:
            file.write(text(lines[20 + number * 20 : 40 + number * 20]))
        rotate(log)
    with log.open("a") as file:
        file.write(text(lines[20 + rotations * 20 :]))
    (tmp_path / "queue_log2").write_text(text(["1795400500|other.1|sales|NONE|ENTERQUEUE||13900002222|1"]))
    (tmp_path / "queue_log.conf").write_text("no log at all\n")
    summary = await read([log], sink, cursor)
    assert summary.line_count == len(lines) - 20
    assert sink.sent == await in_one_pass(lines, tmp_path / "once")
    assert (await read([log], sink, cursor)).line_count == 0


async def test_a_log_that_was_rotated_and_has_no_line_yet_is_read_to_the_end_of_its_former_file(tmp_path: Path) -> None:
    lines, log, cursor, sink = a_log(), tmp_path / "queue_log", tmp_path / "cursor", Kept()
    log.write_text(text(lines[:20]))
    await read([log], sink, cursor)
    log.write_text(text(lines[:60]))
    renamed(log)
    assert (await read([log], sink, cursor)).line_count == 40
    log.write_text(text(lines[60:])[:-5])
    await read([log], sink, cursor)
    log.write_text(text(lines[60:]))
    await read([log], sink, cursor)
    assert sink.sent == await in_one_pass(lines, tmp_path / "once")


async def test_a_file_that_is_gone_is_named_with_what_is_missing_and_then_read_past(tmp_path: Path) -> None:
    lines, log, cursor, sink = a_log(), tmp_path / "queue_log", tmp_path / "cursor", Kept()
    log.write_text(text(lines[:20]))
    await read([log], sink, cursor)
    renamed(log)
    log.write_text(text(lines[40:60]))
    renamed(log)
    log.write_text(text(lines[60:]))
    (tmp_path / "queue_log.2").unlink()
    with pytest.raises(LinesMissing, match=r"after line 20 \(from \d{4}-\d\d-\d\d .* to \d{4}-\d\d-\d\d ") as gap:
        await read([log], sink, cursor)
    assert str(gap.value).endswith(f"continues with {tmp_path / 'queue_log.1'}.")
    assert (await read([log], sink, cursor)).line_count == len(lines) - 40


@pytest.mark.parametrize("gone", [1, 2])
async def test_a_file_of_the_middle_that_is_gone_is_named_by_its_number(tmp_path: Path, gone: int) -> None:
    lines, log, cursor = a_log(), tmp_path / "queue_log", tmp_path / "cursor"
    log.write_text(text(lines[:20]))
    await read([log], Kept(), cursor)
    for start in (20, 40, 60):
        with log.open("a") as file:
            file.write(text(lines[start : start + 20]))
        renamed(log)
    log.write_text(text(lines[80:]))
    (tmp_path / f"queue_log.{gone}").unlink()
    sink = Kept()
    with pytest.raises(LinesMissing, match=f"queue_log.{gone} is missing: its lines before"):
        await read([log], sink, cursor)
    await read([log], sink, cursor)
    assert (await read([log], sink, cursor)).line_count == 0
    missing = lines[40:60] if gone == 2 else lines[60:80]
    kept = {line.split("|")[1] for line in lines[20:] if line not in missing and "ENTERQUEUE" in line}
    assert kept <= {message.subject for message in sink.messages}


async def test_a_gap_is_noticed_where_only_the_new_file_is_left(tmp_path: Path) -> None:
    lines, log, cursor = a_log(), tmp_path / "queue_log", tmp_path / "cursor"
    log.write_text(text(lines[:20]))
    await read([log], Kept(), cursor)
    log.write_text(text(lines[60:]))
    with pytest.raises(LinesMissing, match=f"continues with {log}"):
        await read([log], Kept(), cursor)
    assert (await read([log], Kept(), cursor)).line_count == len(lines) - 60


async def test_the_cursor_of_an_earlier_version_finds_the_file_that_it_was_in(tmp_path: Path) -> None:
    lines, log, cursor, sink = a_log(), tmp_path / "queue_log", tmp_path / "cursor", Kept()
    (tmp_path / "queue_log.9").write_text("1700000000|1.1|old|NONE|ENTERQUEUE||1|1\n")
    log.write_text(text(lines[:20]))
    await read([log], sink, cursor)
    known = cursor.read_text()
    assert '"present":{' in known
    cursor.write_text(known[: known.index(',"present"')] + "}")
    log.write_text(text(lines[:60]))
    renamed(log)
    log.write_text(text(lines[60:]))
    await read([log], sink, cursor)
    assert sink.sent == await in_one_pass(lines, tmp_path / "once")


async def test_a_first_reading_takes_the_files_that_were_given_and_no_others(tmp_path: Path) -> None:
    lines, log = a_log(), tmp_path / "queue_log"
    (tmp_path / "queue_log.1").write_text(text(lines[:60]))
    log.write_text(text(lines[60:]))
    assert (await read([log], Kept(), tmp_path / "cursor")).line_count == len(lines) - 60


async def test_a_file_that_has_become_shorter_is_named_once_and_read_on_behind_what_is_there(tmp_path: Path) -> None:
    lines, log, cursor, sink = a_log(), tmp_path / "queue_log", tmp_path / "cursor", Kept()
    log.write_text(text(lines[:60]))
    await read([log], sink, cursor)
    log.write_text(text(lines[:30]))
    with pytest.raises(LinesMissing, match=r"was read to byte \d+ \(line 60\) and has \d+ bytes now"):
        await read([log], sink, cursor)
    with log.open("a") as file:
        file.write(text(lines[60:]))
    await read([log], sink, cursor)
    assert sink.sent == await in_one_pass(lines, tmp_path / "once")


async def test_a_second_bridge_with_the_same_cursor_is_refused(tmp_path: Path) -> None:
    log, cursor = tmp_path / "queue_log", tmp_path / "cursor"
    log.write_text(text(a_log()))
    first = QueueLogs([log], "pbx", cursor, ReadingSummary())
    with pytest.raises(Stopped, match="Another bridge"):
        QueueLogs([log], "pbx", cursor, ReadingSummary())
    await first.deliver(Kept())
    assert (await read([log], Kept(), cursor)).line_count == 0


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Starts real processes that follow the log; each writes what it delivers to `delivered`, and then its cursor."""
    program = """
import asyncio, base64, sys
from pathlib import Path
from linework.bridge.reading import QueueLogs, ReadingSummary
folder = Path(sys.argv[1])
class Sink:
    async def send(self, messages):
        with (folder / "delivered").open("a") as file:
            file.writelines(f"{one.id} {base64.b64encode(one.data).decode()}\\n" for one in messages)
logs = QueueLogs([folder / "queue_log"], "pbx", folder / "cursor", ReadingSummary())
asyncio.run(logs.deliver(Sink(), follow=True))
"""
    started: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        started.append(subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not met():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("rotate", [renamed, packed, dated, copied_and_emptied])
async def test_followers_that_are_killed_between_rotations_deliver_every_line(
    tmp_path: Path, followed: Callable[[], "subprocess.Popen[str]"], rotate: Callable[[Path], None]
) -> None:
    lines = REAL.read_text().splitlines() if REAL.exists() else a_log()
    whole = await in_one_pass(lines, tmp_path / "once")
    log, delivered = tmp_path / "queue_log", tmp_path / "delivered"
    third = len(lines) // 3

    def found() -> dict[str, str]:
        text = delivered.read_text() if delivered.exists() else ""
        return dict(line.split() for line in text.splitlines() if line.count(" ") == 1)

    log.write_text(text(lines[: third // 2]))
    process = followed()
    await until(lambda: len(found()) > 0)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for start in (third // 2, third + third // 2):
        with log.open("a") as file:
            file.write(text(lines[start : start + third]))
        rotate(log)
    log.write_text(text(lines[third // 2 + 2 * third :]))
    followed()
    await until(lambda: len(found()) == len(whole))
    assert set(found()) == {event_id for event_id, _ in whole}
    # What was sent twice, because the cursor had not been written yet, was the same.
    texts = set(delivered.read_text().splitlines())
    assert len(texts) == len(whole)


def test_a_name_tells_whether_a_file_was_rotated(tmp_path: Path) -> None:
    cursor = load_cursor(tmp_path / "cursor")
    names = {"queue_log": True, "queue_log.1": False, "queue_log.2.gz": False, "queue_log-20260302": False}
    for name in names:
        (tmp_path / name).write_text(text(a_log(1)))
    for name, grows in names.items():
        log = Log(tmp_path / name, cursor)
        list(log.files())
        log.close()
        assert (str(tmp_path / name) in cursor.present) == grows
