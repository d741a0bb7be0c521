"""Rows of calls, of what is known about them, and of what agents write. A call's row is locked while it takes facts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Column, DateTime, Integer
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from chassis.database import Statements, Transaction
from chassis.row_store import RowStore
from contracts import calls as c
from contracts import partners as p
from contracts.catalogue import BY_BODY, BY_TYPE
from intake.calls.domain.call import Call
from intake.calls.domain.facts import Summary
from intake.calls.domain.legs import Agent, KnownFact
from intake.calls.domain.refusals import CallNotFound
from intake.calls.domain.settlement import Case, CaseNotFound, Referral, ReferralNotFound, Settlement
from intake.scope_store import Scope, sees_call
from intake.tables import CALL_FACTS, CALL_RECORDS, CALLS, CASES, REFERRALS, SETTLEMENTS

_DECODERS = {
    name: msgspec.json.Decoder(entry.body)
    for name, entry in BY_TYPE.items()
    if issubclass(entry.body, c.Fact | p.PartnerCallEvent)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """What is written about a call by hand."""

    call_id: str
    organisation: str = ""
    caller_name: str = ""
    caller_position: str = ""
    answered_by: str = ""
    """The number that answered."""
    content: str = ""
    remark: str = ""
    handling_opinion: str = ""
    """Of an outbound call."""
    version: int = 0


records = RowStore(CALL_RECORDS, CallRecord, "changed_by", "changed_at")
settlements = RowStore(SETTLEMENTS, Settlement)
referrals = RowStore(REFERRALS, Referral)
cases = RowStore(CASES, Case)


async def lock_case(tx: Transaction, case_id: str, scope: Scope) -> Case:
    """Raises `CaseNotFound`, also for the case of a call that the actor may not see."""
    case = await cases.lock(tx, case_id)
    if case is None or not await can_see_call(tx, case.call_id, scope):
        raise CaseNotFound(case_id=case_id)
    return case


async def lock_referral(tx: Transaction, referral_id: str, scope: Scope) -> Referral:
    """Raises `ReferralNotFound`, also for the referral of a call that the actor may not see."""
    referral = await referrals.lock(tx, referral_id)
    if referral is None or not await can_see_call(tx, referral.call_id, scope):
        raise ReferralNotFound(referral_id=referral_id)
    return referral


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


async def lock_call(tx: Transaction, call_id: str) -> Call:
    """Raises `CallNotFound`."""
    found = await lock_calls(tx, [call_id])
    if call_id not in found:
        raise CallNotFound(call_id=call_id)
    return found[call_id]


async def lock_calls(tx: Transaction, ids: Iterable[str]) -> dict[str, Call]:
    """The calls of these ids that are known, with their facts; locked in the order of ids."""
    rows = await tx.fetch(
        "select id, partner_id, reference, subscriber_id, demand_type, version from calls"
        " where id = any($1) order by id for update",
        sorted(set(ids)),
    )
    calls = {row["id"]: Call(**dict(row)) for row in rows}
    if not calls:
        return calls
    rows = await tx.fetch(
        f"select call_id, {', '.join(_FACT)} from call_facts where call_id = any($1) order by place", list(calls)
    )
    for row in rows:
        calls[row["call_id"]].facts.append(_fact_of(row))
    return calls


def _types(columns: Iterable[Column]) -> str:
    """The columns as parameters of `unnest`. An array of arrays must be rectangular: lists travel as JSON texts."""
    return ", ".join(f"${place}::{_sql_type(column.type)}[]" for place, column in enumerate(columns, start=1))


def _sql_type(kind: TypeEngine) -> str:
    names = {BigInteger: "bigint", Integer: "int", DateTime: "timestamptz", ARRAY: "text"}
    return names.get(type(kind)) or str(kind.compile()).split()[0].lower()


def _given(column: Column) -> str:
    if not isinstance(column.type, ARRAY):
        return column.name
    name = column.name
    return f"case when {name} is not null then array(select json_array_elements_text({name}::json)) end"


def _upsert(columns: Sequence[Column], key: Sequence[str]) -> str:
    """Writes rows given column by column, in the order in which they are given."""
    names = ", ".join(column.name for column in columns)
    changing = [column.name for column in columns if column.name not in key]
    return f"""insert into {columns[0].table.name} ({names})
        select {", ".join(map(_given, columns))}
        from unnest({_types(columns)}) with ordinality as given ({names}, nth) order by nth
        on conflict ({", ".join(key)}) do update
        set ({", ".join(changing)}) = row({", ".join("excluded." + name for name in changing)})"""


# By hand and not by Core: one statement for all calls of a batch, and one for all their facts.
_SUMMARY = tuple(one.name for one in fields(Summary))
_KNOWN = ("id", "version", "partner_id", "reference", "subscriber_id", "demand_type")
_SAVE_CALLS = _upsert([CALLS.c[name] for name in (*_KNOWN, *_SUMMARY, "changed_at")], ["id"])
_FACT = [column.name for column in CALL_FACTS.c if column.name not in ("call_id", "place")]
_SAVE_FACTS = _upsert([CALL_FACTS.c[name] for name in ("call_id", *_FACT)], ["call_id", "fact_id"])
_known_values, _summary_values = attrgetter(*_KNOWN), attrgetter(*_SUMMARY)


async def save_calls(tx: Transaction, calls: Sequence[tuple[Call, Summary]], *, now: datetime) -> None:
    """Writes calls whose facts have all been published."""
    if not calls:
        return
    rows = [
        (*_known_values(call), *map(_column, _summary_values(summary)), now)
        for call, summary in sorted(calls, key=lambda pair: pair[0].id)
    ]
    await tx.execute(_SAVE_CALLS, *map(list, zip(*rows, strict=True)))
    facts = [(call.id, *_fact_row(fact)) for call, _ in calls for fact in call.facts if fact.fact_id in call.changed]
    if facts:
        await tx.execute(_SAVE_FACTS, *map(list, zip(*facts, strict=True)))


def _column(value: Any) -> Any:
    if isinstance(value, tuple):
        # Most calls have one leg; the index has only those that another agent had before.
        return msgspec.json.encode(value).decode() if value else None
    return str(value) if isinstance(value, str) else value


def _fact_row(fact: KnownFact) -> list[Any]:
    assert fact.published is not None
    values = {
        "type": BY_BODY[type(fact.said)].type,
        "said": msgspec.json.encode(fact.said).decode(),
        "published": msgspec.json.encode(fact.published).decode(),
        "published_type": BY_BODY[type(fact.published)].type,
    }
    return [values[name] if name in values else getattr(fact, name) for name in _FACT]


def _fact_of(row: Mapping[str, Any]) -> KnownFact:
    return KnownFact(
        fact_id=row["fact_id"],
        event_id=row["event_id"],
        occurred_at=row["occurred_at"],
        received_at=row["received_at"],
        said=_DECODERS[row["type"]].decode(row["said"]),
        revision=row["revision"],
        published=_DECODERS[row["published_type"]].decode(row["published"]),
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
    """Agents by their own ids, as our own facts name them; one who is not registered is in no team."""
    wanted = sorted(set(ids))
    rows = await statements.fetch("select id, team from agents where id = any($1)", wanted)
    return {name: Agent(name) for name in wanted} | {row["id"]: Agent(row["id"], row["team"]) for row in rows}


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


async def claim_case_to_warn(tx: Transaction, *, now: datetime, minutes: int) -> Case | None:
    """Marks one case as warned whose promised time is near; one that has passed is reported as overdue only."""
    return await _claim(
        tx,
        """update cases set warned_at = $1 where id = (
               select id from cases where replied_at is null and warned_at is null and overdue_at is null
                 and reply_by > $1 and reply_by <= $1::timestamptz + make_interval(mins => $2)
               order by reply_by, id limit 1 for update skip locked
           ) returning *""",
        now,
        minutes,
    )


async def claim_overdue_case(tx: Transaction, *, now: datetime) -> Case | None:
    """Marks one case as overdue whose promised time has passed."""
    return await _claim(
        tx,
        """update cases set overdue_at = $1 where id = (
               select id from cases where replied_at is null and overdue_at is null and reply_by <= $1
               order by reply_by, id limit 1 for update skip locked
           ) returning *""",
        now,
    )


async def _claim(tx: Transaction, sql: str, *arguments: Any) -> Case | None:
    row = await tx.fetchrow(sql, *arguments)
    return cases.row_of(row) if row else None


async def claim_silent_call(tx: Transaction, *, now: datetime, hours: int) -> Call | None:
    """Locks one open call of which nothing was reported for so long."""
    call_id = await tx.fetchval(
        """select id from calls where state in ('offered', 'waiting', 'talking', 'held')
             and changed_at < $1::timestamptz - make_interval(hours => $2)
           order by changed_at, id limit 1 for update skip locked""",
        now,
        hours,
    )
    return await lock_call(tx, call_id) if call_id is not None else None
