"""What the check counts is what reporting counts: each message once, unknown types too, parked ones not."""

from dataclasses import replace

import pytest

from contracts.lifecycle import Status
from contracts.message import Message
from linework.recount import Recount
from linework.verify.facts import Facts
from linework.verify.laws import Findings, Ledger
from linework.verify.stream import TopicSource
from work_orders.testing import Stream


@pytest.fixture
def unknown() -> Message:
    """A message of a later release, without a version."""
    message = Stream("o-1").until(Status.CREATED).messages[0]
    return replace(message, id="x-1", type="linework.future.v9", body=None, order_version=None, prev_hash=None)


@pytest.fixture
def facts() -> Facts:
    return Facts(Findings(), Recount())


def test_a_fact_of_an_unknown_type_counts_once(facts: Facts, unknown: Message) -> None:
    for message in (unknown, unknown, replace(unknown, id="x-2")):
        facts.take(message)
    assert facts.message_count == 2


def test_what_reporting_has_parked_is_not_counted(facts: Facts, unknown: Message) -> None:
    facts.take(unknown, is_counted=False)
    facts.take(replace(unknown, entity_version=1), is_counted=False)
    facts.take_notice(unknown, is_counted=False)
    assert (facts.message_count, facts.notice_count) == (0, 0)


def test_parked_events_are_held_to_the_laws_and_kept_from_the_recount(unknown: Message) -> None:
    seen: list[str] = []
    ledger = Ledger(Findings(), lambda before, message, after: seen.append(message.type))
    created, dispatched = Stream("o-1").until(Status.DISPATCHED).messages[:2]
    ledger.take(created)
    ledger.take(dispatched, is_counted=False)
    ledger.take(unknown, is_counted=False)
    ledger.take(unknown)
    assert seen == [created.type]
    assert (ledger.message_count, ledger.counted_message_count) == (3, 1)
    assert ledger.threads["o-1"].version == 2


def test_how_far_reporting_is_ahead_or_behind_is_told_by_offsets() -> None:
    topic = TopicSource("nowhere:1", "")
    topic._next = {("work-orders", 0): 10, ("calls", 1): 5}
    read = {"positions": {"work-orders": {"0": 7}, "calls": {"1": 5}, "sealing-keys": {"0": 99}}}
    assert (topic.lag_of(read), topic.is_behind(read)) == (3, False)
    read["positions"]["calls"]["2"] = 1
    assert topic.is_behind(read)
