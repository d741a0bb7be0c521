"""Rows of what partners sent: the ids that are known, and what was refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.database import Database, Statements, Transaction


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """An event under its id, with a fingerprint of its content."""

    event_id: str | None
    fingerprint: bytes
    subject: str | None
    type: str | None
    occurred_at: datetime | None = None
    code: str | None = None
    """Why it was refused."""


async def add_events(
    tx: Transaction, partner_id: str, events: Sequence[KnownEvent], *, now: datetime
) -> dict[str, bytes]:
    """Adds the events whose ids were not known; the fingerprints of those that were known before, by their ids."""
    rows = await tx.fetch(
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
        partner_id,
        [event.event_id for event in events],
        [event.fingerprint for event in events],
        [event.subject for event in events],
        [event.type for event in events],
        [event.occurred_at for event in events],
        now,
    )
    return {row["event_id"]: row["fingerprint"] for row in rows}


async def add_refused_event(tx: Transaction, partner_id: str, event: KnownEvent, *, now: datetime) -> bool:
    """Adds one that was refused at once; False when its id was known."""
    done = await tx.execute(
        """insert into partner_events (partner_id, event_id, fingerprint, subject, type, received_at, code)
           values ($1, $2, $3, $4, $5, $6, $7) on conflict (partner_id, event_id) do nothing""",
        partner_id,
        event.event_id,
        event.fingerprint,
        event.subject,
        event.type,
        now,
        event.code,
    )
    return done == "INSERT 0 1"


async def note_refusals(tx: Transaction, partner_id: str, codes: Mapping[str, str]) -> None:
    """Notes why events were refused, by their ids."""
    if codes:
        await tx.execute(
            """update partner_events set code = refused.code from unnest($2::text[], $3::text[]) as refused (id, code)
               where partner_id = $1 and event_id = refused.id""",
            partner_id,
            list(codes),
            list(codes.values()),
        )


async def is_parked(tx: Transaction, topic: str, partition: int, offset: int) -> bool:
    return await tx.fetchval(
        'select exists (select from parked where topic = $1 and partition = $2 and "offset" = $3)',
        topic,
        partition,
        offset,
    )


async def pace(db: Database, partner_id: str, count: int) -> float:
    """Counts events against the partner's quota, shared by all workers; how many seconds it is ahead of it."""
    async with db.statements() as statements:
        left = await statements.fetchval(
            """update partners set paced_until = greatest(paced_until, now()) + interval '1 second' * $2
                   / events_per_second
               where id = $1 returning extract(epoch from paced_until - now())""",
            partner_id,
            count,
        )
    return float(left or 0)


_LATEST_MICROSECONDS = 250_000_000_000_000_000


async def refused_events(
    statements: Statements, partner_id: str, *, after: tuple[int, str], limit: int
) -> list[dict[str, Any]]:
    """What was refused to a partner behind a place: microseconds since 1970, and an event id."""
    rows = await statements.fetch(
        """select event_id, subject, type, occurred_at, received_at, code,
                  (extract(epoch from received_at) * 1000000)::bigint as place
           from partner_events where partner_id = $1 and code is not null
             and (received_at, event_id) > (timestamptz 'epoch' + $2::bigint * interval '1 microsecond', $3)
           order by received_at, event_id limit $4""",
        partner_id,
        min(max(after[0], 0), _LATEST_MICROSECONDS),
        after[1],
        limit,
    )
    return [dict(row) for row in rows]
