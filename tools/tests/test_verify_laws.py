"""Every law is broken once on purpose, in a stream that holds otherwise."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from contracts import events as e
from contracts.lifecycle import Service, Status
from contracts.message import Message
from contracts.requests import WorkOrderRequestRefused, WorkOrderUrgeRequested
from linework.verify.laws import Findings, Law, Ledger
from work_orders.testing import Stream, make_created, make_dispatched

DISPATCHED = "linework.work_order.dispatched.v1"


def read(messages: Iterable[Message], ledger: Ledger | None = None) -> Ledger:
    ledger = ledger or Ledger(Findings())
    for message in messages:
        ledger.take(message)
    return ledger


def broken(ledger: Ledger) -> dict[Law, int]:
    ledger.check_requests()
    return ledger.findings.counts


def make_stream(order_id: str = "o-1") -> Stream:
    stream = Stream(order_id).until(Status.CREATED)
    request = stream.ask(WorkOrderUrgeRequested(request_id=f"r-{order_id}", reason="催"))
    stream.add(e.WorkOrderUrged(request_id=request.body.request_id, reason="催"))
    stream.add(make_dispatched())
    stream.add(e.WorkOrderStarted())
    return stream


@pytest.mark.parametrize("status", list(Status))
def test_a_lawful_stream_breaks_nothing_and_its_fold_is_the_order(status: Status) -> None:
    stream = Stream("o-1").until(status)
    ledger = read(stream.messages)
    assert ledger.findings.count == 0
    assert ledger.threads["o-1"].state() == stream.order


def test_a_repeated_record_is_no_second_event() -> None:
    messages = make_stream().messages
    ledger = read([*messages, *messages[1:], *messages])
    assert broken(ledger) == {}
    assert (ledger.event_count, ledger.message_count) == (4, 5)
    assert ledger.repeat_count == 7


def test_orders_that_were_packed_go_on() -> None:
    first, second = make_stream("o-1"), make_stream("o-2")
    ledger = read([*first.messages[:3], *second.messages[:2]])
    ledger.rest()
    assert ledger.awake_count == 0
    read([*first.messages[2:], *second.messages[2:]], ledger)
    ledger.rest()
    assert broken(ledger) == {}
    assert [ledger.threads[one].state() for one in ("o-1", "o-2")] == [first.order, second.order]


def test_a_missing_event_is_a_gap_and_is_reported_once() -> None:
    messages = make_stream().messages
    ledger = read([*messages[:2], *messages[3:]])
    assert ledger.findings.counts == {Law.VERSIONS: 1}
    assert ledger.findings.kept[0].what == "version 3 follows version 1"


def test_a_second_event_in_the_place_of_another_is_found() -> None:
    messages = make_stream().messages
    ledger = read([*messages, replace(messages[3], id="another")])
    assert broken(ledger) == {Law.VERSIONS: 1}
    assert "two different events have version 3" in ledger.findings.kept[0].what


def test_the_first_event_of_an_order_must_be_there() -> None:
    assert broken(read(Stream("o-1").until(Status.DISPATCHED).messages[1:])) == {Law.VERSIONS: 1}


def test_a_changed_event_breaks_the_chain_behind_it() -> None:
    messages = list(make_stream().messages)
    messages[3] = replace(messages[3], data=messages[3].data.replace(b"north", b"south"))
    assert broken(read(messages)) == {Law.CHAIN: 1}


def test_an_event_by_somebody_who_does_not_hold_the_order_is_found() -> None:
    messages = list(make_stream().messages)
    messages[-1] = replace(messages[-1], source="/linework/dispatch")
    ledger = read(messages)
    assert broken(ledger) == {Law.CUSTODIAN: 1}
    assert ledger.findings.kept[0].what == "version 4 is by dispatch; fieldwork holds the order"


def test_an_event_after_the_end_of_an_order_is_found() -> None:
    stream = Stream("o-1").until(Status.ARCHIVED)
    ledger = read(stream.messages)
    late = replace(stream.messages[-1], id="late", order_version=6, prev_hash=ledger.threads["o-1"].last_hash)
    assert broken(read([late], ledger)) == {Law.CUSTODIAN: 1}
    assert ledger.findings.kept[0].what == "version 6 is by qa; no service holds the order"


def test_an_event_that_the_table_of_steps_does_not_allow_is_found() -> None:
    stream = Stream("o-1").until(Status.DISPATCHED)
    ledger = read(stream.messages)
    started_twice = stream.add(e.WorkOrderStarted())
    read([started_twice], ledger)
    again = replace(started_twice, id="again", order_version=4, prev_hash=ledger.threads["o-1"].last_hash)
    assert broken(read([again], ledger)) == {Law.STEPS: 1}


def test_a_request_without_an_answer_is_found() -> None:
    stream = Stream("o-1").until(Status.CREATED)
    stream.ask()
    assert broken(read(stream.messages)) == {Law.REQUESTS: 1}


def test_a_request_that_is_answered_twice_is_found() -> None:
    stream = make_stream()
    refused = WorkOrderRequestRefused(request_id="r-o-1", code="act_not_allowed", status="processing")
    stream.take(_by(Service.FIELDWORK, refused, stream))
    ledger = read(stream.messages)
    assert broken(ledger) == {Law.REQUESTS: 1}
    assert ledger.findings.kept[0].what == "has 2 answers"


def test_an_answer_that_is_delivered_twice_is_one_answer() -> None:
    stream = Stream("o-1").until(Status.ARCHIVED)
    stream.ask()
    refused = WorkOrderRequestRefused(request_id="r-1", code="act_not_allowed", status="archived")
    stream.take(_by(Service.QA, refused, stream))
    assert broken(read([*stream.messages, stream.messages[-1]])) == {}


def test_an_answer_to_nothing_is_found() -> None:
    stream = Stream("o-1").until(Status.CREATED)
    stream.add(e.WorkOrderUrged(request_id="never-asked", reason="催"))
    ledger = read(stream.messages)
    assert broken(ledger) == {Law.REQUESTS: 1}
    assert ledger.findings.kept[0].what == "was answered and never asked"


def test_what_was_acknowledged_and_is_not_in_the_stream_is_found() -> None:
    ledger = read(make_stream().messages)
    told = [("o-1", 3, DISPATCHED), ("o-1", 4, DISPATCHED), ("o-1", 5, DISPATCHED), ("o-2", 1, DISPATCHED)]
    assert ledger.check_journal(told) == 4
    assert [(one.where, one.what) for one in ledger.findings.kept] == [
        ("o-1", f"version 4, {DISPATCHED}, is not in the stream"),
        ("o-1", f"version 5, {DISPATCHED}, is not in the stream"),
        ("o-2", f"version 1, {DISPATCHED}, is not in the stream"),
    ]


def test_a_thousand_violations_are_shown_and_all_are_counted() -> None:
    findings = Findings()
    for place in range(1500):
        findings.add(Law.CHAIN, f"o-{place}", "broken")
    assert (findings.count, len(findings.kept)) == (1500, 1000)


def _by(service: Service, body: object, stream: Stream) -> Message:
    asked = next(message for message in stream.messages if message.order_version is None)
    return replace(
        asked,
        id=f"answer-{len(stream.messages)}",
        type="linework.work_order.request_refused.v1",
        source=f"/linework/{service.value}",
        body=body,
    )


def test_an_order_is_created_by_intake_alone() -> None:
    stream = Stream("o-1")
    created = stream.add(make_created())
    assert broken(read([replace(created, source="/linework/qa")])) == {Law.CUSTODIAN: 1}
