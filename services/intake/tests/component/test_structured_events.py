"""Structured CloudEvents at intake: one event in either mode, and answers to what is none."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from chassis.database import Database
from chassis.parking import parked_records
from contracts import partners as p
from contracts.codec import encode, headers_of
from contracts.message import Message
from contracts.structured import MEDIA_TYPE, wrap

from .switch import Switch

STRUCTURED = ("content-type", f"{MEDIA_TYPE}; charset=utf-8".encode())


@pytest.fixture
async def switch(new_database: Callable[[str], str]) -> AsyncIterator[Switch]:
    db = Database(new_database("intake"))
    yield Switch(db)
    await db.close()


def structured(message: Message, **changes: Any) -> tuple[Any, Any, Any]:
    """The record, with changed members of the event."""
    event = json.loads(wrap(headers_of(message), message.data)) | changes
    return message.subject.encode(), json.dumps(event).encode(), [STRUCTURED]


async def test_a_call_of_structured_events_is_published_as_one_of_binary_events_is(switch: Switch) -> None:
    events = [
        switch.event(p.PartnerCallOffered(), 0),
        switch.event(p.PartnerCallQueued(queue="客服"), 1),
        switch.event(p.PartnerCallAnswered(agent="a"), 5),
    ]
    await switch.sends(structured(events[0]), encode(events[1]), structured(events[2]))
    facts = await switch.facts()
    assert list(facts) == ["e-1", "e-2", "e-3"]
    assert (facts["e-2"].queue, facts["e-3"].wait_milliseconds) == ("客服", 4000)
    (answer,) = await switch.answers()
    assert [one.event_id for one in answer.events] == ["e-1", "e-2", "e-3"]


async def test_an_event_that_is_repeated_in_the_other_mode_changes_nothing(switch: Switch) -> None:
    event = switch.event(p.PartnerCallQueued(queue="q"))
    value = wrap(headers_of(event), event.data)
    await switch.sends(encode(event))
    await switch.sends((b"c-1", value, [STRUCTURED]))
    assert (len(await switch.answers()), list(await switch.facts())) == (1, ["e-1"])


async def test_a_wrong_structured_event_is_refused_under_its_id_and_holds_nothing_up(switch: Switch) -> None:
    wrong, right = switch.event(p.PartnerCallQueued()), switch.event(p.PartnerCallAnswered(agent="a"))
    await switch.sends(structured(wrong, data={"leg": 0}), structured(right))
    assert await switch.refusals() == [("e-1", "event_malformed")]
    assert list(await switch.facts()) == ["e-2"]


@pytest.mark.parametrize(
    ("changes", "headers", "code"),
    [
        ({"data_base64": "e30="}, [STRUCTURED], "event_form_unsupported"),
        ({}, [("content-type", b"application/cloudevents-batch+json")], "event_form_unsupported"),
        ({}, [STRUCTURED, ("ce_subject", b"c-2")], "event_unreadable"),
        ({"subject": "c-2"}, [STRUCTURED], "event_unreadable"),
    ],
)
async def test_what_is_no_event_is_parked_answered_once_and_released_when_it_is_repaired(
    switch: Switch, changes: dict[str, Any], headers: Any, code: str
) -> None:
    event = switch.event(p.PartnerCallQueued(queue="q"))
    key, value, _ = structured(event, **changes)
    await switch.sends((key, value, headers))
    await switch.sends((key, value, headers), at=0)
    (refused,) = await switch.answers()
    assert (refused.code, refused.is_parked) == (code, True)
    assert refused.mistakes[0].right
    ((parked),) = await parked_records(switch.db, topic=None, key=None)
    assert parked["key"] == "c-1"
    async with switch.db.begin() as tx:
        await tx.execute(
            "update parked set repaired = $1::jsonb",
            json.dumps({"value": structured(event)[1].decode(), "headers": {"content-type": MEDIA_TYPE}, "by": "op"}),
        )
    await switch.consumer.release("c-1", by="operator-1", at=event.occurred_at)
    assert list(await switch.facts()) == ["e-1"]
