"""Rows of calls and of what is known about them. A call's row is locked while facts are added to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec

from chassis.database import Statements, Transaction
from contracts import calls as c
from contracts import partners as p
from contracts.catalogue import BY_BODY, BY_TYPE
from intake.calls.domain.facts import Summary
from intake.calls.domain.legs import Agent, KnownFact
from intake.calls.domain.refusals import CallNotFound
from intake.scope_store import Scope, sees_call


async def can_see_call(statements: Statements, call_id: str, scope: Scope) -> bool:
    return await statements.fetchval(
        f"select exists (select from calls where id = $1 and {sees_call('$2', '$3')})",
        call_id,
        scope.sub,
        scope.area_list,
    )


async def require_call(statements: Statements, call_id: str, scope: Scope) -> None:
    """Raises `CallNotFound`, also for a call that the caller may not see."""
    if not await can_see_call(statements, call_id, scope):
        raise CallNotFound(call_id=call_id)


_DECODERS = {
    name: msgspec.json.Decoder(entry.body)
    for name, entry in BY_TYPE.items()
    if issubclass(entry.body, c.Fact | p.PartnerCallEvent)
}


@dataclass(slots=True, kw_only=True)
class KnownCall:
    """A call as it is stored, with everything that is known of it."""

    id: str
    partner_id: str | None = None
    reference: str | None = None
    subscriber_id: str | None = None
    demand_type: str | None = None
    version: int = 0
    facts: list[KnownFact] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    """Ids of the facts that have to be written."""

    def put(self, fact: KnownFact) -> None:
        """Adds a fact, or puts it in the place of the one with its id."""
        places = {known.fact_id: place for place, known in enumerate(self.facts)}
        if fact.fact_id in places:
            self.facts[places[fact.fact_id]] = fact
        else:
            self.facts.append(fact)
        self.changed.add(fact.fact_id)


async def lock_calls(tx: Transaction, ids: Iterable[str]) -> dict[str, KnownCall]:
    """The calls of these ids that are known, with their facts; locked in the order of ids."""
    wanted = sorted(set(ids))
    rows = await tx.fetch(
        "select id, partner_id, reference, subscriber_id, demand_type, version from calls"
        " where id = any($1) order by id for update",
        wanted,
    )
    calls = {row["id"]: KnownCall(**dict(row)) for row in rows}
    await _add_facts(tx, calls)
    return calls


async def find_call(statements: Statements, call_id: str) -> KnownCall | None:
    row = await statements.fetchrow(
        "select id, partner_id, reference, subscriber_id, demand_type, version from calls where id = $1", call_id
    )
    if row is None:
        return None
    calls = {call_id: KnownCall(**dict(row))}
    await _add_facts(statements, calls)
    return calls[call_id]


async def _add_facts(statements: Statements, calls: Mapping[str, KnownCall]) -> None:
    if not calls:
        return
    rows = await statements.fetch(
        """select call_id, fact_id, event_id, occurred_at, received_at, type, said, revision, published, published_type
           from call_facts where call_id = any($1) order by place""",
        list(calls),
    )
    for row in rows:
        calls[row["call_id"]].facts.append(
            KnownFact(
                fact_id=row["fact_id"],
                event_id=row["event_id"],
                occurred_at=row["occurred_at"],
                received_at=row["received_at"],
                said=_DECODERS[row["type"]].decode(row["said"]),
                revision=row["revision"],
                published=_DECODERS[row["published_type"]].decode(row["published"]),
            )
        )


_CALL = """id, version, partner_id, reference, subscriber_id, demand_type, direction, channel, state, started_at,
           answered_at, ended_at, queue, agent_id, team, line, caller, wait_milliseconds, talk_milliseconds,
           earlier_agent_ids, earlier_queues, changed_at"""
_NAMES = [name.strip() for name in _CALL.split(",")]
_TIMES = ("started_at", "answered_at", "ended_at", "changed_at")
_NUMBERS = {"version": "int", "wait_milliseconds": "bigint", "talk_milliseconds": "bigint"}
_LISTS = ("earlier_agent_ids", "earlier_queues")
_TYPES = [_NUMBERS.get(name, "timestamptz" if name in _TIMES else "text") for name in _NAMES]
_TYPED = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(_TYPES, start=1))
# An array of arrays must be rectangular: lists travel as JSON.
_GIVEN = ", ".join(
    f"case when {name} is not null then array(select json_array_elements_text({name}::json)) end"
    if name in _LISTS
    else name
    for name in _NAMES
)
_SAVE_CALLS = f"""
insert into calls ({_CALL}) select {_GIVEN} from unnest({_TYPED}) as changed ({_CALL})
on conflict (id) do update set ({", ".join(_NAMES[1:])}) = ({", ".join("excluded." + name for name in _NAMES[1:])})
"""
_SAVE_FACTS = """
insert into call_facts (call_id, fact_id, event_id, type, occurred_at, received_at, said, revision, published,
                        published_type)
