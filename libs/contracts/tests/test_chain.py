import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from contracts.chain import GENESIS, ChainBroken, event_hash, time_text, verify_chain
from contracts.message import Actor, Message
from contracts_tooling.golden import MESSAGES

TIMELINE = [message for name, message in MESSAGES.items() if name.startswith("whole-life/")]
LATER = TIMELINE[3].occurred_at + timedelta(microseconds=1)

TAMPERED: dict[str, Any] = {
    "id": "another",
    "type": "linework.work_order.started.v2",
    "source": "/linework/reporting",
    "subject": "another-order",
    "occurred_at": LATER,
    "recorded_at": LATER,
    "order_version": 40,
    "prev_hash": "1" * 64,
}


def _with(place: int, message: Message) -> list[Message]:
    return [*TIMELINE[:place], message, *TIMELINE[place + 1 :]]


def test_an_untouched_timeline_verifies_to_the_hash_of_its_last_event() -> None:
    assert verify_chain(TIMELINE) == event_hash(TIMELINE[-1])


def test_an_empty_timeline_verifies_to_the_genesis_hash() -> None:
    assert verify_chain([]) == GENESIS


@pytest.mark.parametrize("attribute", TAMPERED)
@pytest.mark.parametrize("place", [0, 3, len(TIMELINE) - 2])
def test_a_changed_attribute_breaks_the_chain(attribute: str, place: int) -> None:
    with pytest.raises(ChainBroken):
        verify_chain(_with(place, replace(TIMELINE[place], **{attribute: TAMPERED[attribute]})))


@pytest.mark.parametrize("part", ["sub", "role", "name"])
@pytest.mark.parametrize("text", ["", "张三", "é"])
def test_a_changed_actor_breaks_the_chain(part: str, text: str) -> None:
    message = TIMELINE[3]
    with pytest.raises(ChainBroken):
        verify_chain(_with(3, replace(message, actor=replace(message.actor, **{part: text}))))


@pytest.mark.parametrize("place", range(len(TIMELINE) - 1))
def test_a_change_of_any_byte_of_the_data_breaks_the_chain(place: int) -> None:
    data = TIMELINE[place].data
    for index in range(len(data)):
        changed = bytearray(data)
        changed[index] ^= 1
        with pytest.raises(ChainBroken):
            verify_chain(_with(place, replace(TIMELINE[place], data=bytes(changed))))


def test_a_change_of_the_last_event_shows_in_the_hash_that_is_returned() -> None:
    last = len(TIMELINE) - 1
    assert verify_chain(_with(last, replace(TIMELINE[last], data=b"{ }"))) != verify_chain(TIMELINE)


@pytest.mark.parametrize("place", range(len(TIMELINE) - 1))
def test_a_missing_event_breaks_the_chain(place: int) -> None:
    with pytest.raises(ChainBroken, match="expected"):
        verify_chain(TIMELINE[:place] + TIMELINE[place + 1 :])


@pytest.mark.parametrize("place", range(len(TIMELINE) - 1))
def test_two_events_in_the_other_order_break_the_chain(place: int) -> None:
    swapped = [*TIMELINE[:place], TIMELINE[place + 1], TIMELINE[place], *TIMELINE[place + 2 :]]
    with pytest.raises(ChainBroken):
        verify_chain(swapped)


def test_a_missing_event_cannot_be_hidden_by_counting_again() -> None:
    rest = [replace(message, order_version=version) for version, message in enumerate(TIMELINE[1:], start=1)]
    with pytest.raises(ChainBroken, match="does not follow"):
        verify_chain(rest)


def test_an_event_twice_breaks_the_chain() -> None:
    with pytest.raises(ChainBroken):
        verify_chain([TIMELINE[0], TIMELINE[0]])


def test_the_last_event_of_another_order_breaks_the_chain() -> None:
    with pytest.raises(ChainBroken, match="belongs to other"):
        verify_chain(_with(len(TIMELINE) - 1, replace(TIMELINE[-1], subject="other")))


def test_attributes_outside_the_chain_may_differ() -> None:
    traced = replace(TIMELINE[3], correlation_id="c", causation_id="d", traceparent="t", entity_version=2)
    assert verify_chain(_with(3, traced)) == verify_chain(TIMELINE)


def test_a_name_cannot_be_moved_into_the_field_beside_it() -> None:
    one = replace(TIMELINE[0], actor=Actor('a","b', "c"))
    other = replace(TIMELINE[0], actor=Actor("a", 'b","c'))
    assert event_hash(one) != event_hash(other)


def test_the_hash_does_not_depend_on_the_zone_in_which_a_time_was_written() -> None:
    message = TIMELINE[0]
    elsewhere = message.occurred_at.astimezone(timezone(timedelta(hours=8)))
    assert event_hash(replace(message, occurred_at=elsewhere)) == event_hash(message)


def test_times_are_written_in_utc_with_six_digits() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert time_text(datetime(2026, 11, 22, 16, 0, tzinfo=shanghai)) == "2026-11-22T08:00:00.000000Z"
    assert time_text(datetime(999, 1, 2, tzinfo=UTC)) == "0999-01-02T00:00:00.000000Z"


def test_a_time_without_a_zone_has_no_text() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        time_text(datetime(2026, 1, 1))  # noqa: DTZ001


def test_the_hash_is_as_documented() -> None:
    message = MESSAGES["whole-life/01-created"]
    facts = ["0" * 64, message.id, message.type, "/linework/intake", message.subject, 1]
    facts += ["2026-03-02T00:37:15.123456Z", "2026-03-02T00:37:15.163456Z", "agent-7", "agent", "陈静"]
    facts += [hashlib.sha256(message.data).hexdigest()]
    text = json.dumps(facts, ensure_ascii=False).replace(", ", ",")
    assert event_hash(message) == hashlib.sha256(text.encode()).hexdigest()
