"""Calls as they are searched, shown, and put in front of an agent before the first word."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

import msgspec

from chassis.database import Database, Statements
from chassis.paging import from_cursor, moment_of, page_of
from contracts.calls import Direction
from contracts.catalogue import BY_TYPE
from contracts.lifecycle import Status
from intake.calls.domain.refusals import CallNotFound
from intake.calls.store import records
from intake.links.domain.duplicates import CLOSED
from intake.outages import views as outages_views
from intake.scope_store import Scope, led_to_areas, sees_call, visible_orders
from intake.subscribers import store as subscribers_store
from intake.subscribers.domain import SEES_NUMBERS, as_seen_by, mask_name, mask_phone
from intake.tables import CALLS

_CALLS, _CASES, _REFERRALS = "calls", "cases", "referrals"
"""Each list by the name that its cursors carry: those of another would begin anywhere."""
_LAST_CALLS = 10
_OPEN_ORDERS = 20
_HIDDEN = ("version", "changed_at", "is_forgotten")
_SHOWN_AS = {"caller": "calls.caller as phone"} | {
    name: f"coalesce(calls.{name}, '{{}}') as {name}" for name in ("earlier_agent_ids", "earlier_queues")
}
_COLUMNS = [_SHOWN_AS.get(name, f"calls.{name}") for name in (column.name for column in CALLS.c) if name not in _HIDDEN]
_SHOWN = ", ".join([*_COLUMNS, "subscribers.subscriber_no"])
_FROM = "calls left join subscribers on subscribers.id = calls.subscriber_id"


async def call_json(statements: Statements, call_id: str) -> bytes:
    """A call at a glance, as the replies to commands on it show it."""
    row = await statements.fetchrow(f"select {_SHOWN} from {_FROM} where calls.id = $1", call_id)
    assert row is not None
    return msgspec.json.encode(dict(row))


@dataclass(frozen=True, slots=True)
class CallSearch:
    """What calls are looked for by, in the order of the parameters of the query; None does not narrow."""

    subscriber_no: str | None = None
    phone: str | None = None
    agent_id: str | None = None
    queue: str | None = None
    direction: str | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def _search(whose: str) -> str:
    return f"""select {_SHOWN} from {_FROM}
        where ($1::text is null or calls.subscriber_id in (
                   select id from subscribers where subscriber_no = $1 or plain_reference(subscriber_no) = $1))
          and ($2::text is null or calls.caller = any(same_number($2))) and {whose}
          and ($4::text is null or calls.queue = $4 or calls.earlier_queues @> array[$4])
          and ($5::text is null or calls.direction = $5)
          and ($6::text is null or calls.state = $6) and ($7::timestamptz is null or calls.started_at >= $7)
          and ($8::timestamptz is null or calls.started_at < $8)
          and ($9::timestamptz is null or (calls.started_at, calls.id) < ($9, $10))
        order by calls.started_at desc, calls.id desc limit $11"""


_OF_ALL = _search("$3::text is null")
_LATEST = "order by started_at desc, id desc limit $11"
# Each half from its own index: with an `or`, an agent with few calls would be looked for among all of them.
_AGENTS = ("calls.agent_id = $3", "calls.earlier_agent_ids && array[$3::text]")
_OF_AGENT = f"({_search(_AGENTS[0])}) union all ({_search(_AGENTS[1])}) {_LATEST}"
# The same within work areas ($13) for a caller ($12). A call can be in the areas and the caller's own: once is enough.
_SEEN = sees_call("$12", "$13")
_OF_AGENT_WITHIN = " union all ".join(f"({_search(f'{one} and {_SEEN}')})" for one in _AGENTS) + f" {_LATEST}"
_WITHIN = (
    f"calls.id in ({led_to_areas('$13')})",
    "calls.agent_id = $12",
    "calls.earlier_agent_ids @> array[$12::text]",
)
_OF_ALL_WITHIN = " union ".join(f"({_search(f'$3::text is null and {one}')})" for one in _WITHIN) + f" {_LATEST}"


async def calls(
    db: Database, wanted: CallSearch, *, scope: Scope, roles: AbstractSet[str], cursor: str | None, limit: int
) -> dict[str, Any]:
    """A page of the calls that the caller may see, the latest first."""
    after_at, after_id = _place_in(_CALLS, cursor)
    if scope.areas is None:
        sql, within = _OF_ALL if wanted.agent_id is None else _OF_AGENT, ()
    else:
        sql = _OF_ALL_WITHIN if wanted.agent_id is None else _OF_AGENT_WITHIN
        within = (scope.sub, scope.area_list)
    async with db.statements() as statements:
        rows = await statements.fetch(
            sql,
            *astuple(wanted),
            after_at,
            after_id,
            limit + 1,
            *within,
        )
    page = _page(_CALLS, rows, "started_at", limit)
    return page | {"items": [seen(call, roles) for call in page["items"]]}


def _page(name: str, rows: Sequence[Mapping[str, Any]], by: str, limit: int) -> dict[str, Any]:
    items, next_cursor = page_of(name, rows, limit, lambda last: (last[by].isoformat(), last["id"]))
    return {"items": [dict(row) for row in items], "next_cursor": next_cursor}


def _place_in(name: str, cursor: str | None) -> tuple[datetime | None, str]:
    """Behind which row a page begins; raises `CursorBroken` for a cursor of another list."""
    if cursor is None:
        return None, ""
    at, row_id = from_cursor(name, cursor, str, str)
    return moment_of(at), row_id


def seen(call: Mapping[str, Any], roles: AbstractSet[str]) -> dict[str, Any]:
    """The call as these roles see it: a number is whole only for roles that may call it."""
    shown = dict(call)
    if shown.get("phone") and not roles & SEES_NUMBERS:
        shown["phone"] = mask_phone(shown["phone"])
    return shown


async def one_call(statements: Statements, call_id: str, *, scope: Scope, roles: AbstractSet[str]) -> dict[str, Any]:
    """A call with its facts, its record and how it was settled; raises `CallNotFound`."""
    row = await statements.fetchrow(
        f"select {_SHOWN} from {_FROM} where calls.id = $1 and {sees_call('$2', '$3')}",
        call_id,
        scope.sub,
        scope.area_list,
    )
    if row is None:
        raise CallNotFound(call_id=call_id)
    settlements = await settlements_of(statements, call_id)
    orders = await visible_orders(statements, [one["order_id"] for one in settlements], scope)
    facts = await facts_of(statements, call_id)
    return seen(dict(row), roles) | {
        "record": await records.find(statements, call_id),
        "settlements": seen_settlements(settlements, orders, scope.sub),
        "facts": seen_facts(facts, orders, scope.sub),
    }


def seen_settlements(settlements: Sequence[dict[str, Any]], orders: AbstractSet[str], sub: str) -> list[dict[str, Any]]:
    """How a call was settled, for a caller who may see these orders.

    What led to another order is left out. Who did it themselves sees that it is done, without the order.
    """
    shown = (_without_foreign(one, one["settled_by"], orders, sub) for one in settlements)
    return [one for one in shown if one is not None]


def seen_facts(facts: Sequence[dict[str, Any]], orders: AbstractSet[str], sub: str) -> list[dict[str, Any]]:
    """The facts of a call by the same rule: a settlement names the order to which the call led."""
    shown = ((fact, _without_foreign(fact["data"], fact["data"].get("agent_id"), orders, sub)) for fact in facts)
    return [{**fact, "data": data} for fact, data in shown if data is not None]


def _without_foreign(what: dict[str, Any], by: str | None, orders: AbstractSet[str], sub: str) -> dict[str, Any] | None:
    order_id = what.get("order_id")
    if order_id is None or order_id in orders:
        return what
    return {**what, "order_id": None} if by == sub else None


async def facts_of(statements: Statements, call_id: str) -> list[dict[str, Any]]:
    """What became known of a call, by the time at which it happened."""
    rows = await statements.fetch(
        """select fact_id, published_type as type, occurred_at, received_at, revision, published as data
           from call_facts where call_id = $1 order by occurred_at, place""",
        call_id,
    )
    return [{**dict(row), "type": BY_TYPE[row["type"]].type, "data": msgspec.json.decode(row["data"])} for row in rows]


async def settlements_of(statements: Statements, call_id: str) -> list[dict[str, Any]]:
    rows = await statements.fetch("select * from settlements where call_id = $1 order by settled_at, id", call_id)
    return [dict(row) for row in rows]


async def caller_of(statements: Statements, call_id: str, scope: Scope) -> tuple[str | None, str | None]:
    """A call's subscriber and number; raises `CallNotFound`."""
    row = await statements.fetchrow(
        f"select subscriber_id, caller from calls where id = $1 and {sees_call('$2', '$3')}",
        call_id,
        scope.sub,
        scope.area_list,
    )
    if row is None:
        raise CallNotFound(call_id=call_id)
    return row["subscriber_id"], row["caller"]


