"""What a partner is told of what happens to its order."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts import events as e
from contracts import partners as p
from contracts.lifecycle import Act, Status
from contracts.message import Actor, Message
from contracts.requests import WorkOrderRequestRefused
from intake.partners.order_news import TOLD, OrderNews, WaitingRequest, refusal_sentence
from intake.partners.outgoing import PartnerOrder
from work_orders.testing_streams import Stream

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def news_about(*, is_active: bool = True, **changes: Any) -> OrderNews:
    order = PartnerOrder("o-1", "pbx", "PO-7", "PO-7", is_active)
    return replace(OrderNews({"o-1": order}, {}, {}, NOW), **changes)


def taken(news: OrderNews, *messages: Message) -> list[Any]:
    for message in messages:
        news.take(message)
    return [one.message.body for one in news.outgoing]


@pytest.mark.parametrize("status", list(Status))
def test_a_partner_hears_of_four_events_and_of_no_other(status: Status) -> None:
    messages = Stream("o-1").until(status).messages
    expected = [message for message in messages if isinstance(message.body, TOLD)]
    bodies = taken(news_about(), *messages)
    assert [body.order_version for body in bodies] == [message.order_version for message in expected]
    if isinstance(messages[-1].body, TOLD):
        assert bodies[-1].status is status


def test_a_message_has_the_time_of_the_event_and_the_same_id_whenever_it_is_made() -> None:
    messages = Stream("o-1").until(Status.DISPATCHED).messages
    first, second = news_about(), news_about(now=NOW.replace(hour=13))
    taken(first, *messages)
    taken(second, *messages)
    (one,), (other,) = first.outgoing, second.outgoing
    assert (one.message.id, one.message.occurred_at) == (other.message.id, messages[-1].occurred_at)
    assert (one.message.subject, one.message.recorded_at, one.order_id) == ("PO-7", NOW, "o-1")


def test_what_the_replica_has_already_is_told_no_more() -> None:
    stream = Stream("o-1").until(Status.ARCHIVED)
    news = news_about()
    news.orders["o-1"].order = stream.order
    assert taken(news, *stream.messages) == []


def test_of_an_order_of_nobodys_nothing_is_told() -> None:
    assert taken(news_about(orders={}), *Stream("o-1").until(Status.ARCHIVED).messages) == []


@pytest.mark.parametrize(
    ("actor", "reference", "is_met"),
    [
        (Actor("pbx", "partner"), "pbx/PO-7", True),
        (Actor("agent-1", "agent"), "pbx/PO-7", False),
        (Actor("pbx", "partner"), "other/PO-7", False),
        (Actor("pbx", "partner"), None, False),
        (Actor("pbx", "partner"), "pbx/", False),
    ],
)
def test_an_order_is_a_partners_by_who_created_it_and_its_reference(
    actor: Actor, reference: str | None, is_met: bool
) -> None:
    (created,) = Stream("o-1").until(Status.CREATED).messages
    body = replace(created.body, external_reference=reference)
    news = news_about(orders={}, active={"pbx": True})
    news.take(replace(created, body=body, actor=actor))
    assert [one.subject for one in news.new_orders] == (["PO-7"] if is_met else [])


def test_a_granted_request_is_accepted_and_then_told() -> None:
    stream = Stream("o-1").until(Status.CREATED)
    stream.add(e.WorkOrderCancelled(request_id="r-1", reason="x"))
    answer, told = taken(news_about(requests={"r-1": WaitingRequest("stop", "cancel")}), *stream.messages)
    assert ([one.event_id for one in answer.events], told.status) == (["stop"], Status.CANCELLED)


def test_a_request_is_answered_once() -> None:
    messages = Stream("o-1").until(Status.CREATED).messages
    refused = WorkOrderRequestRefused(request_id="r-1", code="act_not_allowed", status="archived")
    answer = replace(messages[0], body=refused, order_version=None, id="answer")
    news = news_about(requests={"r-1": WaitingRequest("stop", "cancel")})
    (body,) = taken(news, *messages, answer, answer)
    assert isinstance(body, p.PartnerEventRefused)
    assert news.refused == [("pbx", "stop", "act_not_allowed")]


@pytest.mark.parametrize("code", ["act_not_allowed", "something_later"])
def test_a_refusal_is_a_sentence_in_both_languages(code: str) -> None:
    refused = WorkOrderRequestRefused(request_id="r", code=code, status="created", allowed_acts=("dispatch",))
    sentence = refusal_sentence(Act.CANCEL, refused)
    assert sentence.en.endswith(".")
    assert sentence.zh.endswith("。")
