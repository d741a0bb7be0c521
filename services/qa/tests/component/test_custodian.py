"""Request in, one answer out: qa by the stream of an order."""

from dataclasses import replace

import pytest

from contracts import events as e
from contracts.lifecycle import Status
from contracts.requests import WorkOrderRequestRefused, WorkOrderUrgeRequested
from work_orders.testing import ServiceUnderTest, Stream


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.AUDITING, Status.ARCHIVED])
@pytest.mark.parametrize("kind", ["cancel", "urge"])
async def test_work_that_is_done_is_neither_cancelled_nor_urged(
    qa: ServiceUnderTest, status: Status, kind: str
) -> None:
    stream = Stream().until(status)
    request = stream.ask(WorkOrderUrgeRequested(request_id="r-1", reason="x") if kind == "urge" else None)
    await qa.receive(*stream.messages, request)
    (refused,) = await qa.sent()
    assert refused.body == WorkOrderRequestRefused(
        request_id="r-1",
        code="act_not_allowed",
        status=status.value,
        allowed_acts=tuple(act.value for act in stream.order.allowed_acts),
    )
    assert refused.causation_id == request.id
    row = await qa.row_of()
    assert (row["status"], row["version"]) == (status, stream.order.version)


async def test_a_request_in_front_of_the_own_hand_over_is_forwarded_behind_it(qa: ServiceUnderTest) -> None:
    stream = Stream().until(Status.COMPLETED)
    await qa.receive(*stream.messages)
    await qa.act("o-1", "redispatch", version=4, role="auditor", reason="仍有故障")
    request = stream.ask()
    await qa.receive(request, request)
    redispatched, forwarded = await qa.sent()
    assert redispatched.body == e.WorkOrderRedispatchRequested(reason="仍有故障")
    assert forwarded.body == replace(request.body, hop=1)
    await qa.receive(redispatched, forwarded)
    assert len(await qa.sent()) == 2


async def test_a_request_in_front_of_the_own_archiving_is_refused(qa: ServiceUnderTest) -> None:
    stream = Stream().until(Status.COMPLETED)
    await qa.receive(*stream.messages)
    await qa.act("o-1", "archive", version=4, role="auditor")
    request = stream.ask()
    await qa.receive(request)
    await qa.receive(request)
    _, refused = await qa.sent()
    assert (refused.body.status, refused.body.allowed_acts) == ("archived", ())


@pytest.mark.parametrize("status", [Status.CREATED, Status.DISPATCHED, Status.PROCESSING, Status.REJECTED])
async def test_who_does_not_hold_the_order_is_silent(qa: ServiceUnderTest, status: Status) -> None:
    stream = Stream().until(status)
    await qa.receive(*stream.messages, stream.ask())
    assert await qa.sent() == []


async def test_an_answer_that_was_read_settles_the_request_for_good(qa: ServiceUnderTest) -> None:
    """Dispatch refused it; when it comes again behind the hand-over, it is not asked again."""
    stream = Stream().until(Status.COMPLETED)
    request = stream.ask()
    await qa.receive(*stream.messages)
    (refused,) = await qa.sent()
    await qa.receive(refused, request)
    assert await qa.sent() == [refused]
