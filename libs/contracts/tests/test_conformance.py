"""What a partner is told about its records: every mistake of one, with what would be right."""

import dataclasses
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import conformance as rules
from contracts import partner_limits
from contracts import partners as p
from contracts.codec import encode, new_partner_message
from contracts.message import Message
from contracts_tooling.golden import MESSAGES

NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
OF_PARTNERS = [message for name, message in MESSAGES.items() if name.startswith("partner-") and "out" not in name]


def make_event(body: Any = None) -> Message:
    return new_partner_message(
        body or p.PartnerCallQueued(queue="q"), partner_id="pbx", event_id="e-1", subject="c-1", occurred_at=NOW
    )


def check(message: Message, value: bytes | None = None, key: bytes | None = None, **headers: bytes) -> rules.Checked:
    sent_key, sent, pairs = encode(message)
    changed = [(name, text) for name, text in (dict(pairs) | headers).items() if text]
    return rules.check_record(key or sent_key, value or sent, changed, partner_id="pbx", now=NOW)


def pointers(checked: rules.Checked) -> list[str]:
    return [mistake.pointer for mistake in checked.mistakes]


@pytest.mark.parametrize("message", OF_PARTNERS, ids=lambda message: message.type)
def test_every_recorded_event_of_a_partner_conforms(message: Message) -> None:
    checked = check(message)
    assert (checked.code, checked.message) == (None, message)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"leg": "one", "position": [], "queue": 7}, ["/leg", "/queue", "/position"]),
        ({"leg": 0}, ["/leg"]),
        ({"leg": 101, "position": -1}, ["/leg", "/position"]),
        ({"queue": ""}, ["/queue"]),
        ({"queue": "q" * 201}, ["/queue"]),
        ({"queue": "a\nb"}, ["/queue"]),
    ],
)
def test_every_mistake_of_a_value_is_named_with_what_would_be_right(value: Any, expected: list[str]) -> None:
    checked = check(make_event(), json.dumps(value).encode())
    assert (checked.code, sorted(pointers(checked))) == (rules.MALFORMED, sorted(expected))
    assert all(mistake.right and mistake.wrong.zh for mistake in checked.mistakes)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (p.PartnerCallAnswered(wait_milliseconds=-1), "/wait_milliseconds"),
        (p.PartnerCallAnswered(wait_milliseconds=8 * 24 * 3600 * 1000), "/wait_milliseconds"),
        (p.PartnerCallRated(score=6), "/score"),
        (p.PartnerCallRated(score=0), "/score"),
    ],
)
def test_what_cannot_be_so_is_a_mistake(body: Any, pointer: str) -> None:
    assert pointer in pointers(check(make_event(body)))


ORDER = p.PartnerOrderRequested(subscriber_no="1", device_type="digital", demand_type="test", content="x")


# Nothing that is seen, or 360 characters in plain spelling.
@pytest.mark.parametrize("text", [" ", "\u3164", "\ufdfa" * 20])
def test_an_order_has_references_that_are_not_empty_or_too_long_once_they_are_normalised(text: str) -> None:
    order = replace(ORDER, subscriber_no=text, territory=text)
    message = replace(make_event(order), subject=text)
    assert pointers(check(message)) == ["ce_subject", "/subscriber_no", "/territory"]


@pytest.mark.parametrize("content", ["\n", "  ", "\u3164\n"])
def test_an_order_says_something(content: str) -> None:
    assert pointers(check(make_event(replace(ORDER, content=content)))) == ["/content"]


def test_a_missing_field_says_what_it_may_be() -> None:
    (mistake,) = check(make_event(p.PartnerCallLost(reason=p.LossReason.TIMEOUT)), b"{}").mistakes
    assert (mistake.pointer, mistake.wrong.en) == ("/reason", "is missing")
    assert "timeout" in mistake.right


