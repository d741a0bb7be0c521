"""FreeSWITCH's call records in its three formats: one meaning, nothing read twice, lost, or made up."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from contracts import partners as p
from contracts.message import Message
from linework.bridge.call_records import CallRecords
from linework.bridge.freeswitch import NotACallRecord, events
from linework.bridge.queue_log import LinesMissing
from linework.bridge.reading import ReadingSummary
from linework.bridge.record_formats import SwitchSettings, csv_record, json_record, xml_record
from linework.stopped import Stopped

SHANGHAI = SwitchSettings(ZoneInfo("Asia/Shanghai"), frozenset({"public"}))
DIRECT = {
    "direction": "inbound",
    "uuid": "7e8f0d51-f1f6-a8e3-b2c0-1d2e3f405162",
    "accountcode": "1001",
    "start_uepoch": "1772438400000000",
    "answer_uepoch": "1772438405000000",
    "end_uepoch": "1772438465000000",
    "sip_hangup_disposition": "send_refuse",
}
QUEUED = DIRECT | {
    "cc_side": "member",
    "cc_queue": "support@default",
    "cc_queue_joined_epoch": "1772438401",
    "cc_queue_answered_epoch": "1772438406",
    "cc_queue_terminated_epoch": "1772438465",
    "cc_agent": "1001@default",
    "sip_contact_user": "张 三&<1001>",
}
# As its template `example` gives a line: fifteen columns, times by the switch's clock.
LINE = (
    '"Wang","13800001111","96123","public","2026-03-02 16:00:00","2026-03-02 16:00:05","2026-03-02 16:01:05",'
    '"65","60","NORMAL_CLEARING","7e8f0d51-f1f6-a8e3-b2c0-1d2e3f405162","","1001","PCMA","PCMA"'
)


def xml(variables: dict[str, str]) -> str:
    """As mod_xml_cdr writes it: values of variables percent-encoded, the caller in the profile of the call flow."""
    said = "".join(f"<{name}>{quote(value)}</{name}>" for name, value in variables.items())
    return f"""<?xml version="1.0"?>
<cdr core-uuid="d9a1a1a4-0b3c-4f56-9f52-5b1a4f0b6a11" switchname="fs1">
  <channel_data><state>CS_REPORTING</state><direction>inbound</direction><state_number>11</state_number></channel_data>
  <call-stats><audio><inbound><raw_bytes>344</raw_bytes></inbound></audio></call-stats>
  <variables>{said}</variables>
  <app_log><application app_name="callcenter" app_data="support@default"></application></app_log>
  <callflow dialplan="XML" profile_index="1">
    <caller_profile><username>trunk</username><caller_id_name>Wang</caller_id_name>
      <caller_id_number>13800001111</caller_id_number><destination_number>96123</destination_number></caller_profile>
  </callflow>
