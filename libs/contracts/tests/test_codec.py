"""Records that are read, and records that are refused with a sentence."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import events as e
from contracts import requests as r
from contracts.chain import GENESIS
from contracts.codec import MalformedMessage, decode, encode, headers_of, new_message
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.topics import DIRECTORY, WORK_ORDERS
from contracts_tooling.golden import MESSAGES

DISPATCHED = MESSAGES["whole-life/05-dispatched"]
CREATED = MESSAGES["whole-life/01-created"]
SUSPENDED = MESSAGES["whole-life/08-suspended"]
URGE = MESSAGES["requests/03-urge_requested"]
WORK_AREA = MESSAGES["directory/02-work_area"]
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def read(
    message: Message, *, value: bytes | None = None, key: bytes | None = None, **headers: str | bytes | None
) -> Message:
    """Decodes the record of a message after changing it: a header that is None is left out."""
    sent_key, sent_value, sent_headers = encode(message)
    changed = dict(sent_headers) | {
        name: text.encode() if isinstance(text, str) else text for name, text in headers.items()
    }
    kept = [(name, text) for name, text in changed.items() if text is not None]
    return decode(sent_key if key is None else key, sent_value if value is None else value, kept)


def make_event(**overrides: Any) -> Message:
    facts: dict[str, Any] = {"body": e.WorkOrderNoteAdded(note="x"), "service": Service.FIELDWORK, "subject": "o-1"}
    facts |= {"actor": Actor("u-1", "technician"), "occurred_at": NOW, "recorded_at": NOW, "order_version": 1}
    facts |= overrides
    return new_message(facts.pop("body"), **facts)


@pytest.mark.parametrize("name", MESSAGES)
def test_what_is_encoded_is_decoded(name: str) -> None:
    assert decode(*encode(MESSAGES[name])) == MESSAGES[name]


@pytest.mark.parametrize(("message", "topic"), [(DISPATCHED, WORK_ORDERS), (URGE, WORK_ORDERS), (WORK_AREA, DIRECTORY)])
def test_a_record_on_its_own_topic_is_read(message: Message, topic: Any) -> None:
    assert decode(*encode(message), topic=topic) == message


def test_an_unknown_header_is_ignored_whatever_it_holds() -> None:
    assert read(DISPATCHED, b3=b"\xff\x00", ce_color="blue") == DISPATCHED


def test_a_header_without_a_value_is_as_good_as_absent() -> None:
    key, value, headers = encode(DISPATCHED)
    assert decode(key, value, [*headers, ("ce_color", None)]) == DISPATCHED  # type: ignore[list-item]


def test_an_unknown_field_is_ignored_at_every_depth() -> None:
    body = json.loads(CREATED.data)
    body |= {"mood": {"deep": [1, None]}, "appointment": body["appointment"] | {"flexible": True}}
    assert read(CREATED, value=json.dumps(body).encode()).body == CREATED.body


@pytest.mark.parametrize("value", [b"{}", b"[]", b'""', b"0", b"false", b"null", b'{"a": 1}'])
def test_a_message_of_an_unknown_type_has_no_body(value: bytes) -> None:
    message = read(DISPATCHED, value=value, ce_type="linework.work_order.painted.v1")
    assert message.body is None
    assert (message.data, message.order_version, message.subject) == (value, 5, DISPATCHED.subject)


def test_a_later_version_of_a_type_is_an_unknown_type() -> None:
    assert read(DISPATCHED, ce_type="linework.work_order.dispatched.v2", ce_source="/else/where").body is None


def test_an_optional_field_that_is_absent_has_its_default() -> None:
    found = read(DISPATCHED, value=b'{"work_area_id":"n","staff_ids":["a"]}').body
    assert found == e.WorkOrderDispatched(work_area_id="n", staff_ids=("a",))


def test_the_recorded_time_is_the_time_if_left_out() -> None:
    assert read(DISPATCHED, ce_recordedtime=None).recorded_at == DISPATCHED.occurred_at


def test_a_time_of_another_zone_is_read_as_the_same_moment() -> None:
    message = read(
        SUSPENDED, ce_time="2026-03-02T16:00:00+08:00", value=b'{"reason":"x","until":"2026-03-02T16:00:00+08:00"}'
    )
    assert message.occurred_at == message.body.until == NOW


def test_an_actor_may_be_unknown() -> None:
    assert read(DISPATCHED, ce_actor=None, ce_actorrole=None, ce_actorname=None).actor == Actor("", "", "")


def test_the_body_is_read_from_bytes_that_stay_as_they_came() -> None:
    value = b' {"staff_ids" : [ "a" ],\n "work_area_id":"\\u5317" } '
    message = read(DISPATCHED, value=value)
    assert (message.data, message.body.work_area_id) == (value, "北")


def test_a_record_without_a_value_is_refused() -> None:
    key, _, headers = encode(DISPATCHED)
    with pytest.raises(MalformedMessage, match="has no value"):
        decode(key, None, headers)


@pytest.mark.parametrize("name", ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time"])
@pytest.mark.parametrize("text", [None, ""])
def test_a_record_without_a_required_header_is_refused_naming_it(name: str, text: str | None) -> None:
    with pytest.raises(MalformedMessage, match=f"the header {name} is missing"):
        read(DISPATCHED, **{name: text})


@pytest.mark.parametrize("name", ["ce_orderversion", "ce_prevhash"])
def test_an_event_without_its_place_in_the_chain_is_refused(name: str) -> None:
    with pytest.raises(MalformedMessage, match="needs ce_orderversion and ce_prevhash"):
        read(DISPATCHED, **{name: None})


def test_an_entity_without_its_version_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="needs ce_entityversion"):
        read(WORK_AREA, ce_entityversion=None)


@pytest.mark.parametrize("message", [URGE, WORK_AREA, MESSAGES["requests/05-request_refused"]])
def test_what_does_not_change_an_order_may_not_have_an_order_version(message: Message) -> None:
    with pytest.raises(MalformedMessage, match="does not change an order"):
        read(message, ce_orderversion="2")


@pytest.mark.parametrize("key", [b"", b"another", DISPATCHED.subject.encode() + b" ", b"\xff"])
def test_a_record_with_another_key_is_refused(key: bytes) -> None:
    with pytest.raises(MalformedMessage, match="is not the subject"):
        read(DISPATCHED, key=key)


def test_a_record_without_a_key_is_refused() -> None:
    _, value, headers = encode(DISPATCHED)
    with pytest.raises(MalformedMessage, match="the key None is not the subject"):
        decode(None, value, headers)


@pytest.mark.parametrize(
    "source", ["/linework/intake", "dispatch", "/partner/dispatch", "/linework/dispatch/", "/linework/"]
)
def test_a_record_of_who_does_not_own_the_type_is_refused(source: str) -> None:
    with pytest.raises(MalformedMessage, match=r"may not write linework\.work_order\.dispatched\.v1"):
        read(DISPATCHED, ce_source=source)


@pytest.mark.parametrize(("message", "topic"), [(DISPATCHED, DIRECTORY), (WORK_AREA, WORK_ORDERS)])
def test_a_record_on_another_topic_is_refused(message: Message, topic: Any) -> None:
    with pytest.raises(MalformedMessage, match="belongs on"):
        decode(*encode(message), topic=topic)


def test_another_version_of_cloudevents_is_refused() -> None:
    with pytest.raises(MalformedMessage, match=r"ce_specversion is '0\.3', 1\.0 is read"):
        read(DISPATCHED, ce_specversion="0.3")


@pytest.mark.parametrize("name", ["ce_time", "ce_recordedtime"])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("yesterday", "not an RFC 3339 time"),
        ("2026-02-30T00:00:00Z", "not an RFC 3339 time"),
        ("1767225600", "not an RFC 3339 time"),
        ("2026-03-02T08:00:00", "without a time zone"),
        ("2026-03-02", "without a time zone"),
        ("0001-01-01T00:00:00+14:00", "outside the years"),
        ("9999-12-31T23:59:59-14:00", "outside the years"),
        ("0001-01-01T00:00:00Z", "outside the years"),
        ("9999-12-31T23:59:59.999999Z", "outside the years"),
        ("1969-12-31T23:59:59Z", "outside the years"),
        ("2200-01-01T00:00:00Z", "outside the years"),
    ],
)
def test_a_header_that_is_not_a_moment_is_refused(name: str, text: str, reason: str) -> None:
    with pytest.raises(MalformedMessage, match=reason):
        read(DISPATCHED, **{name: text})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-03-02T08:00:00", "without a time zone"),
        ("0001-01-01T00:00:00+14:00", "outside the years"),
        ("0001-01-01T00:00:00Z", "outside 0001-01-02 to 9999-12-30"),
        ("9999-12-31T23:59:59.999999Z", "outside 0001-01-02 to 9999-12-30"),
        ("soon", "does not fit"),
    ],
)
def test_a_time_in_the_value_that_is_not_a_moment_is_refused(text: str, reason: str) -> None:
    with pytest.raises(MalformedMessage, match=reason):
        read(SUSPENDED, value=json.dumps({"reason": "x", "until": text}).encode())
    window = json.loads(CREATED.data) | {"appointment": {"start": "2026-03-02T08:00:00Z", "end": text}}
    with pytest.raises(MalformedMessage, match=reason):
        read(CREATED, value=json.dumps(window).encode())


@pytest.mark.parametrize("name", ["ce_orderversion", "ce_entityversion"])
@pytest.mark.parametrize("text", ["", "0", "-1", "1.0", "+1", " 1", "1_0", "١", "0x1", "one", "1" * 10, "1e3"])
def test_a_version_that_is_not_a_whole_number_is_refused(name: str, text: str) -> None:
    with pytest.raises(MalformedMessage, match=f"{name} is .*, not a whole number from 1"):
        read(DISPATCHED, **{name: text})


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "g" * 64, "A" * 64])
def test_a_previous_hash_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(MalformedMessage, match="ce_prevhash is not a SHA-256"):
        read(DISPATCHED, ce_prevhash=text)


@pytest.mark.parametrize("name", ["ce_id", "ce_actorname", "ce_subject", "ce_type"])
def test_a_header_that_is_not_utf_8_is_refused_naming_it(name: str) -> None:
    with pytest.raises(MalformedMessage, match=f"the header {name} is not UTF-8"):
        read(DISPATCHED, **{name: b"\xff\xfe"})


@pytest.mark.parametrize("character", [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))])
def test_a_control_character_in_a_header_is_refused(character: str) -> None:
    with pytest.raises(MalformedMessage, match="the header ce_actorname has a control character"):
        read(DISPATCHED, ce_actorname=f"a{character}b")


@pytest.mark.parametrize("character", ["\u200b", "\u00a0", "\u3000", "\ue000", "李"])
def test_a_character_that_is_not_printable_is_no_control_character(character: str) -> None:
    assert read(DISPATCHED, ce_actorname=f"a{character}b").actor.name == f"a{character}b"


@pytest.mark.parametrize("text", ["\\u0000", "a\\\\\\u0000b"])
def test_a_nul_character_in_the_value_is_refused(text: str) -> None:
    with pytest.raises(MalformedMessage, match="NUL"):
        read(DISPATCHED, value=f'{{"work_area_id":"{text}","staff_ids":[]}}'.encode())


def test_an_escaped_backslash_before_zeros_is_no_nul_character() -> None:
    value = b'{"work_area_id":"\\\\u0000","staff_ids":[]}'
    assert read(DISPATCHED, value=value).body.work_area_id == "\\u0000"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"nonsense",
        b"null",
        b"[]",
        b"{}",
        b'{"work_area_id":"n"}',
        b'{"work_area_id":1,"staff_ids":[]}',
        b'{"work_area_id":"n","staff_ids":"a"}',
        b'{"work_area_id":"n","staff_ids":[1]}',
        b'{"work_area_id":null,"staff_ids":[]}',
        b'{"work_area_id":"n","staff_ids":[],"is_binding":"yes"}',
        b'{"work_area_id":"n","staff_ids":[],"is_binding":null}',
        b'{"work_area_id":"n","staff_ids":[]} trailing',
        b'{"work_area_id":"\xff","staff_ids":[]}',
        b'{"work_area_id":"n","staff_ids":[],"unknown":"\xff"}',
        b'{"work_area_id":"\\ud800","staff_ids":[]}',
        b'{"work_area_id":"n","staff_ids":[],"unknown":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_a_value_that_does_not_fit_the_type_is_refused(value: bytes) -> None:
    with pytest.raises(MalformedMessage, match=r"the value does not fit linework\.work_order\.dispatched\.v1"):
        read(DISPATCHED, value=value)


@pytest.mark.parametrize("value", [b"", b"{", b'"\xff"', b"[" * 100_000])
def test_a_value_of_an_unknown_type_must_still_be_json(value: bytes) -> None:
    with pytest.raises(MalformedMessage, match=r"does not fit linework\.unknown\.v1"):
        read(DISPATCHED, value=value, ce_type="linework.unknown.v1")


@pytest.mark.parametrize("word", ["telegram", "PHONE", ""])
def test_a_word_that_an_enumeration_does_not_have_is_refused(word: str) -> None:
    value = json.dumps(json.loads(CREATED.data) | {"channel": word}).encode()
    with pytest.raises(MalformedMessage, match="channel"):
        read(CREATED, value=value)


def test_a_new_message_has_the_type_and_the_source_of_its_writer() -> None:
    message = make_event()
    assert (message.type, message.source, message.service) == (
        "linework.work_order.note_added.v1",
        "/linework/fieldwork",
        "fieldwork",
    )
    assert message.prev_hash == GENESIS
    assert decode(*encode(message)) == message
    assert make_event().id != message.id


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"service": Service.INTAKE}, "may not write"),
        ({"order_version": None}, "needs ce_orderversion"),
        ({"order_version": 2}, "needs ce_orderversion and ce_prevhash"),
        ({"subject": ""}, "ce_subject is missing"),
        ({"actor": Actor("a\nb", "technician")}, "control character"),
        ({"body": e.WorkOrderNoteAdded(note="a\x00b")}, "NUL"),
        ({"body": e.WorkOrderSuspended(reason="x", until=NOW.replace(tzinfo=None))}, "without a time zone"),
        ({"body": r.WorkOrderUrgeRequested(request_id="r", reason="x")}, "does not change an order"),
    ],
)
def test_a_message_that_every_reader_would_refuse_is_not_made(overrides: dict[str, Any], reason: str) -> None:
    with pytest.raises(MalformedMessage, match=reason):
        make_event(**overrides)


@pytest.mark.parametrize("name", ["occurred_at", "recorded_at"])
@pytest.mark.parametrize("year", [1, 9999])
def test_a_message_at_an_end_of_the_calendar_is_not_made(name: str, year: int) -> None:
    with pytest.raises(MalformedMessage, match="outside the years 1970 to 2199"):
        make_event(**{name: NOW.replace(year=year)})


def test_absent_attributes_have_no_header() -> None:
    bare = replace(URGE, causation_id=None, actor=Actor("a", "agent"))
    assert {"ce_actorname", "ce_orderversion", "ce_prevhash", "ce_causationid", "ce_traceparent"}.isdisjoint(
        headers_of(bare)
    )


def test_times_travel_in_utc_with_microseconds() -> None:
    headers = headers_of(replace(URGE, occurred_at=NOW, recorded_at=NOW + timedelta(microseconds=1)))
    assert (headers["ce_time"], headers["ce_recordedtime"]) == (
        "2026-03-02T08:00:00.000000Z",
        "2026-03-02T08:00:00.000001Z",
    )
