"""Every request gets exactly one answer, from whoever holds the order where the request stands."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts import events as e
from contracts.chain import event_hash
from contracts.lifecycle import Service, Status
from contracts.message import Message
from contracts.order import apply
from contracts.requests import (
    WorkOrderAmendRequested,
    WorkOrderCancelRequested,
    WorkOrderExtensionRequested,
    WorkOrderRequestRefused,
    WorkOrderUrgeRequested,
)
from work_orders.order_table import StoredOrder
from work_orders.request_handling import RequestState, answer
from work_orders.testing import BEGIN, Stream, make_completed

NOW = BEGIN + timedelta(days=1)
CUSTODIANS = (Service.DISPATCH, Service.FIELDWORK, Service.QA)
CANCELLABLE = (Status.CREATED, Status.DISPATCHED, Status.PROCESSING, Status.REJECTED, Status.REDISPATCHING)


def read(stream: Stream) -> StoredOrder:
    """The order at a service that has read the whole stream."""
    events = [message for message in stream.messages if message.order_version is not None]
    return StoredOrder(stream.order, len(events), event_hash(events[-1]))


def ahead(stored: StoredOrder, stream: Stream, *events: e.WorkOrderEvent) -> StoredOrder:
    """The same order after own events that the stream has not brought back."""
    further = Stream(stream.order_id, list(stream.messages), stream.order)
    for event in events:
        further.add(event)
    return replace(read(further), stream_version=stored.stream_version)


def given(
    message: Message, stored: StoredOrder, service: Service, seen: RequestState | None = None
) -> tuple[Message | None, RequestState]:
    seen = seen or RequestState(message.subject)
    return answer(message, stored, seen, service=service, now=NOW), seen


@pytest.mark.parametrize("status", Status)
def test_exactly_one_service_answers_an_order_that_everybody_has_read(status: Status) -> None:
    stream = Stream().until(status)
    answers = [given(stream.ask(), read(stream), service)[0] for service in CUSTODIANS]
    (only,) = [one for one in answers if one is not None]
    expected = e.WorkOrderCancelled if status in CANCELLABLE else WorkOrderRequestRefused
    assert type(only.body) is expected


@pytest.mark.parametrize("status", CANCELLABLE)
def test_a_grant_is_the_next_event_of_the_order_in_the_name_of_who_asked(status: Status) -> None:
    stream = Stream().until(status)
    before, stored, request = stream.order, read(stream), stream.ask()
    granted, seen = given(request, stored, before.custodian)
    assert apply(before, granted).status is Status.CANCELLED
    assert (granted.order_version, granted.prev_hash) == (before.version + 1, stored.last_hash)
    assert (granted.actor, granted.causation_id, granted.recorded_at) == (request.actor, request.id, NOW)
    assert (seen.is_answered, seen.is_changed) == (True, True)


def test_a_grant_is_as_of_the_asking_but_never_before_the_orders_last_act() -> None:
    stream = Stream().until(Status.PROCESSING)
    request = stream.ask()
    granted, _ = given(request, read(stream), Service.FIELDWORK)
    assert granted.occurred_at == request.occurred_at
    early = replace(request, occurred_at=BEGIN - timedelta(days=1))
    granted, _ = given(early, read(stream), Service.FIELDWORK)
    assert granted.occurred_at == stream.order.changed.at


def test_an_urge_is_granted_and_the_order_stays_where_it_is() -> None:
    stream = Stream().until(Status.PROCESSING)
    request = stream.ask(WorkOrderUrgeRequested(request_id="r-1", reason="again"))
    granted, _ = given(request, read(stream), Service.FIELDWORK)
    assert granted.body == e.WorkOrderUrged(request_id="r-1", reason="again")
    assert apply(stream.order, granted).status is Status.PROCESSING


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.AUDITING, Status.ARCHIVED])
def test_a_refusal_says_what_the_order_is_and_what_would_be_allowed(status: Status) -> None:
    stream = Stream().until(status)
    refused, _ = given(stream.ask(), read(stream), Service.QA)
    assert refused.body == WorkOrderRequestRefused(
        request_id="r-1",
        code="act_not_allowed",
        status=status.value,
        allowed_acts=tuple(act.value for act in stream.order.allowed_acts),
    )
    assert (refused.order_version, refused.actor.sub, refused.actor.role) == (None, "qa", "service")


def test_a_request_in_front_of_the_own_hand_over_is_forwarded_behind_it() -> None:
    stream = Stream().until(Status.PROCESSING)
    stored = ahead(read(stream), stream, make_completed())
    request = stream.ask()
    forwarded, seen = given(request, stored, Service.FIELDWORK)
    assert forwarded.body == replace(request.body, hop=1)
    assert (forwarded.actor, forwarded.occurred_at) == (request.actor, request.occurred_at)
    assert (seen.settled_hop, seen.is_answered) == (0, False)


def test_a_request_in_front_of_the_own_closing_is_refused_at_once() -> None:
    stream = Stream().until(Status.COMPLETED)
    stored = ahead(read(stream), stream, e.WorkOrderArchived())
    refused, seen = given(stream.ask(), stored, Service.QA)
    assert (refused.body.status, refused.body.allowed_acts) == ("archived", ())
    assert seen.is_answered


def test_a_request_behind_own_acts_that_kept_the_order_is_decided_at_once() -> None:
    stream = Stream().until(Status.DISPATCHED)
    stored = ahead(read(stream), stream, e.WorkOrderStarted())
    granted, _ = given(stream.ask(), stored, Service.FIELDWORK)
    assert (type(granted.body), granted.order_version) == (e.WorkOrderCancelled, 4)


def test_a_request_behind_the_own_hand_over_is_left_to_the_next_custodian() -> None:
    stream = Stream().until(Status.COMPLETED)
    silent, seen = given(stream.ask(), read(stream), Service.FIELDWORK)
    assert silent is None
    assert (seen.is_answered, seen.is_changed) == (False, False)


def test_a_closed_order_is_answered_by_who_closed_it() -> None:
    stream = Stream().until(Status.PROCESSING)
    stream.add(e.WorkOrderCancelled(request_id="r-0", reason="x"))
    assert [given(stream.ask(), read(stream), service)[0] is None for service in CUSTODIANS] == [True, False, True]


@pytest.mark.parametrize("status", [Status.PROCESSING, Status.COMPLETED, Status.ARCHIVED])
def test_a_request_that_comes_again_is_not_answered_again(status: Status) -> None:
    stream = Stream().until(status)
    service = stream.order.custodian or Service.QA
    first, seen = given(stream.ask(), read(stream), service)
    assert first is not None
    assert given(stream.ask(), read(stream), service, seen)[0] is None


def test_a_request_that_comes_again_is_not_forwarded_again() -> None:
    stream = Stream().until(Status.PROCESSING)
    stored = ahead(read(stream), stream, make_completed())
    _, seen = given(stream.ask(), stored, Service.FIELDWORK)
    assert given(stream.ask(), stored, Service.FIELDWORK, seen)[0] is None


def test_a_request_that_others_passed_on_settles_its_earlier_hops() -> None:
    """Dispatch forwarded it; what dispatch received is then nobody else's to answer when it comes again."""
    stream = Stream().until(Status.CREATED)
    hop_1 = stream.ask(WorkOrderCancelRequested(request_id="r-1", reason="x", hop=1))
    silent, seen = given(hop_1, read(stream), Service.FIELDWORK)
    assert silent is None
    assert (seen.settled_hop, seen.is_changed) == (0, True)
    processing = read(Stream().until(Status.PROCESSING))
    hop_0 = replace(hop_1, body=replace(hop_1.body, hop=0))
    assert given(hop_0, processing, Service.FIELDWORK, seen)[0] is None
    assert type(given(hop_1, processing, Service.FIELDWORK, seen)[0].body) is e.WorkOrderCancelled


