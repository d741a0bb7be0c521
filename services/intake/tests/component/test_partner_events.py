"""What a partner sends becomes calls, agent states and orders once each, and is answered once each."""

import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from chassis import parking
from chassis.database import Database
from chassis.parking import parked_records
from contracts import calls as c
from contracts import partners as p
from contracts.codec import encode
from contracts.message import Message

from .switch import Switch

AGENT = "Agent/101"
EXPECTED = {
    "wait_milliseconds": 4000,
    "hold_milliseconds": 3000,
    "talk_milliseconds": 12_000,
    "work_milliseconds": 6000,
}


@pytest.fixture
async def switch(new_database: Callable[[str], str]) -> AsyncIterator[Switch]:
    db = Database(new_database("intake"))
    async with db.statements() as statements:
        await statements.execute(
            """insert into subscribers (id, version, subscriber_no, name, phones, address, kind, zone, notes,
                                        created_at, changed_at)
               values ('s-1', 1, '111', '王', '{13800001111}', 'x', 'household', 'urban', '', now(), now())"""
        )
        await statements.execute("insert into agents values ('chen', 1, '陈静', 'night', true)")
        await statements.execute("insert into agent_names values ('pbx', 'Agent/101', 'chen')")
        await statements.execute(
            """insert into order_types (kind, code, version, name_en, name_zh, is_active) values
               ('device', 'digital', 1, 'd', '数字', true), ('demand', 'test', 1, 't', '测试', true)"""
        )
    yield Switch(db)
    await db.close()


def a_call(switch: Switch, call: str = "c-1") -> list[Message]:
    """Offered at 0, queued at 1, answered at 5, held from 10 to 13, ended at 20, after-call work until 26."""
    said = [
        (p.PartnerCallOffered(caller="138-0000 1111", line="96123"), 0),
        (p.PartnerCallQueued(queue="support", position=2), 1),
        (p.PartnerCallAnswered(agent=AGENT), 5),
        (p.PartnerCallHeld(), 10),
        (p.PartnerCallResumed(), 13),
        (p.PartnerCallEnded(ended_by=c.EndedBy.CALLER), 20),
        (p.PartnerAfterCallWorkEnded(), 26),
    ]
    return [switch.event(body, at, call=call, event_id=f"{call}/{number}") for number, (body, at) in enumerate(said)]


def figures(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: getattr(fact, name)
        for fact in facts.values()
        for name in ("wait_milliseconds", "hold_milliseconds", "talk_milliseconds", "work_milliseconds")
        if getattr(fact, name, None) is not None
    }


async def test_a_call_is_published_with_its_times_its_agent_and_its_subscriber(switch: Switch) -> None:
    await switch.says(*a_call(switch))
    facts = await switch.facts()
    assert [type(fact).__name__ for fact in facts.values()] == [
        "CallOffered",
        "CallQueued",
        "CallAnswered",
        "CallHeld",
        "CallResumed",
        "CallEnded",
        "AfterCallWorkEnded",
    ]
    assert figures(facts) == EXPECTED
    answered = facts["c-1/2"]
    assert (answered.agent_id, answered.team, answered.queue, answered.faults) == ("chen", "night", "support", ())
    assert {fact.subscriber_id for fact in facts.values()} == {"s-1"}


async def test_no_number_of_a_caller_is_in_what_is_published(switch: Switch) -> None:
    await switch.says(*a_call(switch))
    async with switch.db.statements() as statements:
        texts = await statements.fetch("select payload, headers from outbox")
    assert not [row for row in texts if b"0000" in row["payload"].replace(b"000,", b"")]


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_the_order_in_which_a_call_becomes_known_it_ends_up_the_same(switch: Switch, seed: int) -> None:
    messages = a_call(switch)
    order = next(itertools.islice(itertools.permutations(messages), seed * 700 + 13, None))
    for message in order:
        await switch.says(message)
    facts = await switch.facts()
    assert figures(facts) == EXPECTED
    assert {fact.queue for fact in facts.values()} == {"support"}
    assert all(not fact.faults for fact in facts.values())


async def test_what_is_repeated_is_neither_published_nor_answered_again(switch: Switch) -> None:
    messages = a_call(switch)
    await switch.says(*messages, messages[3])
    published, answered = await switch.count("outbox"), len(await switch.answers())
    await switch.says(*messages)
    await switch.sends(*map(encode, messages), at=0)
    assert (await switch.count("outbox"), len(await switch.answers())) == (published, answered)


