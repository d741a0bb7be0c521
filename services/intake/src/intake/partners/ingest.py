"""Applies each event of a partner once: to calls, agent states and orders, with an answer to every event.

One batch is one transaction: the ids that are known from then on, the calls, what is published on `calls`, and the
answers on `partner.<id>.out`. A readable but invalid event is refused, and the partner sends it again under another
id; an unreadable event is parked. Callers' numbers are stored only in the row of the call.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chassis import outbox
from chassis.clock import Clock
from chassis.database import Transaction
from chassis.parking import RawRecord
from chassis.sealing import MasterKeys
from chassis.telemetry import METRICS
from contracts import conformance
from contracts.conformance import Checked
from contracts.directory import Names
from contracts.message import Message
from contracts.partner_limits import LONGEST_TEXT
from contracts.partners import (
    Mistake,
    PartnerAgentStateChanged,
    PartnerCallEvent,
    PartnerEventRefused,
    PartnerOrderCancelRequested,
    PartnerOrderRequested,
    PartnerOrderUrgeRequested,
    PartnerOutageReported,
    PartnerOutageRestored,
    PartnerOutageRestoreTimeChanged,
    PartnerReplayRequested,
    PartnerSubscriberChanged,
)
from intake.partners import (
    event_store,
    ingest_agent_states,
    ingest_calls,
    ingest_orders,
    ingest_outages,
    ingest_replays,
    ingest_requests,
    ingest_subscribers,
    store,
)
from intake.partners.batch import PartnerBatch, RefusedMessage
from intake.partners.event_store import KnownEvent
from intake.partners.outgoing import Outgoing, to_partner
from intake.partners.sending import send

_ABOUT_OUTAGES = (PartnerOutageReported, PartnerOutageRestoreTimeChanged, PartnerOutageRestored)


async def ingest(
    messages: Sequence[Message], tx: Transaction, *, partner_id: str, masters: MasterKeys, clock: Clock
) -> None:
    """Ingests a batch: applies what is new and right, and answers each event once."""
    batch = PartnerBatch.of(partner_id, tx, masters, clock.now())
    # An event whose id cannot be remembered is refused each time it comes.
    named = [message for message in messages if _has_name(message) or _is_right(message, batch)]
    right = [message for message in await _new_events(batch, named) if _is_right(message, batch)]
    agents = {name for message in right if (name := getattr(message.body, "agent", None))}
    batch.new_agents = await store.note_unregistered(tx, partner_id, agents, now=batch.now)
    await ingest_calls.ingest(batch, _of_kind(right, PartnerCallEvent))
    await ingest_agent_states.ingest(batch, _of_kind(right, PartnerAgentStateChanged))
    await ingest_orders.ingest(batch, _of_kind(right, PartnerOrderRequested))
    await ingest_requests.ingest(batch, _of_kind(right, PartnerOrderCancelRequested, PartnerOrderUrgeRequested))
    await ingest_outages.ingest(batch, _of_kind(right, *_ABOUT_OUTAGES))
    await ingest_subscribers.ingest(batch, _of_kind(right, PartnerSubscriberChanged))
    await ingest_replays.ingest(batch, _of_kind(right, PartnerReplayRequested))
    await outbox.add(tx, batch.command.messages)
    await _answer(batch)


def _of_kind(messages: Sequence[Message], *kinds: type) -> list[Message]:
    return [message for message in messages if isinstance(message.body, kinds)]


def _has_name(message: Message) -> bool:
    return conformance.is_short(message.id) and conformance.is_short(message.subject)


def _is_right(message: Message, batch: PartnerBatch) -> bool:
    checked = conformance.check_message(message, now=batch.now)
    if checked.code is not None:
        batch.refuse(message, checked.code, *checked.mistakes)
    return checked.code is None


async def _new_events(batch: PartnerBatch, messages: Sequence[Message]) -> list[Message]:
    """Those whose ids were not known; a known id with other content is refused."""
    first: dict[str, Message] = {}
    for message in messages:
        first.setdefault(message.id, message)
    events = [
        KnownEvent(message.id, _fingerprint(message), message.subject, message.type, message.occurred_at)
        for message in first.values()
    ]
    known = await event_store.add_events(batch.tx, batch.partner_id, events, now=batch.now)
    new = []
    for message in messages:
        is_first = first[message.id] is message
        fingerprint = known.get(message.id) if is_first else _fingerprint(first[message.id])
        if is_first and fingerprint is None:
            new.append(message)
        elif fingerprint in (_fingerprint(message), _fingerprint(_without_defaults(message))):
            METRICS.duplicates.inc()
        else:
            batch.refuse(message, conformance.ID_REUSED)
    return new


# A field at its default that older bridges do not write: the event is the same with and without it.
_DEFAULT = b',"holds_reported":false'


def _without_defaults(message: Message) -> Message:
    return replace(message, data=message.data.replace(_DEFAULT, b""))


def _fingerprint(message: Message) -> bytes:
    content = (message.type, message.subject, message.occurred_at.isoformat())
    return hashlib.sha256("\n".join(content).encode() + message.data).digest()[:16]


async def _answer(batch: PartnerBatch) -> None:
    answers = [to_partner(body, subject, batch.now) for subject, body in batch.accepted.items()]
    for refused in batch.refused:
        answers.append(_refusal(refused, batch.now))
        METRICS.refusals.labels(refused.code).inc()
    await send(batch.tx, [Outgoing(batch.partner_id, answer) for answer in answers])
    codes = {one.message.id: one.code for one in batch.refused if one.code != conformance.ID_REUSED}
    await event_store.note_refusals(batch.tx, batch.partner_id, codes)


def _refusal(refused: RefusedMessage, now: datetime) -> Message:
    body = PartnerEventRefused(
        code=refused.code,
        detail=refused.detail,
        event_id=refused.message.id[:LONGEST_TEXT],
        event_type=refused.message.type[:LONGEST_TEXT],
        mistakes=refused.mistakes,
    )
    return to_partner(body, refused.message.subject, now, cause=body.event_id)


async def answer_unreadable(record: RawRecord, tx: Transaction, *, partner_id: str, clock: Clock) -> bool:
    """Answers a record that breaks the contract; False when it is to be parked, or is parked."""
    now = clock.now()
    value = None if record.undecoded else record.value  # an excerpt is not judged
    checked = conformance.check_record(record.key, value, record.headers, partner_id=partner_id, now=now)
    code = checked.code or conformance.MALFORMED
    is_parked = code in conformance.PARKED
    if await _was_answered(record, checked, tx, partner_id, code, now):
        return not is_parked
    subject = _printable(checked.subject) or f"{record.partition}:{record.offset}"
    event_id = _printable(checked.event_id)
    body = PartnerEventRefused(
        code=code,
        detail=conformance.SENTENCES[code],
        event_id=event_id,
        event_type=_printable(checked.event_type),
        mistakes=_undecoded(record) or checked.mistakes,
        partition=record.partition,
        offset=record.offset,
        is_parked=is_parked,
    )
    await send(tx, [Outgoing(partner_id, to_partner(body, subject, now, cause=event_id))])
    METRICS.refusals.labels(code).inc()
    return not is_parked


def _undecoded(record: RawRecord) -> tuple[Mistake, ...]:
    if record.undecoded is None:
        return ()
    reason = record.undecoded.reason
    return (Mistake("", Names(reason, f"消息无法解码：{reason}")),)


def _printable(text: str | None) -> str | None:
    """The text where it can be repeated in an answer, else None."""
    is_printable = text is not None and 0 < len(text) <= LONGEST_TEXT and text.isprintable()
    return text if is_printable else None


async def _was_answered(
    record: RawRecord, checked: Checked, tx: Transaction, partner_id: str, code: str, now: datetime
) -> bool:
    """Whether it was answered before: a batch can be applied twice when workers change."""
    if code in conformance.PARKED:
        return await event_store.is_parked(tx, record.topic, record.partition, record.offset)
    fingerprint = hashlib.sha256(record.value or b"").digest()[:16]
    event = KnownEvent(checked.event_id, fingerprint, checked.subject, checked.event_type, code=code)
    return not await event_store.add_refused_event(tx, partner_id, event, now=now)
