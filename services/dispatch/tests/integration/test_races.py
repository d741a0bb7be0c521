"""Two at once on a real PostgreSQL: one wins, the other is told, and nothing of the loser stays."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from chassis.commands import NO_HEADERS
from chassis.entity_tags import NamedVersions
from chassis.testing import eventually
from chassis.unit_of_work import UnitOfWork
from contracts.directory import Names, StaffDefined, WorkAreaDefined
from contracts.lifecycle import Service
from contracts.message import Actor
from contracts.requests import WorkOrderCancelRequested
from dispatch import use_cases
from dispatch.domain.assignment import DispatchWorkOrder, WorkAreaUnknown
from work_orders.commit import StaleVersion
from work_orders.unit_of_work import OrderUnitOfWork

OPERATOR = Actor("operator-1", "operator")


@pytest.fixture
def meeting(monkeypatch: pytest.MonkeyPatch) -> asyncio.Barrier:
    """Commands are committed only when two have decided: both of them decided on the same version."""
    barrier, commit = asyncio.Barrier(2), OrderUnitOfWork._commit

    async def meet(self: OrderUnitOfWork, *arguments: Any) -> None:
        await barrier.wait()
        await commit(self, *arguments)

    monkeypatch.setattr(OrderUnitOfWork, "_commit", meet)
    return barrier


def dispatching(desk: Any, command: DispatchWorkOrder) -> Any:
    headers = replace(NO_HEADERS, if_match=NamedVersions(frozenset({1})))
    uow = desk.app.state.unit_of_work(Actor("d-1", "dispatcher"), headers)
    return use_cases.dispatch_work_order("o-1", command, uow=uow)


async def outcomes(*commands):
    return await asyncio.gather(*commands, return_exceptions=True)


async def test_of_two_dispatches_of_one_order_one_wins_and_the_other_leaves_nothing(staffed_desk, meeting):
    await staffed_desk.create()
    north = DispatchWorkOrder(work_area_id="north", staff_ids=("wang",))
    south = DispatchWorkOrder(work_area_id="south", staff_ids=("zhao",))
    results = await outcomes(*(dispatching(staffed_desk, command) for command in (north, south)))
    (lost,) = [place for place, result in enumerate(results) if isinstance(result, StaleVersion)]
    assert results[lost].context["present_version"] == 2
    assert results[1 - lost].status == 200
    winner = (north, south)[1 - lost]
    (published,) = await staffed_desk.outbox()
    assert (published.order_version, published.body.work_area_id) == (2, winner.work_area_id)
    shown = (await staffed_desk.get("/v1/work-orders/o-1")).json()
    assert (shown["version"], shown["assignment"]["work_area_id"]) == (2, winner.work_area_id)


async def test_over_http_the_loser_is_told_the_present_version(staffed_desk, meeting):
    await staffed_desk.create()
    answers = await outcomes(staffed_desk.dispatch(staff_ids=["wang"]), staffed_desk.dispatch(staff_ids=["li"]))
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    (refused,) = [answer.json() for answer in answers if answer.status_code == 412]
    assert (refused["code"], refused["present_version"]) == ("stale_version", 2)
    assert len(await staffed_desk.outbox()) == 1


async def test_a_command_that_is_sent_twice_at_once_is_carried_out_once_and_answered_twice(staffed_desk, meeting):
    await staffed_desk.create()
    headers = {**staffed_desk.issuer.headers("dispatcher"), "if-match": '"1"', "idempotency-key": "k-1"}
    body = {"work_area_id": "north", "staff_ids": ["wang"]}
    answers = await outcomes(
        *(staffed_desk.client.post("/v1/work-orders/o-1/dispatch", json=body, headers=headers) for _ in range(2))
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert len(await staffed_desk.outbox()) == 1


async def test_a_dispatch_loses_against_a_cancellation_that_came_first(staffed_desk, meeting):
    stream = await staffed_desk.create()
    command = DispatchWorkOrder(work_area_id="north", staff_ids=("wang",))
    losing = asyncio.create_task(dispatching(staffed_desk, command))
    # The dispatcher has decided, and only then the cancellation comes.
    await eventually(lambda: meeting.n_waiting, until=lambda waiting: waiting == 1)
    body = WorkOrderCancelRequested(request_id="r-1", reason="mistake")
    await staffed_desk.hear(stream.write(body, Service.INTAKE, order_version=None, prev_hash=None))
    await meeting.wait()
    with pytest.raises(StaleVersion):
        await losing
    assert [message.body.request_id for message in await staffed_desk.outbox()] == ["r-1"]


def make_area(number: int) -> WorkAreaDefined:
    return WorkAreaDefined(work_area_id="north", names=Names(en=f"North {number}", zh="北区"))


def make_staff(number: int, area: str = "north") -> StaffDefined:
    return StaffDefined(staff_id="wang", name=f"Wang {number}", work_area_id=area)


def as_operator(desk: Any) -> UnitOfWork:
    return desk.app.state.unit_of_work(OPERATOR)


@pytest.mark.parametrize("kind", ["work_area", "staff"])
async def test_definitions_at_once_get_versions_without_gaps_published_in_their_order(staffed_desk, kind):
    desk = staffed_desk
    define, make = {
        "work_area": (use_cases.define_work_area, make_area),
        "staff": (use_cases.define_staff, make_staff),
    }[kind]
    puts = await asyncio.gather(*(define(make(number), uow=as_operator(desk)) for number in range(20)))
    assert sorted(put.version for put in puts) == list(range(2, 22))
    published = await desk.outbox()
    assert [message.entity_version for message in published] == list(range(2, 22))
    assert all(one.body != other.body for one, other in pairwise(published))


@pytest.mark.parametrize("kind", ["work_area", "staff"])
async def test_the_same_definition_many_times_at_once_is_one_version_and_one_event(staffed_desk, kind):
    define, entity = {
        "work_area": (use_cases.define_work_area, make_area(1)),
        "staff": (use_cases.define_staff, make_staff(1)),
    }[kind]
    puts = await asyncio.gather(*(define(entity, uow=as_operator(staffed_desk)) for _ in range(10)))
    assert {put.version for put in puts} == {2}
    assert sum(put.is_changed for put in puts) == 1
    assert len(await staffed_desk.outbox()) == 1


async def test_staff_of_an_unknown_area_leave_nothing_behind(staffed_desk):
    with pytest.raises(WorkAreaUnknown):
        await use_cases.define_staff(make_staff(1, area="nowhere"), uow=as_operator(staffed_desk))
    assert await staffed_desk.outbox() == []
    assert (await staffed_desk.get("/v1/staff/wang")).json()["work_area_id"] == "north"