def extension(minutes: int = 30, clock: e.SlaClock = e.SlaClock.ARRIVE, **more: object) -> WorkOrderExtensionRequested:
    return WorkOrderExtensionRequested(request_id="r-1", clock=clock, minutes=minutes, reason="x", **more)


def test_an_extension_that_is_asked_for_in_time_is_granted() -> None:
    """By what was shipped: an urban order has 45 minutes to the arrival, and two working days of extensions."""
    stream = Stream().until(Status.DISPATCHED)
    before, stored = stream.order, read(stream)
    request = replace(stream.ask(extension()), occurred_at=BEGIN + timedelta(minutes=45))
    granted, seen = given(request, stored, Service.FIELDWORK)
    assert granted.body == e.WorkOrderExtended(request_id="r-1", clock=e.SlaClock.ARRIVE, minutes=30, reason="x")
    extended = apply(before, granted)
    assert (extended.status, extended.extensions[0].minutes, seen.is_answered) == (Status.DISPATCHED, 30, True)


@pytest.mark.parametrize(
    ("request_", "asked_after", "code"),
    [
        (extension(), timedelta(minutes=45, microseconds=1), "deadline_passed"),
        (extension(961), timedelta(), "extension_too_long"),
        (extension(clock=e.SlaClock.COMPLETE), timedelta(), "limit_not_running"),
    ],
)
def test_an_extension_is_refused_with_its_reason(request_, asked_after, code) -> None:
    stream = Stream().until(Status.DISPATCHED)
    request = replace(stream.ask(request_), occurred_at=BEGIN + asked_after)
    refused, _ = given(request, read(stream), Service.FIELDWORK)
    assert (refused.body.code, refused.body.status) == (code, "dispatched")


