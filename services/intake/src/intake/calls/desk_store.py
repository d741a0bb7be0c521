"""Rows of what agents write about calls, and calls as they are shown."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from chassis.database import Statements, Transaction
from contracts.catalogue import BY_TYPE
from intake.calls.domain.refusals import CaseNotFound, ReferralNotFound

SHOWN_CALL = """calls.id, calls.partner_id, calls.reference, calls.direction, calls.channel, calls.state,
    calls.started_at, calls.answered_at, calls.ended_at, calls.queue, calls.agent_id, calls.team, calls.line,
    calls.caller as phone, calls.wait_milliseconds, calls.talk_milliseconds, calls.subscriber_id, calls.demand_type,
    coalesce(calls.earlier_agent_ids, '{}') as earlier_agent_ids,
    coalesce(calls.earlier_queues, '{}') as earlier_queues, subscribers.subscriber_no"""
FROM_CALLS = "calls left join subscribers on subscribers.id = calls.subscriber_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """What is written about a call by hand."""

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


_RECORD = "organisation, caller_name, caller_position, answered_by, content, remark, handling_opinion, version"


async def record_version(statements: Statements, call_id: str) -> int:
    return await statements.fetchval("select version from call_records where call_id = $1", call_id) or 0


async def find_record(statements: Statements, call_id: str) -> CallRecord | None:
    row = await statements.fetchrow(f"select {_RECORD} from call_records where call_id = $1", call_id)
    return CallRecord(**dict(row)) if row else None


async def put_record(tx: Transaction, call_id: str, record: CallRecord, *, by: str, now: datetime) -> CallRecord:
    await tx.execute(
        f"""insert into call_records (call_id, {_RECORD}, changed_by, changed_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            on conflict (call_id) do update set organisation = excluded.organisation,
                caller_name = excluded.caller_name, caller_position = excluded.caller_position,
                answered_by = excluded.answered_by, content = excluded.content, remark = excluded.remark,
                handling_opinion = excluded.handling_opinion, version = excluded.version,
                changed_by = excluded.changed_by, changed_at = excluded.changed_at""",
        call_id,
        record.organisation,
        record.caller_name,
        record.caller_position,
        record.answered_by,
        record.content,
        record.remark,
        record.handling_opinion,
        record.version + 1,
        by,
        now,
    )
    return replace(record, version=record.version + 1)


async def call_json(statements: Statements, call_id: str) -> bytes:
    """A call at a glance, as its acts answer."""
    row = await statements.fetchrow(f"select {SHOWN_CALL} from {FROM_CALLS} where calls.id = $1", call_id)
    assert row is not None
    return msgspec.json.encode(dict(row))


async def facts_of(statements: Statements, call_id: str) -> list[dict[str, Any]]:
    """What became known of a call, by the time at which it happened."""
    rows = await statements.fetch(
        """select fact_id, published_type as type, occurred_at, received_at, revision, published as data
           from call_facts where call_id = $1 order by occurred_at, place""",
        call_id,
    )
    return [{**dict(row), "type": BY_TYPE[row["type"]].type, "data": msgspec.json.decode(row["data"])} for row in rows]


async def add_settlement(
    tx: Transaction, settlement_id: str, call_id: str, *, by: str, now: datetime, **what: Any
) -> dict[str, Any]:
    known = {"article_id": None, "order_id": None, "order_was_open": False, "referral_id": None, "case_id": None} | what
    names = ("outcome", "article_id", "order_id", "order_was_open", "referral_id", "case_id")
    await tx.execute(
        """insert into settlements (id, call_id, outcome, article_id, order_id, order_was_open, referral_id, case_id,
                                    settled_by, settled_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        settlement_id,
        call_id,
        *(known[name] for name in names),
        by,
        now,
    )
    return {"id": settlement_id, "call_id": call_id, "settled_by": by, "settled_at": now} | {
        name: known[name] for name in names
    }


async def settlements_of(statements: Statements, call_id: str) -> list[dict[str, Any]]:
    rows = await statements.fetch("select * from settlements where call_id = $1 order by settled_at, id", call_id)
    return [dict(row) for row in rows]


async def lock_case(tx: Transaction, case_id: str) -> dict[str, Any]:
    """Raises `CaseNotFound`."""
    row = await tx.fetchrow("select * from cases where id = $1 for update", case_id)
    if row is None:
        raise CaseNotFound(case_id=case_id)
    return dict(row)


async def lock_referral(tx: Transaction, referral_id: str) -> dict[str, Any]:
    """Raises `ReferralNotFound`."""
    row = await tx.fetchrow("select * from referrals where id = $1 for update", referral_id)
    if row is None:
        raise ReferralNotFound(referral_id=referral_id)
    return dict(row)
