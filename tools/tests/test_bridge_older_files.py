"""Files of a queue_log that are given in the wrong order: an end is found wherever it was written."""

from pathlib import Path
from typing import Any

from contracts import partners as p
from linework.bridge.asterisk import State, Translator
from linework.bridge.lines import parsed
from linework.bridge.reading import QueueLogs, ReadingSummary

from .test_bridge_rotation import Kept, read, text

OLD = [
    "100|NONE|NONE|NONE|QUEUESTART|",
    "100|NONE|support|A|ADDMEMBER|",
    "110|1.1|support|NONE|ENTERQUEUE||13800001111|1",
    "112|1.1|support|A|CONNECT|2|1.2|2",
    "120|2.1|support|NONE|ENTERQUEUE||13800002222|1",
]
RESTART = "130|NONE|NONE|NONE|QUEUESTART|"
NEW = [
    RESTART,
    "130|3.1|support|NONE|ENTERQUEUE||13800003333|1",
    "131|NONE|support|B|ADDMEMBER|",
    "140|3.1|support|B|CONNECT|10|3.2|2",
]


async def both(folder: Path, *files: list[str]) -> Kept:
    """The files, a command each, in the order given."""
    folder.mkdir()
    sink = Kept()
    for number, lines in enumerate(files):
        path = folder / f"queue_log.{number}"
        path.write_text(text(lines))
        await read([path], sink, folder / "cursor")
    return sink


async def test_a_start_that_was_read_before_ends_what_an_older_file_left_open(tmp_path: Path) -> None:
    backwards, forwards = await both(tmp_path / "a", NEW, OLD), await both(tmp_path / "b", OLD, NEW)
    assert sorted(backwards.sent) == sorted(forwards.sent)
    ends = [message.body for message in backwards.messages if message.subject in ("1.1", "2.1")][-2:]
    assert [(type(end), end.reason) for end in ends] == [
        (p.PartnerCallEnded, "switch_stopped"),
        (p.PartnerCallLost, "switch_stopped"),
    ]


async def test_a_start_in_an_older_file_ends_nothing_that_came_later(tmp_path: Path) -> None:
    sink = await both(tmp_path / "a", NEW, [*OLD, "125|NONE|NONE|NONE|QUEUESTART|"])
    assert not [one for one in sink.messages if one.subject == "3.1" and isinstance(one.body, p.PartnerCallEnded)]
    state = Translator("pbx", State())
    assert state.end_older_files() == []


async def test_the_present_state_of_an_agent_is_not_changed_by_an_older_file(tmp_path: Path) -> None:
    paused = ["101|NONE|NONE|B|PAUSEALL|lunch"]
    later = ["150|NONE|support|B|PAUSE|break"]
    sink = await both(tmp_path / "a", NEW, [OLD[0], *paused], later)
    states = [(one.occurred_at.timestamp(), one.body.state.value) for one in sink.messages if one.subject == "agent:B"]
    assert states == [(131, "ready"), (101, "paused"), (130, "signed_out"), (150, "paused")]


async def test_a_call_whose_entry_is_in_a_file_read_afterwards_has_one_leg(tmp_path: Path) -> None:
    entry, rest = ["100|1.1|support|NONE|ENTERQUEUE||1380|1"], ["104|1.1|support|A|CONNECT|4|1.2|2"]
    sink = await both(tmp_path / "a", rest, entry)
    assert {message.body.leg for message in sink.messages if message.subject == "1.1"} == {1}


async def test_a_crash_before_the_ends_were_noted_makes_the_same_ends_again(tmp_path: Path) -> None:
    sink, again = await both(tmp_path / "a", NEW, OLD), Kept()
    whole = await both(tmp_path / "b", NEW)
    cursor = tmp_path / "b" / "cursor"
    before = cursor.read_bytes()
    path = tmp_path / "b" / "queue_log.1"
    path.write_text(text(OLD))
    for _ in range(2):
        cursor.write_bytes(before)
        await QueueLogs([path], "pbx", cursor, ReadingSummary()).deliver(again)
    assert set(whole.sent) | set(again.sent) == set(sink.sent)
    assert len(again.sent) == 2 * len(set(again.sent))


def bodies(*lines: str) -> list[Any]:
    translator = Translator("pbx", State())
    return [message.body for line in lines for message in translator.events(parsed(line)) or []]


def test_a_clock_that_goes_back_ends_no_call_that_came_after_the_start() -> None:
    found = bodies("1000|NONE|NONE|NONE|QUEUESTART|", "900|1.1|support|NONE|ENTERQUEUE||1380|1")
    assert [type(body) for body in found] == [p.PartnerCallOffered, p.PartnerCallQueued]


async def test_a_log_that_is_rotated_after_the_clock_went_back_is_no_older_file(tmp_path: Path) -> None:
    log, cursor, sink = tmp_path / "queue_log", tmp_path / "cursor", Kept()
    log.write_text(text(["1000|NONE|support|A|ADDMEMBER|", "1001|1.1|support|NONE|ENTERQUEUE||1380|1"]))
    await read([log], sink, cursor)
    log.rename(tmp_path / "queue_log.1")
    log.write_text(text(["500|NONE|NONE|NONE|QUEUESTART|"]))
    await read([log], sink, cursor)
    assert [(type(one.body).__name__, one.subject) for one in sink.messages[-2:]] == [
        ("PartnerCallLost", "1.1"),
        ("PartnerAgentStateChanged", "agent:A"),
    ]