def test_extensions_of_a_clock_are_counted_together() -> None:
    stream = Stream().until(Status.DISPATCHED)
    stream.add(e.WorkOrderExtended(request_id="r-0", clock=e.SlaClock.ARRIVE, minutes=900, reason="x"))
    codes = [
        getattr(given(stream.ask(extension(minutes)), read(stream), Service.FIELDWORK)[0].body, "code", "granted")
        for minutes in (60, 61)
    ]
    assert codes == ["granted", "extension_too_long"]


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.ARCHIVED])
def test_nothing_is_extended_once_the_work_is_done(status) -> None:
    stream = Stream().until(status)
    refused, _ = given(stream.ask(extension()), read(stream), Service.QA)
    assert refused.body.code == "act_not_allowed"


def test_an_extension_in_front_of_the_own_hand_over_is_forwarded_as_it_was_asked() -> None:
    stream = Stream().until(Status.PROCESSING)
    stored = ahead(read(stream), stream, make_completed())
    forwarded, _ = given(stream.ask(extension()), stored, Service.FIELDWORK)
    assert forwarded.body == extension(hop=1)


def amendment(seen_version: int = 1, **details: object) -> WorkOrderAmendRequested:
    return WorkOrderAmendRequested(request_id="r-1", reason="x", seen_version=seen_version, **details)


@pytest.mark.parametrize("status", [status for status in Status if status not in (Status.ARCHIVED, Status.CANCELLED)])
def test_an_amendment_is_granted_by_whoever_holds_the_order(status: Status) -> None:
    stream = Stream().until(status)
    custodian = stream.order.custodian
    granted, _ = given(stream.ask(amendment(demand_type="complaint")), read(stream), custodian)
    after = apply(stream.order, granted)
    assert (after.status, after.custodian, after.demand_type) == (status, custodian, "complaint")
    assert after.amendments[-1].request_id == "r-1"


def test_an_amendment_while_a_hand_over_is_on_its_way_is_forwarded_and_granted_behind_it() -> None:
    stream = Stream().until(Status.PROCESSING)
    at_fieldwork = ahead(read(stream), stream, make_completed())
    request = stream.ask(amendment(demand_type="complaint"))
    forwarded, _ = given(request, at_fieldwork, Service.FIELDWORK)
    assert given(request, read(stream), Service.QA)[0] is None
    stream.add(make_completed())
    granted, _ = given(stream.take(forwarded), read(stream), Service.QA)
    assert apply(stream.order, granted).demand_type == "complaint"


def test_of_two_amendments_at_once_the_second_is_refused_with_what_the_order_has() -> None:
    stream = Stream().until(Status.PROCESSING)
    stream.add(e.WorkOrderAmended(reason="x", before=e.OrderDetails(demand_type="test"), demand_type="report"))
    request = stream.ask(amendment(seen_version=3, demand_type="complaint"))
    refused, _ = given(request, read(stream), Service.FIELDWORK)
    assert isinstance(refused.body, WorkOrderRequestRefused)
    assert (refused.body.code, refused.body.order_version) == ("amended_meanwhile", 4)
    assert refused.body.present == e.OrderDetails(demand_type="report")