async def screen_pop(
    statements: Statements,
    *,
    subscriber_id: str | None,
    phone: str | None,
    roles: AbstractSet[str],
    scope: Scope,
) -> dict[str, Any]:
    """Who may be calling, what is open for them, when they called last, and which outages they are inside."""
    rows = await statements.fetch(
        """select id, version, subscriber_no, name, phones, address, kind, zone, territory, notes from subscribers
           where id = $1 or ($1::text is null and phones && same_number($2)) order by id limit 20""",
        subscriber_id,
        phone,
    )
    people = [subscribers_store.to_subscriber(row) for row in rows]
    ids, numbers = [one.id for one in people], [one.subscriber_no for one in people]
    territories = {one.territory for one in people if one.territory}
    outages = await outages_views.open_outages(statements, territories) if territories else []
    return {
        "subscribers": [as_seen_by(one, roles) for one in people],
        "open_orders": await _open_orders(statements, numbers, scope),
        "last_calls": [seen(call, roles) for call in await _last_calls(statements, ids, phone, scope)],
        "open_cases": await _open_cases(statements, ids, phone, scope),
        "outages": outages,
    }


async def _open_orders(statements: Statements, numbers: list[str], scope: Scope) -> list[tuple[str, str]]:
    """Ids and stored JSON, whose texts are still sealed."""
    rows = await statements.fetch(
        """select id, body from work_orders where subscriber_no = any($1) and status <> all($2)
             and ($3::text[] is null or work_area_id = any($3)) order by urgency, due_at, id limit $4""",
        numbers,
        [Status(status).value for status in CLOSED],
        scope.area_list,
        _OPEN_ORDERS,
    )
    return [(row["id"], row["body"]) for row in rows]


