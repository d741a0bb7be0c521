"""Letting an order rest, within the rules; and how a suspension ends."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts import events as e
from contracts.directory import Names
from contracts.handling import SHIPPED, SuspensionReason
from contracts.lifecycle import Status
from contracts.order import WorkOrder
from fieldwork.orders.domain import suspension
from fieldwork.orders.domain.suspension import SuspendWorkOrder
from work_orders.testing_streams import BEGIN, make_order

TOMORROW = BEGIN + timedelta(days=1)


def suspend(order: WorkOrder | None = None, rules=SHIPPED, now=BEGIN, **overrides) -> e.WorkOrderSuspended:
    wanted = SuspendWorkOrder(**{"reason": "等待配件", "until": TOMORROW} | overrides)
    return suspension.suspend(order or make_order(status=Status.PROCESSING), wanted, rules, at=BEGIN, now=now)


def suspended(*more, until=TOMORROW) -> WorkOrder:
    return make_order(e.WorkOrderSuspended(reason="雾", until=until), *more, status=Status.PROCESSING)


def test_a_suspension_has_a_reason_of_the_list_which_is_other_unless_it_is_given() -> None:
    assert suspend(reason_code="weather").reason_code == "weather"
    assert suspend().reason_code == "other"


@pytest.mark.parametrize("reason_code", ["football", "ferry"])
def test_a_reason_that_is_not_in_the_list_or_not_in_use_is_refused_with_those_that_are(reason_code) -> None:
    ferry = SuspensionReason(code="ferry", names=Names("no ferry", "停航"), is_active=False)
    rules = replace(SHIPPED, suspension_reasons=(*SHIPPED.suspension_reasons[:2], ferry))
    with pytest.raises(suspension.SuspensionReasonUnknown) as refused:
        suspend(rules=rules, reason_code=reason_code)
    assert refused.value.context == {"given": reason_code, "codes": ["parts", "subscriber"]}


@pytest.mark.parametrize("until", [BEGIN, BEGIN - timedelta(seconds=1)])
def test_a_suspension_ends_in_the_future(until) -> None:
    with pytest.raises(suspension.SuspensionAlreadyOver):
        suspend(until=until)


def test_a_suspension_lasts_no_longer_than_the_rules_say() -> None:
    rules = replace(SHIPPED, longest_suspension_minutes=60)
    assert suspend(rules=rules, until=BEGIN + timedelta(hours=1)).until == BEGIN + timedelta(hours=1)
    with pytest.raises(suspension.SuspensionTooLong) as refused:
        suspend(rules=rules, until=BEGIN + timedelta(hours=1, seconds=1))
    assert refused.value.context["latest"] == (BEGIN + timedelta(hours=1)).isoformat()


def test_an_order_is_suspended_no_more_often_than_the_rules_say() -> None:
    once = suspended(e.WorkOrderResumed())
    assert suspend(once, replace(SHIPPED, most_suspensions=2))
    with pytest.raises(suspension.SuspensionsSpent):
        suspend(once, replace(SHIPPED, most_suspensions=1))


def test_a_suspension_ends_by_itself_at_its_end_and_not_before() -> None:
    order = suspended()
    assert suspension.end(order, now=TOMORROW - timedelta(microseconds=1)) is None
    assert suspension.end(order, now=TOMORROW) == e.WorkOrderResumed(ended_at=TOMORROW)
    assert suspension.end(order, now=TOMORROW + timedelta(days=9)) == e.WorkOrderResumed(ended_at=TOMORROW)
    assert suspension.end(make_order(status=Status.PROCESSING), now=TOMORROW) is None


def test_whoever_resumes_an_order_late_does_not_make_its_suspension_longer() -> None:
    assert suspension.resume(suspended(), at=TOMORROW - timedelta(hours=1)) == e.WorkOrderResumed()
    assert suspension.resume(suspended(), at=TOMORROW + timedelta(hours=1)).ended_at == TOMORROW
