"""Reading a switch's files: what each line means, and that nothing is read twice, lost, or made up."""

import asyncio
import gzip
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts import calls as c
from contracts import partners as p
from contracts.message import Message
from linework.bridge.asterisk import State, Translator
from linework.bridge.freeswitch import NotACallRecord, events
from linework.bridge.lines import Unreadable, parsed
from linework.bridge.reading import QueueLogs, ReadingSummary
from linework.stopped import Stopped

CALL = "1795372789.1"


class Kept:
    """A sink that keeps what it gets, or loses it once."""

    def __init__(self, *, fails: bool = False) -> None:
        self.messages: list[Message] = []
        self.fails = fails

    async def send(self, messages: Sequence[Message]) -> None:
        if self.fails:
            raise Stopped("Kafka is away.")
        self.messages += messages

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self.messages]


def line(verb: str, *data: str, at: int = 100, call: str = CALL, queue: str = "support", agent: str = "NONE") -> str:
    return "|".join((str(at), call, queue, agent, verb, *data))


def said(*lines: str) -> list[Any]:
    """The bodies that lines become, agents' states left out."""
    translator = Translator("pbx", State())
    found = [message for text in lines for message in translator.events(parsed(text)) or []]
    return [one.body for one in found if not isinstance(one.body, p.PartnerAgentStateChanged)]


def states(*lines: str) -> list[tuple[str, str, str | None]]:
    translator = Translator("pbx", State())
    found = [message.body for text in lines for message in translator.events(parsed(text)) or []]
    return [(one.agent, str(one.state), one.reason) for one in found if isinstance(one, p.PartnerAgentStateChanged)]


ENTER = line("ENTERQUEUE", "", "13877893287", "2")
CONNECT = line("CONNECT", "4", "1795372789.2", "4", at=104, agent="Agent/101")


def test_an_answer_says_how_long_it_rang_at_the_agent() -> None:
    answered = said(ENTER, CONNECT)[-1]
    assert (answered.wait_milliseconds, answered.ring_milliseconds) == (4000, 4000)
    without = said(ENTER, line("CONNECT", "4", "1795372789.2", at=104, agent="Agent/101"))[-1]
    assert without.ring_milliseconds is None


def test_a_caller_who_enters_a_queue_is_offered_and_queued() -> None:
    assert said(ENTER) == [
        p.PartnerCallOffered(caller="13877893287", queue="support"),
        p.PartnerCallQueued(queue="support", position=2),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (line("COMPLETEAGENT", "4", "27", "1"), p.PartnerCallEnded(ended_by=c.EndedBy.AGENT, talk_milliseconds=27_000)),
        (line("COMPLETECALLER", "4", "0", "1"), p.PartnerCallEnded(ended_by=c.EndedBy.CALLER, talk_milliseconds=0)),
        (
            line("BLINDTRANSFER", "900", "transfer", "3", "6", "1"),
            p.PartnerCallTransferred(target_kind=c.TransferTarget.EXTENSION, target="900", talk_milliseconds=6000),
        ),
        (
            line("BLINDTRANSFER", "13911112222", "out", "3", "6", "1"),
            p.PartnerCallTransferred(
                target_kind=c.TransferTarget.EXTERNAL, target="13911112222", talk_milliseconds=6000
            ),
        ),
        (
            line("ATTENDEDTRANSFER", "BRIDGE", "7f-1", "3", "8", "1"),
            p.PartnerCallTransferred(is_attended=True, talk_milliseconds=8000),
        ),
        (
            line("TRANSFER", "901", "internal", "3", "9", "1"),
            p.PartnerCallTransferred(target_kind=c.TransferTarget.EXTENSION, target="901", talk_milliseconds=9000),
        ),
        (line("RINGNOANSWER", "7000"), p.PartnerCallRangUnanswered(ring_milliseconds=7000)),
        (line("ABANDON", "2", "2", "3"), p.PartnerCallAbandoned(wait_milliseconds=3000)),
        (
            line("EXITWITHTIMEOUT", "1", "1", "20"),
            p.PartnerCallLost(reason=c.LossReason.TIMEOUT, wait_milliseconds=20_000),
        ),
        (line("EXITWITHTIMEOUT", "1"), p.PartnerCallLost(reason=c.LossReason.TIMEOUT)),
        (
            line("EXITEMPTY", "1", "2", "7"),
            p.PartnerCallLost(reason=c.LossReason.QUEUE_EMPTY, wait_milliseconds=7000),
        ),
        (
            line("EXITWITHKEY", "5", "1", "2", "9"),
            p.PartnerCallLost(reason=c.LossReason.KEY_PRESSED, wait_milliseconds=9000),
        ),
        (line("ABANDON", "2", "2", "-1"), p.PartnerCallAbandoned()),
    ],
)
def test_a_line_means_what_the_switch_documents(text: str, expected: Any) -> None:
    (*_, found) = said(ENTER, text)
    assert found == replace(expected, queue="support")


def test_who_finds_the_queue_closed_was_offered_and_lost() -> None:
    offered, lost = said(line("JOINEMPTY"))
    assert (type(offered), lost.reason, lost.wait_milliseconds) == (p.PartnerCallOffered, "queue_empty", 0)


