"""Reassigning, who may complete, suspensions that end by themselves, and what supervisors and agents ask for."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.clock import SystemClock
from contracts import events as e
from contracts.handling import SHIPPED, Completer
from contracts.lifecycle import Status
from contracts.requests import WorkOrderRecallRequested, WorkOrderSupervisionRequested
from fieldwork.orders import suspension_store
from fieldwork.orders.ending_suspensions import look, unit_of_work
from work_orders.testing import COMPLETION, ServiceUnderTest, Stream, defined, staff

TECHNICIAN: dict[str, Any] = {"role": "technician", "areas": ["north"]}
DISPATCHER: dict[str, Any] = {"role": "dispatcher"}
TO_TWO = {"staff_ids": ["north-2"], "reason": "王强请假"}
RECALL = WorkOrderRecallRequested(request_id="r-1", reason="需要光纤班")


class Later(SystemClock):
    """A worker that was away until then."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


async def _processing(fieldwork: ServiceUnderTest, *more: Any) -> Stream:
    stream = Stream().until(Status.PROCESSING)
    members = (
        staff("north-1", "north", 2, person_id="u-1"),
        staff("north-2", "north", person_id="u-2"),
        staff("north-9", "north", person_id="u-9", is_lead=True),
    )
    await fieldwork.receive(*members, *stream.messages, *more)
    return stream


def rules(version: int = 1, **changes: Any) -> Any:
    return defined(replace(SHIPPED, **changes), version)


@pytest.mark.parametrize("who", [DISPATCHER, {"role": "supervisor"}, {**TECHNICIAN, "sub": "u-9"}])
async def test_an_order_is_reassigned_within_its_area_and_goes_on(fieldwork: ServiceUnderTest, who: Any) -> None:
    await _processing(fieldwork)
    answer = await fieldwork.act("o-1", "reassign", version=3, **who, **TO_TWO)
    assert answer.status_code == 200, answer.text
    order = answer.json()
    assert (order["status"], order["assignment"]["staff_ids"]) == ("processing", ["north-2"])
    assert (order["reassignments"][0]["staff_ids"], order["rejections"]) == (["north-1"], [])
    (message,) = await fieldwork.sent()
    assert message.body == e.WorkOrderReassigned(staff_ids=("north-2",), reason="王强请假")


@pytest.mark.parametrize(
    ("who", "body", "status", "code"),
    [
        ({**TECHNICIAN, "sub": "u-2"}, TO_TWO, 403, "not_lead_of_work_area"),
        (TECHNICIAN | {"areas": ["south"]}, TO_TWO, 404, "work_order_not_found"),
        (DISPATCHER, TO_TWO | {"staff_ids": ["south-1"]}, 422, "staff_outside_work_area"),
        (DISPATCHER, TO_TWO | {"staff_ids": []}, 422, "invalid_request"),
        (DISPATCHER, TO_TWO | {"reason": " "}, 422, "invalid_request"),
        (DISPATCHER, TO_TWO | {"staff_ids": ["north-1"]}, 409, "staff_unchanged"),
        ({"role": "agent"}, TO_TWO, 403, "role_not_allowed"),
    ],
)
async def test_a_wrong_reassignment_is_refused_and_changes_nothing(
    fieldwork: ServiceUnderTest, who: Any, body: Any, status: int, code: str
) -> None:
    await _processing(fieldwork)
    before = await fieldwork.row_of()
    answer = await fieldwork.act("o-1", "reassign", version=3, **who, **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await fieldwork.row_of() == before
    assert await fieldwork.sent() == []


async def test_only_whom_the_rules_name_completes_an_order(fieldwork: ServiceUnderTest) -> None:
    await _processing(fieldwork)

    async def complete(**who: Any) -> str:
        answer = await fieldwork.act("o-1", "complete", version=3, **who, **COMPLETION)
        return str(answer.json().get("code", answer.json()["status"]))

    for who in ({**TECHNICIAN, "sub": "u-2"}, TECHNICIAN, DISPATCHER):
        assert await complete(**who) == "completion_not_permitted"
    await fieldwork.receive(rules(completers=(Completer.DISPATCHER,)))
    assert await complete(**TECHNICIAN, sub="u-1") == "completion_not_permitted"
    assert await complete(**DISPATCHER) == "completed"


async def test_a_suspension_is_taken_within_the_rules_of_its_moment(fieldwork: ServiceUnderTest) -> None:
    await _processing(fieldwork, rules(longest_suspension_minutes=60, most_suspensions=1))
    soon, later = datetime.now(UTC) + timedelta(minutes=30), datetime.now(UTC) + timedelta(minutes=90)

    async def suspend(version: int, until: datetime, **body: Any) -> Any:
        body |= {"reason": "大雾", "until": until.isoformat()}
        return (await fieldwork.act("o-1", "suspend", version=version, **TECHNICIAN, **body)).json()

    assert (await suspend(3, later))["code"] == "suspension_too_long"
    assert (await suspend(3, soon, reason_code="football"))["code"] == "suspension_reason_unknown"
    assert (await suspend(3, soon, reason_code="weather"))["suspension"]["reason_code"] == "weather"
    await fieldwork.act("o-1", "resume", version=4, **TECHNICIAN)
    assert (await suspend(5, soon))["code"] == "suspensions_spent"


async def _suspended(fieldwork: ServiceUnderTest) -> datetime:
    """An order that is suspended for ten minutes, as the stream brought it back."""
    await _processing(fieldwork)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10)
    body = {"reason": "大雾", "until": until.isoformat()}
    assert (await fieldwork.act("o-1", "suspend", version=3, **TECHNICIAN, **body)).status_code == 200
    await fieldwork.receive(*(await fieldwork.sent()))
    return until


