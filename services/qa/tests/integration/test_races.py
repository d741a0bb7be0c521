"""Two who act on one order at once: exactly one wins, and the other is told what the order is now."""

import asyncio

from contracts.lifecycle import Status
from work_orders.testing import ServiceUnderTest, Stream

ROUNDS = range(6)


async def test_of_a_passed_and_a_failed_audit_exactly_one_wins(qa: ServiceUnderTest) -> None:
    for number in ROUNDS:
        await qa.receive(*Stream(f"o-{number}").until(Status.AUDITING).messages)
    for number in ROUNDS:
        answers = await asyncio.gather(
            *(
                qa.act(f"o-{number}", "audit", version=5, role="auditor", sub=sub, verdict=verdict, remark="x")
                for sub, verdict in (("auditor-8", "passed"), ("auditor-9", "failed"))
            )
        )
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        assert (won.status_code, lost.status_code) == (200, 412)
        assert lost.json()["order_status"] == won.json()["status"]
        assert (await qa.row_of(f"o-{number}"))["body"] == won.text
    assert len(await qa.sent()) == len(ROUNDS)


async def test_an_order_is_archived_once_however_often_it_is_sent(qa: ServiceUnderTest) -> None:
    await qa.receive(*Stream().until(Status.COMPLETED).messages)
    answers = await asyncio.gather(*(qa.act("o-1", "archive", version=4, role="auditor", key="k") for _ in range(6)))
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, answers[0].text)}
    assert len(await qa.sent()) == 1
