"""Rows of recordings: the facts of their calls, the recordings folded from them, and who has opened which.

Facts are kept by call and fact id, the highest revision of each. Both tables can be made anew from `calls`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from chassis.database import Database, Statements, Transaction
from contracts.catalogue import BY_BODY
from contracts.message import Actor, Message
from qa.recordings.domain.recording import KEPT, KnownFact, Recording, RecordingNotFound, recordings_of
from qa.shelf import Column, Page, Shelf

RECORDINGS = Shelf(
    "recordings",
    Recording,
    {
        "call_id": Column("text", lambda one: one.call_id),
        "agent_id": Column("text", lambda one: one.agent_id),
        "team": Column("text", lambda one: one.team),
        "queue": Column("text", lambda one: one.queue),
        "channel": Column("text", lambda one: one.channel),
        "demand_type": Column("text", lambda one: one.demand_type),
        "order_ids": Column("text[]", lambda one: list(one.order_ids)),
        "started_at": Column("timestamptz", lambda one: one.started_at),
    },
    not_found=RecordingNotFound,
    sort="started_at",
)

IN_AREAS = "exists (select from work_orders w where w.id = any(order_ids) and w.work_area_id = any($1::text[]))"
"""Of a caller whose token names areas: recordings of calls that led to an order of these."""

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
    facts: dict[str, list[KnownFact]] = {}
    for row in rows:
        fact = KnownFact(at=row["at"], place=row["place"], fact=_DECODERS[row["type"]].decode(row["body"]))
        facts.setdefault(row["call_id"], []).append(fact)
    # A recording named by two calls belongs to the later one; in the order of ids, so that workers queue.
    found = {one.id: one for call_id in sorted(facts) for one in recordings_of(call_id, facts[call_id])}
    if found:
        rows = [_values(found[recording_id]) for recording_id in sorted(found)]
        await tx.execute(_PUT, *(list(column) for column in zip(*rows, strict=True)))


# An array of arrays must be rectangular: the orders of each recording travel as JSON.
_PUT = """
insert into recordings (id, version, body, call_id, agent_id, team, queue, channel, demand_type, order_ids, started_at)
select id, 1, body, call_id, agent_id, team, queue, channel, demand_type,
    array(select json_array_elements_text(order_ids)), started_at
from unnest($1::text[], $2::json[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::json[], $10::timestamptz[])
    as found (id, body, call_id, agent_id, team, queue, channel, demand_type, order_ids, started_at)
order by id
on conflict (id) do update set body = excluded.body, call_id = excluded.call_id, agent_id = excluded.agent_id,
    team = excluded.team, queue = excluded.queue, channel = excluded.channel, demand_type = excluded.demand_type,
    order_ids = excluded.order_ids, started_at = excluded.started_at
"""


def _values(one: Recording) -> tuple[Any, ...]:
    return (
        one.id,
        msgspec.json.encode(one).decode(),
        one.call_id,
        one.agent_id,
        one.team,
        one.queue,
        one.channel,
        one.demand_type,
        msgspec.json.encode(one.order_ids).decode(),
        one.started_at,
    )


def own_only(actor: Actor) -> str | None:
    """An agent finds their own recordings; every other role those of all agents (None)."""
    return actor.sub if actor.role == "agent" else None


async def get_visible(
    statements: Statements, recording_id: str, actor: Actor, areas: Sequence[str] | None
) -> Recording:
    """The recording if the actor may see it; raises `RecordingNotFound`."""
    found = await RECORDINGS.find(statements, recording_id)
    if found is None or own_only(actor) not in (None, found.agent_id):
        raise RecordingNotFound(id=recording_id)
    if areas is not None:
        condition = IN_AREAS.replace("order_ids", "$2::text[]")
        if not await statements.fetchval(f"select {condition}", list(areas), list(found.order_ids)):
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


async def note_opening(tx: Transaction, recording_id: str, *, by: str, at: Any, purpose: str, note: str) -> None:
    await tx.execute(
        """insert into recording_openings (recording_id, opened_by, opened_at, purpose, note)
           values ($1, $2, $3, $4, $5)""",
        recording_id,
        by,
        at,
        purpose,
        note,
    )


async def openings(db: Database, recording_id: str) -> list[Any]:
    """Who has opened it, latest first, at most the last two hundred."""
    async with db.statements() as statements:
        return await statements.fetch(
            """select opened_by, opened_at, purpose, note from recording_openings where recording_id = $1
               order by id desc limit 200""",
            recording_id,
        )


async def page(db: Database, wanted: Page) -> bytes:
    return await RECORDINGS.page(db, wanted)
