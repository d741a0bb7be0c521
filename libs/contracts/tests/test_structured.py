"""Partners' events in structured mode: read as in binary mode, judged as strictly, and by nobody else."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from contracts import conformance as rules
from contracts.codec import MalformedMessage, decode, encode, headers_of
from contracts.message import Message
from contracts.structured import MEDIA_TYPE, unwrap, wrap
from contracts.topics import PARTNER_IN, WORK_ORDERS, topic_of_partner
from contracts_tooling.golden import MESSAGES

NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
PBX_IN = topic_of_partner(PARTNER_IN, "pbx")
OF_PARTNERS = [message for name, message in MESSAGES.items() if name.startswith("partner-") and "out" not in name]
TO_PARTNERS = [message for name, message in MESSAGES.items() if name.startswith("partner-out")]
STRUCTURED = [("content-type", MEDIA_TYPE.encode())]


def event(**changes: Any) -> dict[str, Any]:
    """An event with changed members; one that is None is left out."""
    members = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/partner/pbx",
        "type": "linework.partner.call_queued.v1",
        "subject": "c-1",
        "time": "2026-03-03T08:00:00Z",
        "data": {"queue": "客服"},
    }
    return {name: value for name, value in (members | changes).items() if value is not None}


def check(value: Any, headers: Any = STRUCTURED, key: bytes | None = b"c-1") -> rules.Checked:
    sent = value if isinstance(value, bytes) else json.dumps(value).encode()
    checked = rules.check_record(key, sent, headers, partner_id="pbx", now=NOW)
    try:
        read = decode(key, sent, headers, topic=PBX_IN)
    except MalformedMessage:
        assert checked.message is None
    else:
        assert checked.message in (read, None)
    return checked


def pointers(checked: rules.Checked) -> list[str]:
    assert all(mistake.wrong.zh for mistake in checked.mistakes)
    return [mistake.pointer for mistake in checked.mistakes]


@pytest.mark.parametrize("message", OF_PARTNERS, ids=lambda message: message.type)
def test_an_event_is_the_same_in_either_mode(message: Message) -> None:
    key, value, _ = encode(message)
    whole = wrap(headers_of(message), value)
    checked = rules.check_record(key, whole, STRUCTURED, partner_id=message.service, now=NOW)
    assert (checked.code, checked.message) == (None, message)


@pytest.mark.parametrize("message", OF_PARTNERS, ids=lambda message: message.type)
def test_what_the_cloudevents_sdk_writes_is_read(message: Message) -> None:
    attributes = {name: getattr(message, name) for name in ("id", "type", "source", "subject")}
    sent = CloudEvent({**attributes, "specversion": "1.0", "time": message.occurred_at}, json.loads(message.data))
    record = to_structured(sent, JSONFormat(), key_mapper=lambda one: one.get_subject())
    headers = list(record.headers.items())
    checked = rules.check_record(str(record.key).encode(), record.value, headers, partner_id=message.service, now=NOW)
    assert checked.mistakes == ()
    assert checked.message is not None
    assert (checked.message.body, checked.message.occurred_at) == (message.body, message.occurred_at)


@pytest.mark.parametrize("message", TO_PARTNERS, ids=lambda message: message.type)
def test_the_cloudevents_sdk_reads_what_partners_are_answered(message: Message) -> None:
    key, value, headers = encode(message)
    read = from_kafka(KafkaMessage(headers=dict(headers), key=key, value=value), JSONFormat())
    assert (read.get_id(), read.get_type(), read.get_subject()) == (message.id, message.type, message.subject)
    assert (read.get_time(), read.get_data()) == (message.occurred_at, json.loads(message.data))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents+json; charset=utf-8",
        'application/cloudevents+json;charset="UTF-8"',
        "Application/CloudEvents+JSON",
    ],
)
def test_parameters_and_capitals_of_the_content_type_make_no_difference(content_type: str) -> None:
    assert check(event(), [("Content-Type", content_type.encode())]).code is None


@pytest.mark.parametrize(
    ("changes", "code", "expected"),
    [
        ({"source": "/partner/other"}, rules.UNREADABLE, ["ce_source"]),
        ({"id": None}, rules.UNREADABLE, ["ce_id"]),
        ({"id": ""}, rules.UNREADABLE, ["ce_id"]),
        ({"id": "x" * 201}, rules.UNREADABLE, ["ce_id"]),
        ({"id": ["e-1"]}, rules.UNREADABLE, ["ce_id"]),
        ({"specversion": "0.3"}, rules.UNREADABLE, ["ce_specversion"]),
        ({"subject": "c-2"}, rules.UNREADABLE, ["ce_subject"]),
        ({"time": "2026-03-03T08:00:00"}, rules.UNREADABLE, ["ce_time"]),
        ({"time": 1772524800.5}, rules.UNREADABLE, ["ce_time"]),
        ({"data": None}, rules.UNREADABLE, [""]),
        ({"data": "text"}, rules.UNREADABLE, [""]),
        ({"time": "1999-01-01T00:00:00Z"}, rules.MALFORMED, ["ce_time"]),
        ({"data": {"leg": 0}}, rules.MALFORMED, ["/leg"]),
        ({"type": "linework.call.queued.v1"}, rules.TYPE_UNKNOWN, ["ce_type"]),
        ({"data_base64": "e30="}, rules.FORM_UNSUPPORTED, ["data_base64"]),
        ({"data": None, "data_base64": "e30="}, rules.FORM_UNSUPPORTED, ["data_base64"]),
        ({"datacontenttype": "application/xml"}, rules.FORM_UNSUPPORTED, ["datacontenttype"]),
        ({"datacontenttype": 1}, rules.FORM_UNSUPPORTED, ["datacontenttype"]),
        ({f"x{number}": "y" for number in range(200)}, rules.UNREADABLE, [""]),
    ],
)
def test_a_wrong_member_is_named_as_its_header_would_be(changes: Any, code: str, expected: list[str]) -> None:
    checked = check(event(**changes))
    assert (checked.code, pointers(checked)[: len(expected)]) == (code, expected)


def test_a_readable_id_is_told_with_the_refusal() -> None:
    checked = check(event(data_base64="e30="))
    assert (checked.event_id, checked.event_type) == ("e-1", "linework.partner.call_queued.v1")


@pytest.mark.parametrize("json_type", ["application/json", "application/json; charset=utf-8", "application/vnd.x+json"])
def test_data_may_be_called_json_in_any_way(json_type: str) -> None:
    assert check(event(datacontenttype=json_type)).code is None


@pytest.mark.parametrize(
    ("value", "code", "pointer"),
    [
        (b'{"id":"e-2",', rules.UNREADABLE, "/id"),
        (b'{"data":{},', rules.UNREADABLE, "/data"),
        (b'{"\\u0000\\ud800":1,"\\u0000\\ud800":1,', rules.UNREADABLE, "/\\u0000\\ud800"),
    ],
)
def test_a_member_that_is_given_twice_makes_it_no_event(value: bytes, code: str, pointer: str) -> None:
    checked = check(value + json.dumps(event()).encode()[1:])
    assert (checked.code, pointers(checked)) == (code, [pointer])


def test_a_key_of_the_data_that_is_given_twice_is_named_within_the_data() -> None:
    twice = json.dumps(event()).replace('"queue":', '"queue": "other", "queue":').encode()
    checked = check(twice)
    assert (checked.code, checked.event_id, pointers(checked)) == (rules.MALFORMED, "e-1", ["/queue"])


WIDE = [json.dumps(event(), ensure_ascii=False).encode(name) for name in ("utf-16", "utf-8-sig", "gb18030")]


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"1", b'{"data":NaN}', b"[" * 10_000, b'{"a":' * 5_000, *WIDE])
def test_what_is_no_object_in_utf_8_is_no_event(value: bytes) -> None:
    assert check(value).code == rules.UNREADABLE


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/cloudevents-batch+json",
        b"application/cloudevents+avro",
        b"application/cloudevents",
        b"application/cloudevents+json; charset=utf-16",
    ],
)
def test_another_form_is_refused_with_the_one_that_is_read(content_type: bytes) -> None:
    checked = check([event()], [("content-type", content_type)])
    assert (checked.code, pointers(checked)) == (rules.FORM_UNSUPPORTED, ["content-type"])
    assert checked.mistakes[0].right.startswith(MEDIA_TYPE)


def test_two_content_types_that_disagree_are_refused() -> None:
    both = [*STRUCTURED, ("content-type", b"application/json")]
    assert check(event(), both).code == rules.FORM_UNSUPPORTED


def test_headers_of_the_binary_form_may_stand_beside_the_event_if_they_agree() -> None:
    headers = [*STRUCTURED, ("ce_id", b"e-1"), ("ce_time", b"2026-03-03T08:00:00Z"), ("traceparent", b"\xff")]
    assert check(event(), headers).code is None


@pytest.mark.parametrize(
    ("name", "text"), [("ce_id", b"e-2"), ("ce_subject", b"\xff"), ("ce_actor", b"somebody"), ("ce_\udcff", b"x")]
)
def test_headers_that_contradict_the_event_are_refused(name: str, text: bytes) -> None:
    checked = check(event(), [*STRUCTURED, (name, text)])
    assert (checked.code, pointers(checked)) == (rules.UNREADABLE, [name.replace("\udcff", "\\udcff")])
    assert "contradicts" in checked.mistakes[0].wrong.en


def test_other_attributes_are_text_whole_numbers_or_booleans_and_ignored_if_unknown() -> None:
    assert check(event(partitionkey="c-1", sequence=7, urgent=True, comexampleother=None)).code is None
    checked = check(event(nested={"a": 1}, comma=1.5))
    assert (checked.code, pointers(checked)) == (rules.UNREADABLE, ["ce_nested", "ce_comma"])


def test_our_own_topics_are_read_in_binary_mode_alone() -> None:
    with pytest.raises(MalformedMessage, match="ce_type is missing"):
        decode(b"c-1", json.dumps(event()).encode(), STRUCTURED, topic=WORK_ORDERS)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.sampled_from([*event(), "datacontenttype", "x"]), ANYTHING), st.binary())
def test_whatever_the_members_are_it_is_judged_and_nothing_raises(changes: dict[str, Any], text: bytes) -> None:
    for value in (json.dumps(event() | changes).encode(), text):
        check(value)
        assert unwrap(value, STRUCTURED).headers is not None