def test_a_second_queue_is_a_second_leg_and_its_lines_belong_to_it() -> None:
    found = said(
        ENTER,
        CONNECT,
        line("BLINDTRANSFER", "s", "complaints", "4", "6", "1", agent="Agent/101"),
        line("ENTERQUEUE", "", "138", "1", queue="complaints"),
        line("CONNECT", "2", "x", "2", queue="complaints", agent="Agent/105"),
        line("COMPLETECALLER", "2", "9", "1", queue="complaints", agent="Agent/105"),
    )
    assert [(type(one).__name__, one.leg) for one in found] == [
        ("PartnerCallOffered", 1),
        ("PartnerCallQueued", 1),
        ("PartnerCallAnswered", 1),
        ("PartnerCallTransferred", 1),
        ("PartnerCallQueued", 2),
        ("PartnerCallAnswered", 2),
        ("PartnerCallEnded", 2),
    ]


def test_a_start_of_the_switch_ends_what_was_open_without_inventing_a_time() -> None:
    found = said(
        ENTER,
        CONNECT,
        line("ENTERQUEUE", "", "139", "1", call="2.2"),
        line("QUEUESTART", at=500, call="NONE", queue="NONE"),
        line("QUEUESTART", at=600, call="NONE", queue="NONE"),
    )
    ended, lost = found[-2:]
    assert (ended.reason, ended.agent, ended.talk_milliseconds) == ("switch_stopped", "Agent/101", None)
    assert (lost.reason, lost.queue, lost.wait_milliseconds) == ("switch_stopped", "support", None)


def test_an_agents_states_follow_from_membership_and_pauses() -> None:
    assert states(
        line("ADDMEMBER", agent="A"),
        CONNECT,
        line("PAUSEALL", "break", queue="NONE", agent="A"),
        line("PAUSE", "break", agent="A"),
        line("UNPAUSEALL", queue="NONE", agent="A"),
        line("UNPAUSE", agent="A"),
        line("REMOVEMEMBER", agent="A"),
    ) == [
        ("A", "ready", None),
        ("Agent/101", "ready", None),
        ("A", "paused", "break"),
        ("A", "ready", None),
        ("A", "signed_out", None),
    ]


def test_an_agent_paused_in_one_queue_of_two_is_still_ready_in_the_other() -> None:
    assert states(
        line("ADDMEMBER", agent="A"), line("ADDMEMBER", queue="other", agent="A"), line("PAUSE", "x", agent="A")
    ) == [("A", "ready", None)]


@pytest.mark.parametrize("text", ["", "x", "a|b|c|d|e", "1e400|c|q|a|CONNECT", "100|c|q|a|", "99999999999999|c|q|a|X"])
def test_a_line_that_is_none_of_a_queue_log_is_named_and_not_guessed(text: str) -> None:
    with pytest.raises(Unreadable):
        parsed(text)


async def read(files: list[Path], sink: Kept, cursor: Path) -> ReadingSummary:
    summary = ReadingSummary()
    await QueueLogs(files, "pbx", cursor, summary).deliver(sink)
    return summary


async def test_reading_goes_on_where_it_ended_and_an_unfinished_line_waits_for_its_end(tmp_path: Path) -> None:
    log, cursor, sink = tmp_path / "queue_log", tmp_path / "cursor", Kept()
    log.write_text(f"{ENTER}\n{CONNECT[:20]}")
    summary = await read([log], sink, cursor)
    assert (summary.line_count, summary.unfinished_lines) == (1, [str(log)])
    log.write_text(f"{ENTER}\n{CONNECT}\n")
    assert (await read([log], sink, cursor)).line_count == 1
    assert (await read([log], sink, cursor)).line_count == 0
    assert len(sink.ids) == len(set(sink.ids)) == 4


async def test_what_was_not_delivered_is_read_again_as_the_same_events(tmp_path: Path) -> None:
    log, cursor = tmp_path / "queue_log", tmp_path / "cursor"
    log.write_text(f"{ENTER}\n{CONNECT}\n")
    with pytest.raises(Stopped):
        await read([log], Kept(fails=True), cursor)
    again, anew = Kept(), Kept()
    await read([log], again, cursor)
    await read([log], anew, tmp_path / "lost cursor")
    assert again.ids == anew.ids
    assert len(again.ids) == 4


async def test_rotated_files_are_read_once_in_the_order_of_their_beginnings(tmp_path: Path) -> None:
    old, new, cursor, sink = tmp_path / "queue_log", tmp_path / "queue_log.new", tmp_path / "cursor", Kept()
    old.write_text(f"{ENTER}\n")
    await read([old], sink, cursor)
    with gzip.open(tmp_path / "queue_log.1.gz", "wb") as packed:
        packed.write(old.read_bytes() + f"{line('RINGNOANSWER', '7000', at=101, agent='Agent/102')}\n".encode())
    new.write_text(f"{CONNECT}\n")
    await read([new, tmp_path / "queue_log.1.gz"], sink, cursor)
    assert [type(one.body).__name__ for one in sink.messages] == [
        "PartnerCallOffered",
        "PartnerCallQueued",
        "PartnerAgentStateChanged",
        "PartnerCallRangUnanswered",
        "PartnerAgentStateChanged",
        "PartnerCallAnswered",
    ]