@pytest.mark.parametrize(
    ("headers", "code", "pointer"),
    [
        ({"ce_source": b"/partner/other"}, rules.UNREADABLE, "ce_source"),
        ({"ce_id": b""}, rules.UNREADABLE, "ce_id"),
        ({"ce_time": b"soon"}, rules.UNREADABLE, "ce_time"),
        ({"ce_subject": b"c-2"}, rules.UNREADABLE, "ce_subject"),
        ({"ce_type": b"linework.call.queued.v1"}, rules.TYPE_UNKNOWN, "ce_type"),
        ({"ce_type": b"linework.partner.call_painted.v1"}, rules.TYPE_UNKNOWN, "ce_type"),
        ({"ce_time": b"1999-01-01T00:00:00Z"}, rules.MALFORMED, "ce_time"),
        ({"ce_time": b"2026-03-09T00:00:00Z"}, rules.MALFORMED, "ce_time"),
    ],
)
def test_a_wrong_header_is_named(headers: dict[str, bytes], code: str, pointer: str) -> None:
    checked = check(make_event(), **headers)
    assert (checked.code, pointers(checked)) == (code, [pointer])


WIDE = [text.encode(name) for text in ('{"queue":"客服"}', "{}") for name in ("utf-16", "utf-32", "utf-8-sig")]


@pytest.mark.parametrize("value", [b"{", b"[]", b"1", b'"x"', b"\xff", b"[" * 10_000, *WIDE])
def test_what_is_no_object_cannot_be_read(value: bytes) -> None:
    assert check(make_event(), value).code == rules.UNREADABLE


@given(st.none() | st.binary(), st.none() | st.binary(), st.lists(st.tuples(st.text(), st.binary())))
def test_anything_at_all_is_judged_and_nothing_raises(key: Any, value: Any, headers: Any) -> None:
    assert rules.check_record(key, value, headers, partner_id="pbx", now=NOW).code is not None


def test_every_code_has_a_sentence_in_both_languages() -> None:
    codes = [value for name, value in vars(rules).items() if name.isupper() and isinstance(value, str)]
    assert set(codes) == set(rules.SENTENCES)
    assert all(names.en.endswith(".") and names.zh.endswith("。") for names in rules.SENTENCES.values())


def test_the_course_of_a_call_has_one_of_each_and_corrections_of_what_is_there() -> None:
    course = rules.Course()
    assert course.take("1", p.PartnerCallAnswered(agent="a")) is None
    assert course.take("2", p.PartnerCallAnswered(agent="b")) == rules.FACT_KNOWN
    assert course.take("3", p.PartnerCallAnswered(agent="b", leg=2)) is None
    assert course.take("4", p.PartnerCallAnswered(agent="b", corrects="1")) is None
    assert course.take("5", p.PartnerCallAnswered(agent="c", corrects="1")) == rules.CORRECTION_UNKNOWN
    assert course.take("6", p.PartnerCallEnded(corrects="4")) == rules.CORRECTION_UNKNOWN
    assert course.take("7", p.PartnerCallAnswered(agent="c", corrects="4")) is None
    assert [course.take(str(number), p.PartnerCallHeld()) for number in (8, 9)] == [None, None]


WHOLE_CALL = (
    p.PartnerCallOffered(caller="138", line="96123"),
    p.PartnerCallQueued(queue="support", position=2),
    p.PartnerCallAnswered(agent="a"),
    p.PartnerCallHeld(),
    p.PartnerCallResumed(),
    p.PartnerCallEnded(),
    p.PartnerAfterCallWorkEnded(),
    p.PartnerRecordingAvailable(recording_id="r", length_milliseconds=1),
    p.PartnerCallRated(score=5),
)


@pytest.mark.parametrize(
    "body",
    [
        p.PartnerCallOffered(caller="139"),
        p.PartnerCallQueued(queue="other"),
        p.PartnerCallAnswered(agent="b"),
        p.PartnerCallEnded(talk_milliseconds=1),
        p.PartnerAfterCallWorkEnded(work_milliseconds=1),
        p.PartnerRecordingAvailable(recording_id="r", length_milliseconds=2),
        p.PartnerCallRated(score=1),
    ],
    ids=lambda body: type(body).__name__,
)
def test_a_second_one_of_what_there_is_once_is_refused(body: Any) -> None:
    course = rules.Course()
    assert [course.take(str(number), one) for number, one in enumerate(WHOLE_CALL)] == [None] * len(WHOLE_CALL)
    assert course.take("again", body) == rules.FACT_KNOWN
    corrected = next(str(number) for number, one in enumerate(WHOLE_CALL) if type(one) is type(body))
    assert course.take("right", replace(body, corrects=corrected)) is None


