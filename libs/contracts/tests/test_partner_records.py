"""What a partner may write, and where."""

from datetime import UTC, datetime

import pytest

from contracts import partners as p
from contracts.codec import MalformedMessage, decode, encode, new_partner_message
from contracts.message import Message
from contracts.topics import CALLS, PARTNER_IN, PARTNER_OUT, topic_of_partner

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def make_event(partner_id: str = "pbx", event_id: str = "e-1") -> Message:
    return new_partner_message(
        p.PartnerCallQueued(queue="support"),
        partner_id=partner_id,
        event_id=event_id,
        subject="1795372789.1",
        occurred_at=NOW,
    )


def test_a_partners_event_is_read_from_the_partners_own_topic() -> None:
    message = make_event()
    assert decode(*encode(message), topic=topic_of_partner(PARTNER_IN, "pbx")) == message
    assert (message.source, message.service) == ("/partner/pbx", "pbx")


def test_an_event_in_the_name_of_another_partner_is_refused() -> None:
    with pytest.raises(MalformedMessage, match=r"/partner/pbx may not write linework\.partner\.call_queued\.v1"):
        decode(*encode(make_event()), topic=topic_of_partner(PARTNER_IN, "other"))


@pytest.mark.parametrize("source", [b"/partner/", b"/partner/PBX", b"/linework/intake", b"pbx", b"/partner/a/b"])
def test_an_event_of_nobody_who_can_be_a_partner_is_refused(source: bytes) -> None:
    key, value, headers = encode(make_event())
    changed = [(name, source if name == "ce_source" else text) for name, text in headers]
    with pytest.raises(MalformedMessage, match="may not write"):
        decode(key, value, changed)


@pytest.mark.parametrize("topic", [CALLS, topic_of_partner(PARTNER_OUT, "pbx")])
def test_a_partners_event_belongs_on_in_alone(topic) -> None:
    with pytest.raises(MalformedMessage, match=r"belongs on partner\.<id>\.in"):
        decode(*encode(make_event()), topic=topic)


@pytest.mark.parametrize("partner_id", ["", "PBX", "a.b", "-a", "a b", "a" * 41, "电话"])
def test_what_cannot_be_a_partners_id_has_no_topic(partner_id: str) -> None:
    with pytest.raises(ValueError, match="is no partner id"):
        topic_of_partner(PARTNER_IN, partner_id)


def test_a_partners_topic_has_the_settings_of_its_template() -> None:
    topic = topic_of_partner(PARTNER_OUT, "pbx-2")
    assert (topic.name, topic.kind, topic.config) == ("partner.pbx-2.out", "partner.<id>.out", PARTNER_OUT.config)


def test_an_event_without_an_id_is_not_made() -> None:
    with pytest.raises(MalformedMessage, match="ce_id is missing"):
        make_event(event_id="")
