"""What partners say, taken once each: into calls, agent states and orders, with an answer to everything.

One batch is one transaction: the ids that are known from then on, the calls, what is published on `calls`, and the
answers on `partner.<id>.out`. What is wrong but readable is refused, and the partner sends it anew under another
id; what cannot be read is parked. Nobody's number goes any further than the row of the call.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chassis import outbox
from chassis.clock import Clock, SystemClock
from chassis.database import Database, Transaction
from chassis.parking import RawRecord
from chassis.sealing import MasterKeys
from chassis.subscription import Subscription
from chassis.telemetry import METRICS
from contracts import conformance
from contracts.codec import new_message
from contracts.conformance import Checked
from contracts.directory import Names
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.partners import (
    Mistake,
    PartnerAgentStateChanged,
    PartnerCallEvent,
    PartnerEventRefused,
    PartnerOrderRequested,
)
from contracts.topics import PARTNER_IN, PARTNER_OUT, topic_of_partner
from intake.partners import ingest_agent_states, ingest_calls, ingest_orders, store
from intake.partners.batch import Taking

_INTAKE = Actor("intake", "service")
_MOST_RECORDS = 1000
_LONGEST_REST_SECONDS = 2


async def take(
    messages: Sequence[Message], tx: Transaction, *, partner_id: str, masters: MasterKeys, clock: Clock
) -> None:
    """Takes a batch: applies what is new and right, and answers each event once."""
    taking = Taking(tx, partner_id, masters, clock.now())
    # What has no name that can be remembered is refused each time it comes.
    named = [message for message in messages if _has_name(message) or _is_right(message, taking)]
    fresh = await _fresh(taking, named)
    right = [message for message in fresh if _is_right(message, taking)]
    taking.new_agents = await store.note_unregistered(
        tx, partner_id, {name for one in right if (name := getattr(one.body, "agent", None))}, now=taking.now
    )
    await ingest_calls.take(taking, [one for one in right if isinstance(one.body, PartnerCallEvent)])
    await ingest_agent_states.take(taking, [one for one in right if isinstance(one.body, PartnerAgentStateChanged)])
    await ingest_orders.take(taking, [one for one in right if isinstance(one.body, PartnerOrderRequested)])
    await outbox.add(tx, taking.published)
    await _answer(taking)


def _has_name(message: Message) -> bool:
    return conformance.is_short(message.id) and conformance.is_short(message.subject)


def _is_right(message: Message, taking: Taking) -> bool:
    checked = conformance.check_message(message, now=taking.now)
    if checked.code is not None:
        taking.refuse(message, checked.code, *checked.mistakes)
    return checked.code is None


async def _fresh(taking: Taking, messages: Sequence[Message]) -> list[Message]:
    """Those whose ids were not known; a known id with other content is refused."""
    first: dict[str, Message] = {}
    for message in messages:
        first.setdefault(message.id, message)
    known = await _remember(taking, list(first.values()))
    fresh = []
    for message in messages:
        is_first = first[message.id] is message
        fingerprint = known.get(message.id) if is_first else _fingerprint(first[message.id])
        if is_first and fingerprint is None:
            fresh.append(message)
        elif fingerprint in (_fingerprint(message), _fingerprint(_as_before(message))):
            METRICS.duplicates.inc()
        else:
            taking.refuse(message, conformance.ID_REUSED)
    return fresh


# A field at its default that bridges did not write before it was there: the event is the same with and without it.
_LATER = b',"holds_reported":false'


def _as_before(message: Message) -> Message:
    return replace(message, data=message.data.replace(_LATER, b""))


def _fingerprint(message: Message) -> bytes:
    said = (message.type, message.subject, message.occurred_at.isoformat())
    return hashlib.sha256("\n".join(said).encode() + message.data).digest()[:16]


async def _remember(taking: Taking, messages: Sequence[Message]) -> dict[str, bytes]:
    """Notes the ids; returns the fingerprints of those that were known before."""
    rows = await taking.tx.fetch(
        """with asked as (
               select * from unnest($2::text[], $3::bytea[], $4::text[], $5::text[], $6::timestamptz[])
                   as message (event_id, fingerprint, subject, type, occurred_at)
           ), new as (
               insert into partner_events (partner_id, event_id, fingerprint, subject, type, occurred_at, received_at)
               select $1, event_id, fingerprint, subject, type, occurred_at, $7 from asked order by event_id
               on conflict (partner_id, event_id) do nothing returning event_id
           )
           select known.event_id, known.fingerprint from partner_events as known join asked using (event_id)
           where known.partner_id = $1 and known.event_id not in (select event_id from new)""",
        taking.partner_id,
        [message.id for message in messages],
        [_fingerprint(message) for message in messages],
        [message.subject for message in messages],
        [message.type for message in messages],
        [message.occurred_at for message in messages],
        taking.now,
    )
    return {row["event_id"]: row["fingerprint"] for row in rows}


async def _answer(taking: Taking) -> None:
    answers = [_to_partner(body, subject, taking.now) for subject, body in taking.accepted.items()]
    for refused in taking.refused:
        message = refused.message
        body = PartnerEventRefused(
            code=refused.code,
            detail=refused.detail,
            event_id=message.id[: conformance.LONGEST_TEXT],
            event_type=message.type[: conformance.LONGEST_TEXT],
            mistakes=refused.mistakes,
        )
        answers.append(_to_partner(body, message.subject, taking.now, cause=body.event_id))
        METRICS.refusals.labels(refused.code).inc()
    await outbox.add(taking.tx, answers, topic_of_partner(PARTNER_OUT, taking.partner_id))
    reasons = {one.message.id: one.code for one in taking.refused if one.code != conformance.ID_REUSED}
    if reasons:
        await taking.tx.execute(
            """update partner_events set code = refused.code from unnest($2::text[], $3::text[]) as refused (id, code)
               where partner_id = $1 and event_id = refused.id""",
            taking.partner_id,
            list(reasons),
            list(reasons.values()),
        )


def _to_partner(body: object, subject: str, now: datetime, cause: str | None = None) -> Message:
    return new_message(
        body,
        service=Service.INTAKE,
        subject=subject,
        actor=_INTAKE,
        occurred_at=now,
        recorded_at=now,
        causation_id=cause,
    )


async def answer_unreadable(record: RawRecord, tx: Transaction, *, partner_id: str, clock: Clock) -> bool:
    """Answers a record that is not what the contract says; False when it is to be parked, or is parked."""
    now = clock.now()
    value = None if record.undecoded else record.value  # an excerpt is judged for nothing
    checked = conformance.check_record(record.key, value, record.headers, partner_id=partner_id, now=now)
    code = checked.code or conformance.MALFORMED
    is_parked = code == conformance.UNREADABLE
    if not await _is_news(record, checked, tx, partner_id, code, now):
        return not is_parked
    subject = checked.subject if _is_printable(checked.subject) else f"{record.partition}:{record.offset}"
    event_id = checked.event_id if _is_printable(checked.event_id) else None
    body = PartnerEventRefused(
        code=code,
        detail=conformance.SENTENCES[code],
        event_id=event_id,
        event_type=checked.event_type if _is_printable(checked.event_type) else None,
        mistakes=_undecoded(record) or checked.mistakes,
        partition=record.partition,
        offset=record.offset,
        is_parked=is_parked,
    )
    answer = _to_partner(body, subject or "", now, cause=event_id)
    await outbox.add(tx, [answer], topic_of_partner(PARTNER_OUT, partner_id))
    METRICS.refusals.labels(code).inc()
    return not is_parked


def _undecoded(record: RawRecord) -> tuple[Mistake, ...]:
    if record.undecoded is None:
        return ()
    reason = record.undecoded.reason
    return (Mistake("", Names(reason, f"消息无法解码：{reason}")),)


def _is_printable(text: str | None) -> bool:
    return text is not None and 0 < len(text) <= conformance.LONGEST_TEXT and text.isprintable()


async def _is_news(
    record: RawRecord, checked: Checked, tx: Transaction, partner_id: str, code: str, now: datetime
) -> bool:
    """Whether it was not answered before: a batch can be applied twice when workers change."""
    if code == conformance.UNREADABLE:
        return not await tx.fetchval(
            'select exists (select from parked where topic = $1 and partition = $2 and "offset" = $3)',
            record.topic,
            record.partition,
            record.offset,
        )
    done = await tx.execute(
        """insert into partner_events (partner_id, event_id, fingerprint, subject, type, received_at, code)
           values ($1, $2, $3, $4, $5, $6, $7) on conflict (partner_id, event_id) do nothing""",
        partner_id,
        checked.event_id,
        hashlib.sha256(record.value or b"").digest()[:16],
        checked.subject,
        checked.event_type,
        now,
        code,
    )
    return done == "INSERT 0 1"


async def _rest(count: int, db: Database, *, partner_id: str) -> float:
    """For how long the partner's topic is not read: its quota, shared by all workers."""
    async with db.statements() as statements:
        left = await statements.fetchval(
            """update partners set paced_until = greatest(paced_until, now()) + interval '1 second' * $2
                   / events_per_second
               where id = $1 returning extract(epoch from paced_until - now())""",
            partner_id,
            count,
        )
    # A second's worth may come at once: the quota is of a steady flow, not of each moment.
    return max(0.0, float(left or 0) - 1.0)


def subscription_of(
    partner_id: str, masters: MasterKeys, *, events_per_second: int = _MOST_RECORDS, clock: Clock | None = None
) -> Subscription:
    """What intake listens to for a partner."""
    time = clock or SystemClock()

    async def on_events(messages: Sequence[Message], tx: Transaction) -> None:
        await take(messages, tx, partner_id=partner_id, masters=masters, clock=time)

    async def on_unreadable(record: RawRecord, _: str, tx: Transaction) -> bool:
        return await answer_unreadable(record, tx, partner_id=partner_id, clock=time)

    async def pace(count: int, db: Database) -> float:
        return await _rest(count, db, partner_id=partner_id)

    return Subscription(
        topic_of_partner(PARTNER_IN, partner_id),
        on_events,
        answer_unreadable=on_unreadable,
        pace=pace,
        batch_records=max(1, min(_MOST_RECORDS, events_per_second * _LONGEST_REST_SECONDS)),
    )