@pytest.fixture
def round_at(fieldwork: ServiceUnderTest) -> Callable[[datetime], Awaitable[int]]:
    """A round of a worker's job at a moment."""
    state = fieldwork.app.state
    return lambda moment: look(unit_of_work(state.settings, state.db, state.wakeup, Later(moment)))


async def test_a_suspension_ends_by_itself_once_as_of_its_end_however_late(fieldwork, round_at) -> None:
    until = await _suspended(fieldwork)
    assert await round_at(until - timedelta(seconds=1)) == 0
    late = until + timedelta(hours=5)
    assert [await round_at(late), await round_at(late)] == [1, 0]
    _, message = await fieldwork.sent()
    assert message.body == e.WorkOrderResumed(ended_at=until)
    assert (message.actor.sub, message.actor.role, message.occurred_at) == ("fieldwork", "service", late)
    order = (await fieldwork.get("/work-orders/o-1", "supervisor")).json()
    assert (order["suspension"], order["pauses"][0]["until"]) == (None, until.isoformat().replace("+00:00", "Z"))
    assert await fieldwork.rows("select * from suspensions") == []


async def test_a_suspension_that_somebody_ended_is_forgotten(fieldwork, round_at) -> None:
    until = await _suspended(fieldwork)
    await fieldwork.act("o-1", "resume", version=4, **TECHNICIAN)
    await fieldwork.receive((await fieldwork.sent())[-1])
    assert await fieldwork.rows("select * from suspensions") == []
    assert await round_at(until) == 0


async def test_suspensions_of_before_the_table_are_found_when_a_worker_starts(fieldwork, round_at) -> None:
    until = await _suspended(fieldwork)
    async with fieldwork.db.statements() as statements:
        await statements.execute("delete from suspensions")
        await suspension_store.add_missing(statements)
    assert await round_at(until) == 1


@pytest.mark.parametrize("status", [Status.DISPATCHED, Status.PROCESSING])
async def test_a_recall_before_the_work_is_done_is_granted(fieldwork: ServiceUnderTest, status: Status) -> None:
    stream = Stream().until(status)
    await fieldwork.receive(*stream.messages, stream.ask(RECALL))
    (message,) = await fieldwork.sent()
    assert message.body == e.WorkOrderRecalled(request_id="r-1", reason="需要光纤班")
    order = (await fieldwork.get("/work-orders/o-1", "supervisor")).json()
    assert (order["status"], order["custodian"], order["rejections"]) == ("redispatching", "dispatch", [])


async def test_a_recall_ends_a_suspension_and_its_row(fieldwork: ServiceUnderTest) -> None:
    stream = Stream().until(Status.PROCESSING)
    stream.add(e.WorkOrderSuspended(reason="雾", until=datetime(2026, 12, 24, tzinfo=UTC)))
    await fieldwork.receive(*stream.messages, stream.ask(RECALL))
    await fieldwork.receive(*(await fieldwork.sent()))
    order = (await fieldwork.get("/work-orders/o-1", "supervisor")).json()
    assert (order["suspension"], len(order["pauses"])) == (None, 1)
    assert await fieldwork.rows("select * from suspensions") == []


async def test_a_supervision_is_answered_once_by_who_holds_the_order(fieldwork: ServiceUnderTest) -> None:
    stream = await _processing(fieldwork)
    early = await fieldwork.act("o-1", "supervision-answers", version=3, **TECHNICIAN, answer="明天")
    assert (early.status_code, early.json()["code"]) == (409, "no_open_supervision")
    ask = WorkOrderSupervisionRequested(
        request_id="r-1", reply_by=datetime(2026, 12, 24, tzinfo=UTC), reason="用户已上访"
    )
    await fieldwork.receive(stream.ask(ask))
    answered = await fieldwork.act("o-1", "supervision-answers", version=4, **TECHNICIAN, answer="明天上门")
    supervision = answered.json()["supervisions"][0]
    assert (supervision["answer"], supervision["request_id"]) == ("明天上门", "r-1")
    assert [type(one.body) for one in await fieldwork.sent()] == [
        e.WorkOrderSupervised,
        e.WorkOrderSupervisionAnswered,
    ]


async def test_a_recall_after_completion_is_not_granted(fieldwork: ServiceUnderTest) -> None:
    stream = await _processing(fieldwork)
    await fieldwork.act("o-1", "complete", version=3, **TECHNICIAN, sub="u-1", **COMPLETION)
    await fieldwork.receive(stream.ask(RECALL))
    completed, forwarded = await fieldwork.sent()
    assert isinstance(completed.body, e.WorkOrderCompleted)
    assert forwarded.body == replace(RECALL, hop=1), "qa refuses it behind the hand-over"