async def test_two_lines_that_look_the_same_are_two_events(tmp_path: Path) -> None:
    log, sink = tmp_path / "queue_log", Kept()
    ring = line("RINGNOANSWER", "1000", agent="A")
    log.write_text(f"{ENTER}\n{ring}\n{ring}\n")
    await read([log], sink, tmp_path / "cursor")
    assert sum(isinstance(one.body, p.PartnerCallRangUnanswered) for one in sink.messages) == 2
    assert len(set(sink.ids)) == len(sink.ids)


async def test_odd_lines_and_unknown_verbs_are_told_with_their_places_and_stop_nothing(tmp_path: Path) -> None:
    log, sink = tmp_path / "queue_log", Kept()
    log.write_bytes(f"half a line\n{ENTER}\n{line('PAINTED')}\n\x00\xff|\n{CONNECT}\n".encode("latin-1"))
    summary = await read([log], sink, tmp_path / "cursor")
    assert (summary.odd_line_count, dict(summary.unknown_verbs)) == (2, {"PAINTED": 1})
    assert summary.odd_lines[0].startswith(f"{log}:1: ")
    assert len(sink.ids) == 4
    told = json.loads(summary.as_json())
    assert (told["verbs"], told["unknown_verbs"]) == ({"ENTERQUEUE": 1, "CONNECT": 1}, {"PAINTED": 1})


async def test_a_growing_log_is_followed_through_a_rotation(tmp_path: Path) -> None:
    log, cursor, sink = tmp_path / "queue_log", tmp_path / "cursor", Kept()
    log.write_text(f"{ENTER}\n")
    following = asyncio.create_task(QueueLogs([log], "pbx", cursor, ReadingSummary()).deliver(sink, follow=True))

    async def until(count: int) -> None:
        async with asyncio.timeout(20):
            while len(sink.ids) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    await until(2)
    os.rename(log, tmp_path / "queue_log.1")
    with (tmp_path / "queue_log.1").open("a") as old:
        old.write(f"{line('RINGNOANSWER', '7000', at=101, agent='Agent/101')}\n")
    log.write_text(f"{CONNECT}\n")
    await until(5)
    following.cancel()
    assert [type(one.body).__name__ for one in sink.messages][-2:] == [
        "PartnerCallRangUnanswered",
        "PartnerCallAnswered",
    ]


async def test_a_cursor_that_is_damaged_is_said_and_not_started_over(tmp_path: Path) -> None:
    log, cursor = tmp_path / "queue_log", tmp_path / "cursor"
    log.write_text(f"{ENTER}\n")
    cursor.write_text("{")
    with pytest.raises(Stopped, match="cannot be read"):
        await read([log], Kept(), cursor)


def cdr(**variables: Any) -> dict[str, Any]:
    known = {"uuid": "u-1", "direction": "inbound", "caller_id_number": "13800001111", "destination_number": "96123"}
    times = {"start_uepoch": "1795372789000000", "end_uepoch": "1795372829500000"}
    return {"variables": known | times | variables}


def test_a_call_record_with_a_queue_has_its_wait_its_agent_and_its_end() -> None:
    record = cdr(
        cc_side="member",
        cc_queue="support@default",
        cc_queue_joined_epoch="1795372790",
        cc_queue_answered_epoch="1795372795",
        cc_queue_terminated_epoch="1795372829",
        cc_agent="1001@default",
        sip_hangup_disposition="recv_bye",
        hold_accum_seconds="3",
    )
    offered, queued, answered, ended = events(record, "fs")
    assert (offered.body.caller, offered.body.line) == ("13800001111", "96123")
    assert (answered.occurred_at - queued.occurred_at).total_seconds() == 5
    assert (answered.body.agent, ended.body.ended_by, ended.body.hold_milliseconds) == ("1001@default", "caller", 3000)
    assert [message.id for message in events(record, "fs")] == [f"fs-u-1-{number}" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"cc_queue": "q", "cc_cause": "cancel", "cc_cancel_reason": "TIMEOUT"}, "PartnerCallLost"),
        ({"cc_queue": "q", "cc_cause": "cancel", "cc_cancel_reason": "BREAK_OUT"}, "PartnerCallAbandoned"),
        ({}, "PartnerCallAbandoned"),
        ({"answer_uepoch": "1795372790000000"}, "PartnerCallEnded"),
    ],
)
def test_a_call_record_ends_as_it_says(variables: dict[str, str], expected: str) -> None:
    assert type(events(cdr(**variables), "fs")[-1].body).__name__ == expected


def test_an_agents_own_leg_is_no_second_call() -> None:
    assert events(cdr(cc_side="agent"), "fs") == []


@pytest.mark.parametrize("record", [{}, {"variables": []}, cdr(uuid=""), cdr(start_uepoch="soon")])
def test_what_is_no_call_record_is_named(record: dict[str, Any]) -> None:
    with pytest.raises(NotACallRecord):
        events(record, "fs")