async def test_each_event_is_answered_with_the_call_it_belongs_to(switch: Switch) -> None:
    await switch.says(*a_call(switch), *a_call(switch, "c-2"))
    answers = await switch.answers()
    taken = [event.event_id for answer in answers for event in answer.events]
    assert taken == [f"{call}/{number}" for call in ("c-1", "c-2") for number in range(7)]
    assert len({answer.call_id for answer in answers}) == 2


async def test_an_id_that_is_used_for_something_else_is_refused(switch: Switch) -> None:
    await switch.says(switch.event(p.PartnerCallQueued(queue="a"), event_id="same"))
    await switch.says(switch.event(p.PartnerCallQueued(queue="b"), call="c-2", event_id="same"))
    assert await switch.refusals() == [("same", "event_id_reused")]
    assert await switch.facts("c-2") == {}


@pytest.mark.parametrize(
    "body",
    [
        p.PartnerCallOffered(caller="139"),
        p.PartnerCallQueued(queue="other"),
        p.PartnerCallAnswered(agent="Agent/102"),
        p.PartnerCallEnded(talk_milliseconds=1),
    ],
)
async def test_a_second_one_of_what_there_is_once_is_refused(switch: Switch, body: Any) -> None:
    await switch.says(*a_call(switch))
    before = await switch.facts()
    await switch.says(switch.event(body, 40, event_id="again"))
    assert await switch.refusals() == [("again", "fact_already_known")]
    assert await switch.facts() == before


async def test_a_correction_takes_the_place_of_what_it_corrects_as_a_revision(switch: Switch) -> None:
    await switch.says(*a_call(switch))
    await switch.says(switch.event(p.PartnerCallAnswered(agent=AGENT, corrects="c-1/2"), 4, event_id="right"))
    facts = await switch.facts()
    assert (facts["c-1/2"].wait_milliseconds, facts["c-1/2"].revision) == (3000, 2)
    assert (facts["c-1/5"].talk_milliseconds, facts["c-1/5"].revision) == (13_000, 2)
    assert await switch.refusals() == []


@pytest.mark.parametrize("corrects", ["none", "c-1/1"])
async def test_a_correction_of_nothing_or_of_another_kind_is_refused(switch: Switch, corrects: str) -> None:
    await switch.says(*a_call(switch))
    await switch.says(switch.event(p.PartnerCallAnswered(corrects=corrects), 4, event_id="wrong"))
    assert await switch.refusals() == [("wrong", "correction_unknown")]


async def test_what_cannot_be_so_is_counted_as_it_can_be_and_marked(switch: Switch) -> None:
    await switch.says(
        switch.event(p.PartnerCallOffered(), 10),
        switch.event(p.PartnerCallAnswered(agent="Agent/999"), 5),
        switch.event(p.PartnerCallEnded(), 3),
        switch.event(p.PartnerCallAbandoned(), 12),
    )
    facts = await switch.facts()
    answered, ended = facts["e-2"], facts["e-3"]
    assert (answered.wait_milliseconds, ended.talk_milliseconds) == (0, 0)
    assert answered.faults == ("before_offer", "contradictory", "negative_time")
    assert ended.faults == ("before_answer", "before_offer", "contradictory", "negative_time")
    marked = [event.faults for answer in await switch.answers() for event in answer.events]
    assert marked[1] == (*answered.faults, "unknown_agent")


async def test_agent_states_are_one_stream_and_a_late_one_does_not_become_the_present_one(switch: Switch) -> None:
    states = [(c.AgentState.READY, 0), (c.AgentState.PAUSED, 60), (c.AgentState.BUSY, 30)]
    for state, at in states:
        await switch.says(switch.event(p.PartnerAgentStateChanged(agent=AGENT, state=state), at))
    published = await switch.published("calls")
    assert [message.entity_version for message in published] == [1, 2, 3]
    assert {message.subject for message in published} == {"agent:chen"}
    async with switch.db.statements() as statements:
        row = await statements.fetchrow("select * from agent_streams")
    assert (row["state"], row["version"], row["team"]) == ("paused", 3, "night")


async def test_a_state_can_be_corrected(switch: Switch) -> None:
    await switch.says(switch.event(p.PartnerAgentStateChanged(agent=AGENT, state=c.AgentState.PAUSED), 0))
    await switch.says(
        switch.event(p.PartnerAgentStateChanged(agent=AGENT, state=c.AgentState.READY, corrects="e-1"), 0),
        switch.event(p.PartnerAgentStateChanged(agent=AGENT, state=c.AgentState.READY, corrects="e-9"), 0),
    )
    first, second = [message.body for message in await switch.published("calls")]
    assert (second.fact_id, second.revision, second.state) == (first.fact_id, 2, c.AgentState.READY)
    assert await switch.refusals() == [("e-3", "correction_unknown")]


