"""What a partner sends, as examples to adapt: by subject, the events of one thing from its beginning to its end."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts import partners as p
from contracts.calls import EndedBy
from contracts.codec import new_partner_message
from contracts.events import Appointment
from contracts.message import Message
from linework_partner.example_kinds import ExampleKind

_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_NOON = _AT.replace(hour=12)


_CALL: Sequence[tuple[Any, int]] = (
    (p.PartnerCallOffered(caller="13800001111", line="96123"), 0),
    (p.PartnerCallQueued(queue="support", position=1), 1),
    (p.PartnerCallAnswered(agent="Agent/101", wait_milliseconds=4000), 5),
    (p.PartnerCallEnded(ended_by=EndedBy.CALLER, talk_milliseconds=27_000), 32),
)
_ORDER: Sequence[tuple[Any, int]] = (
    (
        p.PartnerOrderRequested(
            subscriber_no="100200",
            device_type="digital",
            demand_type="test",
            content="No picture.",
            appointment=Appointment(_NOON, _NOON + timedelta(hours=2)),
        ),
        0,
    ),
    (p.PartnerOrderUrgeRequested(reason="The subscriber has called again."), 3600),
    (p.PartnerOrderCancelRequested(reason="The picture is back."), 7200),
)
_OUTAGE: Sequence[tuple[Any, int]] = (
    (p.PartnerOutageReported(territories=("chengdong",), cause="A cable is cut.", restore_by=_NOON), 0),
    (p.PartnerOutageRestoreTimeChanged(restore_by=_NOON + timedelta(hours=1)), 600),
    (p.PartnerOutageRestored(), 9000),
)
_SUBSCRIBER: Sequence[tuple[Any, int]] = (
    (p.PartnerSubscriberChanged(subscriber_no="100200", phones=("+8613800001111",)), 0),
)
_REPLAY: Sequence[tuple[Any, int]] = ((p.PartnerReplayRequested(since=_AT - timedelta(days=1)), 0),)
_SAID: Mapping[ExampleKind, tuple[str, Sequence[tuple[Any, int]]]] = {
    ExampleKind.CALL: ("call-1", _CALL),
    ExampleKind.ORDER: ("PO-1", _ORDER),
    ExampleKind.OUTAGE: ("outage-1", _OUTAGE),
    ExampleKind.SUBSCRIBER: ("subscriber:100200", _SUBSCRIBER),
    ExampleKind.REPLAY: ("replay-1", _REPLAY),
}


def example_of(kind: ExampleKind) -> list[Message]:
    """The events of an example, in the order in which they are sent."""
    subject, said = _SAID[kind]
    return [
        new_partner_message(
            body,
            partner_id="pbx",
            event_id=f"{subject}-{number}",
            subject=subject,
            occurred_at=_AT + timedelta(seconds=seconds),
        )
        for number, (body, seconds) in enumerate(said, start=1)
    ]