</cdr>
"""


def as_json(variables: dict[str, str]) -> str:
    profile = {"caller_id_number": "13800001111", "destination_number": "96123"}
    return json.dumps({"switchname": "fs1", "variables": variables, "callflow": [{"caller_profile": profile}]})


def said(record: Any) -> list[tuple[Any, Any]]:
    return [(message.body, message.occurred_at) for message in events(record, "fs")]


class Kept:
    def __init__(self, *, fails: bool = False) -> None:
        self.messages: list[Message] = []
        self.fails = fails

    async def send(self, messages: Sequence[Message]) -> None:
        if self.fails and messages:
            raise Stopped("Kafka is away.")
        self.messages += messages

    @property
    def calls(self) -> set[str]:
        return {message.subject for message in self.messages}


async def read(paths: list[Path], sink: Kept, cursor: Path) -> ReadingSummary:
    summary = ReadingSummary()
    await CallRecords(paths, "fs", cursor, summary, SHANGHAI).deliver(sink)
    return summary


@pytest.mark.parametrize("variables", [DIRECT, QUEUED])
def test_xml_and_json_of_one_call_are_the_same_events(variables: dict[str, str]) -> None:
    record = xml_record(xml(variables).encode())
    assert said(record) == said(json_record(as_json(variables).encode()))
    assert record["variables"]["caller_id_number"] == "13800001111"


def test_a_call_of_a_queue_is_told_by_xml_with_its_queue_and_its_agent() -> None:
    offered, queued, answered, ended = (body for body, _ in said(xml_record(xml(QUEUED).encode())))
    assert (offered.caller, offered.line, queued.queue) == ("13800001111", "96123", "support@default")
    assert (answered.agent, ended.agent) == ("1001@default", "1001@default")


def test_a_line_of_csv_tells_the_same_of_a_call_without_a_queue() -> None:
    assert said(csv_record(LINE, SHANGHAI)) == said(xml_record(xml(DIRECT).encode()))


def test_a_call_of_another_context_went_out_and_one_without_an_answer_was_abandoned() -> None:
    out = LINE.replace('"public"', '"default"').replace("2026-03-02 16:00:05", "")
    offered, abandoned = (body for body, _ in said(csv_record(out, SHANGHAI)))
    assert (offered.direction, offered.caller) == ("outbound", "96123")
    assert isinstance(abandoned, p.PartnerCallAbandoned)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('"Wang","13800001111","96123"', "3 columns"),
        (LINE.replace("2026-03-02 16:00:00", "yesterday"), "'yesterday' is no time"),
        (LINE.replace("7e8f0d51-f1f6-a8e3-b2c0-1d2e3f405162", ""), "no uuid"),
        (LINE.replace("2026-03-02 16:00:00", ""), "no start_uepoch"),
        (LINE.replace('"Wang"', '"Wang "the" man"'), "no CSV"),
        ("INSERT INTO cdr VALUES (1);", "1 columns"),
        ("", "0 columns"),
    ],
)
def test_a_line_that_is_no_call_record_says_why(line: str, why: str) -> None:
    with pytest.raises(NotACallRecord, match=why):
        events(csv_record(line, SHANGHAI), "fs")


@pytest.mark.parametrize(
    "content",
    [
        xml(DIRECT)[:300],
        "<cdr/>",
        "<other><variables/></other>",
        "",
        "\x00",
        '<!DOCTYPE cdr [<!ENTITY a "aa">]><cdr><variables><uuid>&a;</uuid></variables></cdr>',
    ],
)
def test_a_file_that_is_no_call_record_says_why(content: str) -> None:
    with pytest.raises(NotACallRecord):
        xml_record(content.encode())


async def test_a_folder_is_read_once_and_what_is_new_in_it_later(tmp_path: Path) -> None:
    folder, cursor, sink = tmp_path / "cdr", tmp_path / "cursor", Kept()
    folder.mkdir()
    (folder / "a_1.cdr.xml").write_text(xml(DIRECT | {"uuid": "u-1"}))
    (folder / "u-2.cdr.json").write_text(as_json(DIRECT | {"uuid": "u-2"}))
    (folder / "notes.txt").write_text("not a record")
    assert (await read([folder], sink, cursor)).line_count == 2
    (folder / "a_3.cdr.xml").write_text(xml(DIRECT | {"uuid": "u-3"}))
    assert (await read([folder], sink, cursor)).line_count == 1
    assert (await read([folder], sink, cursor)).line_count == 0
    assert sink.calls == {"u-1", "u-2", "u-3"}


async def test_a_file_that_was_half_written_is_told_of_and_read_when_it_is_whole(tmp_path: Path) -> None:
    file, cursor, sink = tmp_path / "u-1.cdr.xml", tmp_path / "cursor", Kept()
    file.write_text(xml(DIRECT)[:300])
    for _ in range(2):
        assert (await read([file], sink, cursor)).odd_line_count == 1
    file.write_text(xml(DIRECT))
    assert (await read([file], sink, cursor)).odd_line_count == 0
    assert len(sink.calls) == 1


def line_of(uuid: str) -> str:
    return LINE.replace("7e8f0d51-f1f6-a8e3-b2c0-1d2e3f405162", uuid)


async def test_csv_is_read_on_as_it_grows_and_through_a_rotation(tmp_path: Path) -> None:
    folder, cursor, sink = tmp_path / "cdr-csv", tmp_path / "cursor", Kept()
    folder.mkdir()
    master = folder / "Master.csv"
    master.write_text(f"{line_of('u-1')}\n{line_of('u-2')[:40]}")
    summary = await read([folder], sink, cursor)
    assert (summary.line_count, summary.unfinished_lines) == (1, [str(master)])
    master.write_text(f"{line_of('u-1')}\n{line_of('u-2')}\n{line_of('u-3')}\n")
    master.rename(folder / "Master.csv.2026-03-02-16-30-00")
    master.write_text(f"{line_of('u-4')}\n")
    assert (await read([folder], sink, cursor)).line_count == 3
    assert (await read([folder], sink, cursor)).line_count == 0
    assert sink.calls == {"u-1", "u-2", "u-3", "u-4"}


async def test_one_file_of_csv_is_read_to_its_end_after_a_rotation_and_one_that_is_gone_is_named(
    tmp_path: Path,
) -> None:
    master, cursor, sink = tmp_path / "Master.csv", tmp_path / "cursor", Kept()
    master.write_text(f"{line_of('u-1')}\n")
    await read([master], sink, cursor)
    master.write_text(f"{line_of('u-1')}\n{line_of('u-2')}\n")
    rotated = master.rename(tmp_path / "Master.csv.2026-03-02-16-30-00")
    master.write_text(f"{line_of('u-3')}\n")
    assert (await read([master], sink, cursor)).line_count == 2
    rotated.unlink()
    master.write_text(f"{line_of('u-4')}\n")
    with pytest.raises(LinesMissing, match="the lines after line 1"):
        await read([master], sink, cursor)
    await read([master], sink, cursor)
    master.write_text(f"{line_of('u-4')}\n{line_of('u-5')}\n")
    await read([master], sink, cursor)
    master.write_text(f"{line_of('u-4')}\n")
    with pytest.raises(LinesMissing, match="it was truncated"):
        await read([master], sink, cursor)
    assert (await read([master], sink, cursor)).line_count == 0
    assert sink.calls == {"u-1", "u-2", "u-3", "u-4", "u-5"}


async def test_what_was_not_delivered_is_read_again(tmp_path: Path) -> None:
    master, file, cursor = tmp_path / "Master.csv", tmp_path / "u-2.cdr.xml", tmp_path / "cursor"
    master.write_text(f"{line_of('u-1')}\n")
    file.write_text(xml(DIRECT | {"uuid": "u-2"}))
    for path in (master, file):
        with pytest.raises(Stopped):
            await read([path], Kept(fails=True), cursor)
    sink = Kept()
    await read([master, file], sink, cursor)
    assert sink.calls == {"u-1", "u-2"}


async def test_a_line_that_is_none_is_named_and_kept_and_stops_nothing(tmp_path: Path) -> None:
    master, cursor, sink = tmp_path / "Master.csv", tmp_path / "cursor", Kept()
    bad = line_of("u-2").replace("2026-03-02 16:00:00", "soon")
    master.write_text(f"{line_of('u-1')}\n{bad}\n{line_of('u-3')}\n")
    summary = await read([master], sink, cursor)
    assert summary.odd_lines == [f"{master}:2: 'soon' is no time"]
    assert sink.calls == {"u-1", "u-3"}
    kept = tmp_path / "cursor.odd.csv"
    assert kept.read_text() == f"{bad}\n"
    kept.write_text(kept.read_text().replace("soon", "2026-03-02 16:00:00"))
    assert (await read([kept], sink, cursor)).odd_line_count == 0
    assert sink.calls == {"u-1", "u-2", "u-3"}
