"""Recall, supervision and reopening: what a custodian grants, where, and when it does not."""

from datetime import timedelta

import pytest

from contracts import events as e
from contracts.chain import event_hash
from contracts.lifecycle import CUSTODIANS, Service, Status
from contracts.message import Message
from contracts.order import apply
from contracts.requests import (
    WorkOrderRecallRequested,
    WorkOrderReopenRequested,
    WorkOrderRequest,
    WorkOrderRequestRefused,
    WorkOrderSupervisionRequested,
)
from work_orders.order_table import StoredOrder
from work_orders.request_handling import RequestState, answer
from work_orders.testing import BEGIN, Stream

NOW = BEGIN + timedelta(days=1)
RECALL = WorkOrderRecallRequested(request_id="r-1", reason="需要光纤班")
SUPERVISE = WorkOrderSupervisionRequested(request_id="r-1", reply_by=NOW, reason="用户已上访")
REOPEN = WorkOrderReopenRequested(request_id="r-1", reason="仍无信号")
GRANTED = {
    RECALL: (Status.DISPATCHED, Status.PROCESSING),
    SUPERVISE: tuple(status for status in Status if CUSTODIANS[status]),
    REOPEN: (Status.COMPLETED,),
}


def asked(stream: Stream, request: WorkOrderRequest) -> list[Message]:
    """What all services have to say to it."""
    events = [message for message in stream.messages if message.order_version is not None]
    stored = StoredOrder(stream.order, len(events), event_hash(events[-1]))
    message = stream.ask(request)
    custodians = (Service.DISPATCH, Service.FIELDWORK, Service.QA)
    answers = [answer(message, stored, RequestState("o-1"), service=one, now=NOW) for one in custodians]
    return [one for one in answers if one is not None]


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("request_", GRANTED, ids=lambda one: type(one).__name__)
def test_one_custodian_grants_what_its_status_allows_and_refuses_the_rest(request_, status: Status) -> None:
    stream = Stream().until(status)
    (only,) = asked(stream, request_)
    if status not in GRANTED[request_]:
        assert isinstance(only.body, WorkOrderRequestRefused)
        assert (only.body.code, only.body.status) == ("act_not_allowed", status.value)
        return
    assert (only.body.request_id, only.order_version) == ("r-1", stream.order.version + 1)
    assert apply(stream.order, only).version == stream.order.version + 1


def test_a_reopened_order_is_redispatched_by_qa_and_keeps_its_completion() -> None:
    stream = Stream().until(Status.COMPLETED)
    (granted,) = asked(stream, REOPEN)
    assert granted.body == e.WorkOrderRedispatchRequested(request_id="r-1", reason="仍无信号")
    order = apply(stream.order, granted)
    assert (order.status, len(order.completions)) == (Status.REDISPATCHING, 1)
    assert order.redispatches[-1].reason == "仍无信号"


def test_a_recall_after_the_end_of_a_suspension_ends_it_at_its_end() -> None:
    stream = Stream().until(Status.PROCESSING)
    until = BEGIN + timedelta(minutes=3, seconds=30)
    stream.add(e.WorkOrderSuspended(reason="雾", until=until))
    (granted,) = asked(stream, RECALL)
    assert granted.body.ended_at == until
    assert apply(stream.order, granted).pauses[-1].until == until