async def _last_calls(statements: Statements, ids: list[str], phone: str | None, scope: Scope) -> list[dict[str, Any]]:
    rows = await statements.fetch(
        f"""select {_SHOWN} from {_FROM}
            where (calls.subscriber_id = any($1) or calls.caller = any(same_number($2))) and {sees_call("$4", "$5")}
            order by calls.started_at desc, calls.id desc limit $3""",
        ids,
        phone,
        _LAST_CALLS,
        scope.sub,
        scope.area_list,
    )
    return [dict(row) for row in rows]


async def _open_cases(statements: Statements, ids: list[str], phone: str | None, scope: Scope) -> list[dict[str, Any]]:
    rows = await statements.fetch(
        f"""select cases.* from cases join calls on calls.id = cases.call_id
            where cases.replied_at is null and (calls.subscriber_id = any($1) or calls.caller = any(same_number($2)))
              and {sees_call("$3", "$4")}
            order by cases.reply_by, cases.id limit 20""",
        ids,
        phone,
        scope.sub,
        scope.area_list,
    )
    return [dict(row) for row in rows]


def _of_seen_call(table: str, sub: str, areas: str) -> str:
    return f"exists (select from calls where calls.id = {table}.call_id and {sees_call(sub, areas)})"


_SEEN_OF_CASE = _of_seen_call("cases", "$8", "$9")
_SEEN_OF_REFERRAL = _of_seen_call("referrals", "$5", "$6")


@dataclass(frozen=True, slots=True)
class CaseSearch:
    """What cases are looked for by; None does not narrow."""

    is_open: bool = True
    is_overdue: bool | None = None
    due_before: datetime | None = None
    promised_by: str | None = None


async def cases(db: Database, wanted: CaseSearch, *, scope: Scope, cursor: str | None, limit: int) -> dict[str, Any]:
    """Difficult cases that the caller may see, by the time that was promised, the earliest first."""
    after_at, after_id = _place_in(_CASES, cursor)
    async with db.statements() as statements:
        rows = await statements.fetch(
            f"""select * from cases where (replied_at is null) = $1 and ($2::timestamptz is null or reply_by < $2)
                  and ($3::timestamptz is null or (reply_by, id) > ($3, $4))
                  and ($5::bool is null or (overdue_at is not null) = $5) and ($6::text is null or promised_by = $6)
                  and ($9::text[] is null or {_SEEN_OF_CASE})
                order by reply_by, id limit $7""",
            wanted.is_open,
            wanted.due_before,
            after_at,
            after_id,
            wanted.is_overdue,
            wanted.promised_by,
            limit + 1,
            scope.sub,
            scope.area_list,
        )
    return _page(_CASES, rows, "reply_by", limit)


def seen_case(case: Mapping[str, Any], roles: AbstractSet[str]) -> dict[str, Any]:
    """The case as these roles see it: the contact is whole only for roles that may call."""
    return dict(case) if roles & SEES_NUMBERS else {**case, "contact": mask_phone(case["contact"])}


def seen_record(record: Mapping[str, Any], direction: str, roles: AbstractSet[str]) -> dict[str, Any]:
    """The record of a call as these roles see it: the number that answers an outbound call is the subscriber's."""
    if roles & SEES_NUMBERS:
        return dict(record)
    answered_by = record["answered_by"]
    return {
        **record,
        "caller_name": mask_name(record["caller_name"]),
        "answered_by": mask_phone(answered_by) if direction == Direction.OUTBOUND else answered_by,
    }


async def referrals(db: Database, *, scope: Scope, is_open: bool, cursor: str | None, limit: int) -> dict[str, Any]:
    """What departments were asked about calls that the caller may see, the longest waiting first."""
    after_at, after_id = _place_in(_REFERRALS, cursor)
    async with db.statements() as statements:
        rows = await statements.fetch(
            f"""select * from referrals where (answered_at is null) = $1
                  and ($2::timestamptz is null or (asked_at, id) > ($2, $3))
                  and ($6::text[] is null or {_SEEN_OF_REFERRAL}) order by asked_at, id limit $4""",
            is_open,
            after_at,
            after_id,
            limit + 1,
            scope.sub,
            scope.area_list,
        )
    return _page(_REFERRALS, rows, "asked_at", limit)
