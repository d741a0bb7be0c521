"""`linework bridge` as it is typed: how it ends, and what it says then."""

import contextlib
import gzip
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import pytest
from typer.testing import Result

from contracts.message import Message
from linework.bridge.cursor import Place, load_cursor
from linework.bridge.progress import ReadingProgress
from linework.stopped import Stopped

Typed = Callable[..., Result]

CALLS = [f"{100 + number}|{number}.1|support|NONE|ENTERQUEUE||13800001111|1" for number in range(20_000)]


class Kept:
    """What is delivered; `then` is called after each delivery."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.then: Callable[[], object] = lambda: None

    async def send(self, messages: Sequence[Message]) -> None:
        self.ids += [message.id for message in messages]
        self.then()


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    sink = Kept()

    @contextlib.asynccontextmanager
    async def delivery(*_: object) -> AsyncIterator[Kept]:
        yield sink

    monkeypatch.setattr("linework.bridge.commands._delivery", delivery)
    return sink


def whole() -> bytes:
    """The packed file as it should be."""
    return gzip.compress(("\n".join(CALLS) + "\n").encode(), mtime=0)


def cut_off(content: bytes) -> bytes:
    return content[: len(content) // 2]


def damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(200) + content[middle + 200 :]


@pytest.mark.parametrize(("spoil", "is_read"), [(cut_off, True), (damaged, False)])
def test_a_packed_file_that_is_not_whole_is_named_and_read_on_once_it_is(
    kept: Kept, typed: Typed, tmp_path: Path, spoil: Callable[[bytes], bytes], is_read: bool
) -> None:
    file, cursor = tmp_path / "queue_log.1.gz", tmp_path / "cursor"
    file.write_bytes(spoil(whole()))
    done = typed("bridge", "asterisk", file, "--cursor", cursor)
    place = next(iter(load_cursor(cursor).files.values()), Place())
    assert isinstance(done.exception, Stopped)
    assert str(done.exception).startswith(f"{file} cannot be read beyond line {place.line_count}: ")
    assert done.stdout.startswith(f"{place.line_count} lines became {len(kept.ids)} events.")
    assert (0 < place.line_count < len(CALLS)) == is_read
    file.write_bytes(whole())
    assert typed("bridge", "asterisk", file, "--cursor", cursor).exit_code == 0
    assert len(kept.ids) == len(set(kept.ids)) == 2 * len(CALLS)


@pytest.mark.parametrize("content", [b"", gzip.compress(b"x|y\n", mtime=0)[:9], b"no gzip at all\n"])
def test_a_packed_file_without_a_beginning_is_named(kept: Kept, typed: Typed, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "queue_log.1.gz"
    file.write_bytes(content)
    done = typed("bridge", "asterisk", file)
    assert content == b"" or f"{file} cannot be read beyond line 0: " in str(done.exception)
    assert (done.exit_code, kept.ids) == (1 if content else 0, [])


@pytest.fixture
def _signals() -> Iterator[None]:
    """A signal that a command leaves alone ends its test and not all of them."""

    def nobody(number: int, _: object) -> None:
        raise AssertionError(f"nobody waits for signal {number}")

    # A suite that runs in the background of a shell has inherited that Ctrl-C is ignored.
    own = {signal.SIGTERM: nobody, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in own.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_is_told_to_end_while_it_follows_says_what_was_read(
    kept: Kept, typed: Typed, tmp_path: Path, number: signal.Signals
) -> None:
    log, cursor = tmp_path / "queue_log", tmp_path / "cursor"
    log.write_text("\n".join(CALLS[:10]) + "\n")
    kept.then = lambda: signal.raise_signal(number)
    done = typed("bridge", "asterisk", log, "--follow", "--cursor", cursor)
    assert (done.exit_code, len(kept.ids)) == (0, 20)
    assert "10 lines became 20 events." in done.output
    assert "Stopped; run the same command to resume." in done.output


def test_progress_is_said_after_two_seconds_and_then_ever_more_seldom() -> None:
    now, texts = 0.0, list[str]()
    progress = ReadingProgress(texts.append, lambda: now)
    for second in range(1, 33):
        now = float(second)
        progress.tell(Path("queue_log"), line_count=second * 1000, event_count=0, share=0.5)
    assert [text.split()[4] for text in texts] == ["2,000", "6,000", "14,000", "30,000"]
    assert texts[0] == "queue_log, 50% of it: 2,000 lines, 0 events so far."