async def test_an_order_that_a_partner_asks_for_is_created_and_answered_with_its_number(switch: Switch) -> None:
    asked = p.PartnerOrderRequested(subscriber_no="111", device_type="digital", demand_type="test", content="没有图像")
    await switch.says(switch.event(asked, call="PO-7"))
    (answer,) = await switch.answers()
    (created,) = await switch.published("work-orders")
    assert (answer.order_id, answer.order_no) == (created.subject, created.body.order_no)
    assert (created.body.channel, created.body.external_reference) == ("partner", "pbx/PO-7")
    await switch.says(switch.event(asked, call="PO-7"))
    assert await switch.refusals() == [("e-2", "external_reference_taken")]


async def test_an_order_of_a_partner_is_taken_in_the_spelling_of_what_is_stored(switch: Switch) -> None:
    asked = p.PartnerOrderRequested(
        subscriber_no="１１１", device_type="digital", demand_type="test", content="no picture"
    )
    await switch.says(switch.event(asked, call="ＰＯ-9"))
    assert await switch.refusals() == []
    (created,) = await switch.published("work-orders")
    assert (created.body.subscriber_no, created.body.external_reference) == ("111", "pbx/PO-9")


async def test_an_order_for_nobody_is_refused_in_two_languages(switch: Switch) -> None:
    asked = p.PartnerOrderRequested(subscriber_no="999", device_type="digital", demand_type="test", content="x")
    await switch.says(switch.event(asked, call="PO-8"))
    (answer,) = await switch.answers()
    assert (answer.code, answer.detail.en) == ("subscriber_not_found", "There is no subscriber 999.")
    assert "999" in answer.detail.zh


def damaged(message: Message, *, value: bytes | None = None, **headers: bytes) -> tuple[Any, Any, Any]:
    key, sent, pairs = encode(message)
    return key, sent if value is None else value, list((dict(pairs) | headers).items())


@pytest.mark.parametrize(
    ("value", "headers", "code", "pointer"),
    [
        (b'{"leg":"one"}', {}, "event_malformed", "/leg"),
        (b'{"position":-1}', {}, "event_malformed", "/position"),
        (b'{"position":1,"position":2}', {}, "event_malformed", "/position"),
        (b"{}", {"ce_time": b"1999-01-01T00:00:00Z"}, "event_malformed", "ce_time"),
        (b"{}", {"ce_type": b"linework.partner.call_painted.v1"}, "event_type_unknown", "ce_type"),
        (b"{}", {"ce_type": b"linework.call.queued.v1"}, "event_type_unknown", "ce_type"),
    ],
)
async def test_a_wrong_event_is_refused_with_what_would_be_right_and_holds_nothing_up(
    switch: Switch, value: bytes, headers: dict[str, bytes], code: str, pointer: str
) -> None:
    wrong = switch.event(p.PartnerCallQueued(), event_id="wrong")
    await switch.sends(damaged(wrong, value=value, **headers), encode(switch.event(p.PartnerCallQueued(), 1)))
    refused = next(one for one in await switch.answers() if isinstance(one, p.PartnerEventRefused))
    assert (refused.event_id, refused.code, refused.mistakes[0].pointer) == ("wrong", code, pointer)
    assert refused.mistakes[0].right
    assert not refused.is_parked
    assert list(await switch.facts()) == ["e-2"]
    before = len(await switch.answers())
    await switch.sends(damaged(wrong, value=value, **headers))
    assert len(await switch.answers()) == before


async def test_what_cannot_be_read_is_parked_with_what_stands_behind_it_and_answered(switch: Switch) -> None:
    broken = switch.event(p.PartnerCallQueued(), event_id="broken")
    behind = switch.event(p.PartnerCallAnswered(agent=AGENT), 2)
    other = switch.event(p.PartnerCallQueued(), 1, call="c-2")
    await switch.sends(damaged(broken, value=b"{"), encode(behind), encode(other))
    assert (await switch.facts(), list(await switch.facts("c-2"))) == ({}, ["e-3"])
    assert [row["key"] for row in await parked_records(switch.db, topic=None, key=None)] == ["c-1", "c-1"]
    refused = next(one for one in await switch.answers() if isinstance(one, p.PartnerEventRefused))
    assert (refused.code, refused.is_parked, refused.partition, refused.offset) == ("event_unreadable", True, 0, 0)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
