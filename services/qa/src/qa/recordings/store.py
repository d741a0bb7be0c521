"""Rows of recordings: the facts of their calls, the recordings folded from them, and who has opened which.

Facts are kept by call and fact id, the highest revision of each. Both tables can be rebuilt from `calls`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ARRAY, Text, bindparam, insert, literal_column, select, update

from chassis.database import Database, Query, Statements, Transaction
from chassis.document_store import DocumentStore, condition
from contracts.catalogue import BY_BODY
from contracts.message import Actor, Message
from qa import tables
from qa.recordings.domain.recording import KEPT, Recording, RecordingNotFound, SequencedFact, recordings_of
from qa.store import orders_in_areas

RECORDINGS = DocumentStore(tables.RECORDINGS, Recording, not_found=RecordingNotFound, sort="started_at")

IN_AREAS = condition(
    "exists (select from work_orders w where w.id = any(order_ids) and w.work_area_id = any(:areas))",
    areas=ARRAY(Text),
)
"""Recordings of calls that led to an order of these areas."""

OF_SUBSCRIBERS = "(select id from recordings where body->>'subscriber_id' = any(:subscriber_ids))"
"""SQL for the recordings of calls of some subscribers; as a part of conditions about what belongs to recordings."""

_OPENINGS = tables.RECORDING_OPENINGS
_OPENING = [column for column in _OPENINGS.c if column.name != "id"]
_NOTE_OPENING = Query(insert(_OPENINGS).values({one.name: bindparam(one.name, type_=one.type) for one in _OPENING}))
_OPENINGS_OF = Query(
    select(*(column for column in _OPENING if column.name != "recording_id"))
    .where(_OPENINGS.c.recording_id == bindparam("recording"))
    .order_by(_OPENINGS.c.id.desc())
    .limit(literal_column("200"))
)

_BLANK_OPENINGS = Query(
    update(_OPENINGS)
    .values(note=literal_column("''"))
    .where(
        condition(
            f"recording_id in {OF_SUBSCRIBERS} and note not like 'sealed\\:1\\:%'",
            subscriber_ids=ARRAY(Text),
        )
    )
)

_DECODERS = {BY_BODY[shape].type: msgspec.json.Decoder(shape) for shape in KEPT}


async def keep_facts(tx: Transaction, messages: Sequence[Message]) -> None:
    """Takes facts in; one that is known at this revision or a higher one changes nothing."""
    newest: dict[tuple[str, str], Message] = {}
    for message in messages:
        key = (message.subject, message.body.fact_id)
        if key not in newest or newest[key].body.revision < message.body.revision:
            newest[key] = message
    rows = [
        (*key, one.body.revision, one.entity_version or 0, one.type, one.occurred_at, one.data.decode())
        for key, one in sorted(newest.items())
    ]
    await tx.execute(
        """insert into call_facts (call_id, fact_id, revision, place, type, at, body)
           select * from unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::text[], $6::timestamptz[], $7::json[])
           on conflict (call_id, fact_id) do update set revision = excluded.revision, place = excluded.place,
               type = excluded.type, at = excluded.at, body = excluded.body
           where call_facts.revision < excluded.revision""",
        *(list(column) for column in zip(*rows, strict=True)),
    )


async def fold_again(tx: Transaction, call_ids: Iterable[str]) -> None:
    """Makes the recordings of these calls what their facts say."""
    rows = await tx.fetch(
        """select call_id, type, place, at, body from call_facts where call_id = any($1) and call_id in (
               select call_id from call_facts where call_id = any($1) and type = $2)""",
        sorted(call_ids),
        BY_BODY[KEPT[-1]].type,
    )
    facts: dict[str, list[SequencedFact]] = {}
    for row in rows:
        fact = SequencedFact(at=row["at"], place=row["place"], fact=_DECODERS[row["type"]].decode(row["body"]))
        facts.setdefault(row["call_id"], []).append(fact)
    # A recording named by two calls belongs to the later one; in the order of ids, so that workers queue.
    recordings = {one.id: one for call_id in sorted(facts) for one in recordings_of(call_id, facts[call_id])}
    await RECORDINGS.put_all(tx, [recordings[recording_id] for recording_id in sorted(recordings)])


def own_only(actor: Actor) -> str | None:
    """An agent finds their own recordings; every other role those of all agents (None)."""
    return actor.sub if actor.role == "agent" else None


def own_scope(actor: Actor, areas: Sequence[str] | None) -> dict[str, Any]:
    """The parameters `own` and `areas` of lists of which an agent finds their own."""
    return {"own": own_only(actor), "areas": None if areas is None else list(areas)}


async def get_visible(
    statements: Statements, recording_id: str, actor: Actor, areas: Sequence[str] | None
) -> Recording:
    """The recording if the actor may see it; raises `RecordingNotFound`."""
    found = await RECORDINGS.find(statements, recording_id)
    if found is None or own_only(actor) not in (None, found.agent_id):
        raise RecordingNotFound(id=recording_id)
    if areas is not None and not await orders_in_areas(statements, found.order_ids, areas):
        raise RecordingNotFound(id=recording_id)
    return found


async def subscriber_of(statements: Statements, recording_id: str) -> str | None:
    """Whose call it was, as far as that is known."""
    return await statements.fetchval("select body->>'subscriber_id' from recordings where id = $1", recording_id)


async def subscriber_behind(statements: Statements, table: str, thing_id: str) -> str | None:
    """The same of an evaluation, a review or an appeal: each is about one recording."""
    return await statements.fetchval(
        f"""select recordings.body->>'subscriber_id' from {table} as thing
            join recordings on recordings.id = thing.body->>'recording_id' where thing.id = $1""",
        thing_id,
    )


async def note_opening(tx: Transaction, recording_id: str, *, by: str, at: datetime, purpose: str, note: str) -> None:
    row = {"recording_id": recording_id, "opened_by": by, "opened_at": at, "purpose": purpose, "note": note}
    await tx.select(_NOTE_OPENING, row)


async def openings(db: Database, recording_id: str) -> list[Any]:
    """Who has opened it, latest first, at most the last two hundred."""
    async with db.statements() as statements:
        return await statements.select(_OPENINGS_OF, {"recording": recording_id})


async def blank_openings(tx: Transaction, subscriber_ids: Sequence[str]) -> None:
    """Empties the plain notes on recordings of calls of these subscribers."""
    await tx.select(_BLANK_OPENINGS, {"subscriber_ids": list(subscriber_ids)})
