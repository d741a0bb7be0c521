"""Two who act on one order at once: exactly one wins, and the other is told what the order is now."""

import asyncio

import pytest

from contracts.lifecycle import Status
from contracts.requests import WorkOrderCancelRequested
from work_orders.testing import COMPLETION, ServiceUnderTest, Stream

TECHNICIAN = {"role": "technician", "areas": ["north"]}
REJECTION = {"reason": "wrong_trade", "explanation": "需要光纤班"}
ROUNDS = range(8)


async def _orders(fieldwork: ServiceUnderTest) -> list[Stream]:
    streams = [Stream(f"o-{number}").until(Status.PROCESSING) for number in ROUNDS]
    for stream in streams:
        await fieldwork.receive(*stream.messages)
    return streams


async def test_of_a_completion_and_a_rejection_exactly_one_wins(fieldwork: ServiceUnderTest) -> None:
    await _orders(fieldwork)
    for number in ROUNDS:
        acts = [
            fieldwork.act(f"o-{number}", "complete", version=3, sub="north-1", **TECHNICIAN, **COMPLETION),
            fieldwork.act(f"o-{number}", "reject", version=3, sub="north-2", **TECHNICIAN, **REJECTION),
        ]
        answers = await asyncio.gather(*(acts if number % 2 else reversed(acts)))
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        assert (won.status_code, lost.status_code, lost.json()["code"]) == (200, 412, "stale_version")
        assert (lost.json()["present_version"], lost.json()["order_status"]) == (4, won.json()["status"])
        row = await fieldwork.row_of(f"o-{number}")
        assert (row["version"], row["status"], row["body"]) == (4, won.json()["status"], won.text)
    sent = await fieldwork.sent()
    assert sorted(message.subject for message in sent) == sorted(f"o-{number}" for number in ROUNDS)


async def test_the_same_command_sent_many_times_at_once_happens_once(fieldwork: ServiceUnderTest) -> None:
    await _orders(fieldwork)
    answers = await asyncio.gather(
        *(fieldwork.act("o-0", "complete", version=3, key="k", **TECHNICIAN, **COMPLETION) for _ in range(6))
    )
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, answers[0].text)}
    assert len(await fieldwork.sent()) == 1


async def test_of_an_act_and_a_cancel_request_the_stream_tells_one_story(fieldwork: ServiceUnderTest) -> None:
    streams = await _orders(fieldwork)
    for number, stream in zip(ROUNDS, streams, strict=True):
        request = stream.ask(WorkOrderCancelRequested(request_id=f"r-{number}", reason="用户来电要求"))
        answer, _ = await asyncio.gather(
            fieldwork.act(stream.order_id, "complete", version=3, **TECHNICIAN, **COMPLETION),
            fieldwork.receive(request),
        )
        kinds = [m.type.split(".")[-2] for m in await fieldwork.sent() if m.subject == f"o-{number}"]
        if answer.status_code == 200:
            assert kinds == ["completed", "cancel_requested"]
        else:
            assert (answer.json()["code"], kinds) == ("stale_version", ["cancelled"])


async def test_acts_on_different_orders_do_not_hinder_each_other(fieldwork: ServiceUnderTest) -> None:
    await _orders(fieldwork)
    answers = await asyncio.gather(
        *(fieldwork.act(f"o-{number}", "complete", version=3, **TECHNICIAN, **COMPLETION) for number in ROUNDS)
    )
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("first", ["consumer", "act"])
async def test_an_outbox_row_is_numbered_after_the_order_was_locked(fieldwork: ServiceUnderTest, first: str) -> None:
    stream = (await _orders(fieldwork))[0]
    request = stream.ask()
    act = fieldwork.act("o-0", "notes", version=3, **TECHNICIAN, note="钥匙在门卫")
    works = [fieldwork.receive(request), act] if first == "consumer" else [act, fieldwork.receive(request)]
    await asyncio.gather(*works)
    versions = [message.order_version for message in await fieldwork.sent() if message.order_version]
    assert versions == list(range(4, 4 + len(versions)))