async def test_a_record_in_another_encoding_is_parked_and_answered(switch: Switch, encoding: str) -> None:
    wrong = switch.event(p.PartnerCallQueued(), event_id="wide")
    await switch.sends(damaged(wrong, value='{"queue":"客服"}'.encode(encoding)))
    assert await switch.facts() == {}
    assert await switch.refusals() == [("wide", "event_unreadable")]


async def test_a_partner_is_told_of_what_no_client_can_decode(switch: Switch) -> None:
    key, value, headers = encode(switch.event(p.PartnerCallQueued(), event_id="huge"))
    about = parking.Undecoded("the record has 300000000 bytes; 2097152 are read", 300_000_000, None)
    topic = f"partner.{switch.partner_id}.in"
    huge = parking.RawRecord(topic, 0, 0, key, b"{}", tuple(headers), 0, about)
    unknown = parking.RawRecord(topic, 0, 1, None, b"", (), 0, about, 7)
    named = [("\udcff", b"x"), *headers]
    await switch.consumer.apply([huge, unknown])
    other = [pair for pair in named if pair[0] != "ce_subject"] + [("ce_subject", b"c-2")]
    await switch.sends((b"c-2", value, other), at=8)
    first, second, third = [one for one in await switch.answers() if isinstance(one, p.PartnerEventRefused)]
    assert (first.event_id, first.is_parked, first.mistakes[0].wrong.en) == ("huge", True, about.reason)
    assert (second.event_id, second.offset, second.is_parked) == (None, 1, True)
    assert (third.is_parked, third.mistakes[0].wrong.en) == (True, "the header name is not UTF-8")
    assert len(await parked_records(switch.db, topic=None, key=None)) == 3


async def test_a_parked_key_is_released_once_it_is_repaired(switch: Switch) -> None:
    broken = switch.event(p.PartnerCallQueued(queue="q"), event_id="broken")
    await switch.sends(damaged(broken, value=b"{"), encode(switch.event(p.PartnerCallAnswered(agent=AGENT), 2)))
    (first, _) = await parked_records(switch.db, topic=None, key=None)
    at = broken.occurred_at
    await parking.repair(switch.db, first["id"], value='{"queue":"q"}', headers=first["headers"], by="op", at=at)
    assert await switch.consumer.release("c-1", by="op", at=at) == 2
    assert [type(fact).__name__ for fact in (await switch.facts()).values()] == ["CallQueued", "CallAnswered"]


@pytest.mark.parametrize("key", [None, b"", b"\xff", b"a\nb", b"k" * 5000])
async def test_whatever_the_key_is_the_record_is_parked_and_the_others_flow(switch: Switch, key: bytes | None) -> None:
    _, value, headers = encode(switch.event(p.PartnerCallQueued()))
    await switch.sends((key, value, headers), encode(switch.event(p.PartnerCallQueued(), call="c-2")))
    assert len(await parked_records(switch.db, topic=None, key=None)) == 1
    assert await switch.facts("c-2")
    assert len(await switch.answers()) == 2


@pytest.mark.parametrize("names", [{"event_id": "i" * 5000}, {"call": "c" * 5000}])
async def test_a_name_that_is_too_long_is_refused_and_the_others_flow(switch: Switch, names: dict[str, str]) -> None:
    await switch.says(
        switch.event(p.PartnerCallQueued(), **names), switch.event(p.PartnerCallQueued(), call="c-2", event_id="fine")
    )
    assert [code for _, code in await switch.refusals()] == ["event_malformed"]
    assert list(await switch.facts("c-2")) == ["fine"]


async def test_a_call_with_a_thousand_events_takes_no_more(switch: Switch) -> None:
    await switch.says(*(switch.event(p.PartnerCallHeld(), at) for at in range(1001)))
    assert await switch.refusals() == [("e-1001", "call_too_long")]


async def test_an_offer_that_a_bridge_sent_before_it_could_say_whether_holds_are_told_is_the_same(
    switch: Switch,
) -> None:
    offered = switch.event(p.PartnerCallOffered(line="96123"), event_id="offer")
    before = replace(offered, data=offered.data.replace(b',"holds_reported":false', b""))
    assert before.data != offered.data
    await switch.says(before)
    await switch.says(offered)
    assert (await switch.refusals(), len(await switch.answers())) == ([], 1)