select call_id, fact_id, event_id, type, occurred_at, received_at, said, revision, published, published_type
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::json[],
            $8::int[], $9::json[], $10::text[]) with ordinality
    as changed (call_id, fact_id, event_id, type, occurred_at, received_at, said, revision, published, published_type,
                nth)
order by nth
on conflict (call_id, fact_id) do update set event_id = excluded.event_id, type = excluded.type,
    occurred_at = excluded.occurred_at, received_at = excluded.received_at, said = excluded.said,
    revision = excluded.revision, published = excluded.published, published_type = excluded.published_type
"""


async def save_calls(tx: Transaction, calls: Sequence[tuple[KnownCall, Summary]], *, now: datetime) -> None:
    """Writes calls whose facts have all been published."""
    if not calls:
        return
    rows = [_row(call, summary, now) for call, summary in sorted(calls, key=lambda pair: pair[0].id)]
    await tx.execute(_SAVE_CALLS, *(list(column) for column in zip(*rows, strict=True)))
    facts = [_fact_row(call.id, fact) for call, _ in calls for fact in call.facts if fact.fact_id in call.changed]
    if facts:
        await tx.execute(_SAVE_FACTS, *(list(column) for column in zip(*facts, strict=True)))


_summary_values = attrgetter(*(one.name for one in fields(Summary)))


def _row(call: KnownCall, summary: Summary, now: datetime) -> tuple[Any, ...]:
    known = (call.id, call.version, call.partner_id, call.reference, call.subscriber_id, call.demand_type)
    return (*known, *map(_column, _summary_values(summary)), now)


def _column(value: Any) -> Any:
    if isinstance(value, tuple):
        # Most calls have one leg; the index has only those that were somebody else's before.
        return msgspec.json.encode(value).decode() if value else None
    return str(value) if isinstance(value, str) else value


def _fact_row(call_id: str, fact: KnownFact) -> tuple[Any, ...]:
    assert fact.published is not None
    return (
        call_id,
        fact.fact_id,
        fact.event_id,
        BY_BODY[type(fact.said)].type,
        fact.occurred_at,
        fact.received_at,
        msgspec.json.encode(fact.said).decode(),
        fact.revision,
        msgspec.json.encode(fact.published).decode(),
        BY_BODY[type(fact.published)].type,
    )


async def agents_of(statements: Statements, partner_id: str, names: Iterable[str]) -> dict[str, Agent]:
    """The agents among those whom the partner names, by the partner's names."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    rows = await statements.fetch(
        """select agent_names.name, agents.id, agents.team from agent_names join agents on agents.id = agent_id
           where partner_id = $1 and agent_names.name = any($2)""",
        partner_id,
        wanted,
    )
    return {row["name"]: Agent(row["id"], row["team"]) for row in rows}


async def agents_by_id(statements: Statements, ids: Iterable[str]) -> dict[str, Agent]:
    """The same for what is said here: our own people go by their own ids."""
    rows = await statements.fetch("select id, team from agents where id = any($1)", sorted(set(ids)))
    return {row["id"]: Agent(row["id"], row["team"]) for row in rows}


async def subscribers_by_phone(statements: Statements, phones: Iterable[str]) -> dict[str, str]:
    """Whose phone each number is; a number of several subscribers, or of none, is left out."""
    wanted = sorted(set(phones))
    if not wanted:
        return {}
    rows = await statements.fetch(
        """select phone, min(id) as id from unnest($1::text[]) as phone
               join subscribers on phones && same_number(phone) group by phone having count(*) = 1""",
        wanted,
    )
    return {row["phone"]: row["id"] for row in rows}


def revised(fact: KnownFact, body: c.CallFact) -> KnownFact:
    """The fact as it is said now."""
    revision = fact.revision + 1
    said = body if body.revision == revision else replace(body, revision=revision)
    return replace(fact, revision=revision, published=said)