@pytest.mark.parametrize("corrects", ["none", "0", "1"])
def test_a_correction_of_nothing_or_of_another_kind_is_refused(corrects: str) -> None:
    course = rules.Course()
    for number, body in enumerate(WHOLE_CALL):
        course.take(str(number), body)
    assert course.take("wrong", p.PartnerCallAnswered(corrects=corrects)) == rules.CORRECTION_UNKNOWN


def test_a_key_that_is_given_twice_is_a_mistake_with_its_place() -> None:
    checked = check(make_event(), b'{"position":1,"position":2}')
    assert (checked.code, pointers(checked)) == (rules.MALFORMED, ["/position"])


def test_a_state_under_another_agents_name_is_a_mistake() -> None:
    state = replace(make_event(p.PartnerAgentStateChanged(agent="Agent/101", state=p.AgentState.READY)))
    assert pointers(check(replace(state, subject="agent:Agent/102"))) == ["ce_subject"]
    assert check(replace(state, subject="agent:Agent/101")).code is None


@pytest.mark.parametrize("wait", [-1, -4000, partner_limits.LONGEST_MILLISECONDS + 1])
def test_a_measure_below_zero_or_above_a_week_is_a_mistake(wait: int) -> None:
    checked = check(make_event(p.PartnerCallAnswered(wait_milliseconds=wait)))
    assert (checked.code, pointers(checked)) == (rules.MALFORMED, ["/wait_milliseconds"])
    assert check(make_event(p.PartnerCallAnswered(wait_milliseconds=0))).code is None


def test_a_header_name_that_is_not_utf8_is_named() -> None:
    key, value, headers = encode(make_event())
    checked = rules.check_record(key, value, [("\udcffodd", b"x"), *headers], partner_id="pbx", now=NOW)
    assert checked.code == rules.UNREADABLE
    assert [(one.pointer, one.wrong.en) for one in checked.mistakes] == [("\\udcffodd", "the header name is not UTF-8")]


OUTAGE = p.PartnerOutageReported(territories=("north",), cause="cable")
CHANGED = p.PartnerSubscriberChanged(subscriber_no="100", name="Li")
FAR = NOW.replace(year=NOW.year + 11)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (replace(OUTAGE, territories=()), ["/territories"]),
        (replace(OUTAGE, territories=("north",) * 101), ["/territories"]),
        (replace(OUTAGE, territories=("\u3164",)), ["/territories", "/territories"]),
        (replace(OUTAGE, cause="\u3164"), ["/cause"]),
        (replace(OUTAGE, began_at=NOW.replace(hour=13)), ["/began_at"]),
        (replace(OUTAGE, began_at=NOW.replace(hour=13), is_planned=True), []),
        (replace(OUTAGE, began_at=FAR, is_planned=True), ["/began_at"]),
        (replace(OUTAGE, restore_by=FAR), ["/restore_by"]),
        (p.PartnerOutageRestoreTimeChanged(restore_by=FAR), ["/restore_by"]),
        (CHANGED, []),
        (replace(CHANGED, name=None), [""]),
        (replace(CHANGED, name="\u3164"), ["/name"]),
        (replace(CHANGED, phones=("1380000",) * 11), ["/phones"]),
        (replace(CHANGED, phones=("13800001111", "front door")), ["/phones/1"]),
        (replace(CHANGED, kind="House Hold"), ["/kind"]),
        (replace(CHANGED, notes="line\nline"), []),
        (replace(CHANGED, subscriber_no="101"), ["ce_subject"]),
    ],
)
def test_outages_and_subscribers_have_limits(body: Any, expected: list[str]) -> None:
    is_about_subscriber = isinstance(body, p.PartnerSubscriberChanged)
    message = replace(make_event(body), subject="subscriber:100" if is_about_subscriber else "OUT-1")
    found = check(message).mistakes
    assert sorted({one.pointer for one in found}) == sorted(set(expected))
    assert all(one.right and one.wrong.zh for one in found)


def test_what_a_partner_may_set_of_subscribers_are_the_fields_of_the_event() -> None:
    fields = {field.name for field in dataclasses.fields(p.PartnerSubscriberChanged)}
    assert fields - {"subscriber_no"} == set(p.SubscriberField)
