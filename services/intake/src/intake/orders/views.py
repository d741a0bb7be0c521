"""Reads: look-up, history, requests, the subscriber of an order."""

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from chassis.database import Database, Statements
from chassis.request_context import RequestContext
from chassis.wait_for_version import NotCaughtUp, caught_up
from contracts.catalogue import BY_BODY
from contracts.links import WorkOrderLinked, WorkOrderUnlinked
from contracts.refusals import NotFound
from contracts.sealing import SealedText
from intake.orders.contacts_store import contacts_of
from intake.scope_store import Scope, scope_of, visible_orders
from intake.subscribers import store as subscribers_store
from intake.subscribers.domain import as_seen_by
from intake.subscribers.views import SubscriberOfOrder
from work_orders.clocks_shown import ShownClocks
from work_orders.commit import WorkOrderNotFound, find_stored_order, may_see
from work_orders.sealing import Opening, opening_for
from work_orders.search import Search
from work_orders.views import most_recent


class RequestNotFound(NotFound):
    """There is no request {request_id} that you may see."""

    zh = "没有您可以查看的请求 {request_id}。"


class RequestToCustodian(BaseModel):
    id: str
    order_id: str
    kind: Literal["cancel", "urge", "extend", "amend", "recall", "supervise", "reopen"]
    reason: str
    state: Literal["pending", "granted", "refused"]
    asked_by: str
    asked_at: datetime
    answered_at: datetime | None
    refusal: dict[str, Any] | None
    sealed_text: SealedText | None = None


class HistoryEntry(BaseModel):
    id: str
    type: str
    order_version: int | None
    occurred_at: datetime
    recorded_at: datetime
    service: str
    actor_sub: str
    actor_role: str
    actor_name: str
    data: dict[str, Any]
    sealed_text: SealedText | None = None


async def look_up(
    db: Database,
    search: Search,
    phone: str | None,
    opening: Opening,
    clocks: ShownClocks,
    *,
    cursor: str | None,
    limit: int,
) -> bytes:
    """A page of orders; a phone stands for the subscribers who have it."""
    async with db.statements() as statements:
        numbers = await _subscriber_numbers(statements, search.subscriber_nos, phone)
    search = replace(search, subscriber_nos=numbers)
    return await most_recent(db, search, opening, clocks, cursor=cursor, limit=limit)


async def _subscriber_numbers(
    statements: Statements, given: Sequence[str] | None, phone: str | None
) -> Sequence[str] | None:
    """The subscriber numbers to look for, as they are stored; None for any."""
    numbers: Sequence[str] | None = None
    if given:
        numbers = await subscribers_store.subscriber_numbers(statements, given[0]) or given
    if phone is None:
        return numbers
    of_phone = await subscribers_store.numbers_of_phone(statements, phone)
    return of_phone if numbers is None else [number for number in numbers if number in of_phone]


async def history(context: RequestContext, order_id: str, at_least: int | None) -> list[HistoryEntry]:
    """Every message of an order, oldest first, but for links to orders that the caller may not see.

    Raises `WorkOrderNotFound` or `NotCaughtUp`.
    """
    scope = scope_of(context)

    async def read():
        async with context.db.statements() as statements:
            stored = await find_stored_order(statements, order_id)
            rows = await statements.fetch(
                """select message_id as id, type, order_version, occurred_at, recorded_at, service,
                       actor_sub, actor_role, actor_name, data
                   from order_history where order_id = $1 order by place""",
                order_id,
            )
            hidden = await _foreign_links(statements, rows, scope)
        return stored, [row for row in rows if _link_of(row) not in hidden]

    def has_come(found) -> bool:
        return at_least is None or any((row["order_version"] or 0) >= at_least for row in found[1])

    seconds = context.settings.catch_up_seconds
    stored, rows = found = await caught_up(read, has_come, wakeup=context.wakeup, seconds=seconds, key=order_id)
    if stored is None or not may_see(stored.order, scope.areas):
        raise WorkOrderNotFound(order_id=order_id)
    if not has_come(found):
        raise NotCaughtUp(subject=order_id, expected=at_least)
    opening = opening_for(context.request)
    opened = await opening.texts([(order_id, row["data"]) for row in rows], waits=at_least is not None)
    return [
        HistoryEntry.model_validate({**row, "data": json.loads(data), "sealed_text": why})
        for row, (data, why) in zip(rows, opened, strict=True)
    ]


_LINKED, _UNLINKED = (BY_BODY[body].type for body in (WorkOrderLinked, WorkOrderUnlinked))


def _link_of(row: Mapping[str, Any]) -> str | None:
    """The link that an entry of a history is about, if it is about one."""
    return json.loads(row["data"])["link_id"] if row["type"] in (_LINKED, _UNLINKED) else None


async def _foreign_links(statements: Statements, rows: Sequence[Mapping[str, Any]], scope: Scope) -> AbstractSet[str]:
    """Those of the links in a history that tie the order to one that the caller may not see."""
    if scope.areas is None:
        return frozenset()
    others = {}
    for row in rows:
        if row["type"] == _LINKED and (other := json.loads(row["data"]).get("other_order_id")) is not None:
            others[_link_of(row)] = other
    visible = await visible_orders(statements, others.values(), scope)
    return {link_id for link_id, other in others.items() if other not in visible}


async def request_to_custodian(context: RequestContext, request_id: str) -> RequestToCustodian:
    """Raises `RequestNotFound`."""
    async with context.db.statements() as statements:
        row = await statements.fetchrow("select * from requests where id = $1", request_id)
        stored = await find_stored_order(statements, row["order_id"]) if row else None
    if row is None or stored is None or not may_see(stored.order, context.caller.areas):
        raise RequestNotFound(request_id=request_id)
    said = json.dumps({"reason": row["reason"], "refusal": json.loads(row["refusal"] or "null")})
    ((opened, why),) = await opening_for(context.request).texts([(row["order_id"], said)])
    return RequestToCustodian.model_validate({**row, **json.loads(opened), "sealed_text": why})


async def subscriber_of_order(context: RequestContext, order_id: str) -> SubscriberOfOrder:
    """The order's subscriber as the caller may see them; raises `WorkOrderNotFound`."""
    areas = context.caller.areas
    async with context.db.statements() as statements:
        stored = await find_stored_order(statements, order_id)
        if stored is None or not may_see(stored.order, areas):
            raise WorkOrderNotFound(order_id=order_id)
        subscriber = await subscribers_store.find_subscriber(statements, stored.order.subscriber_id)
        contacts = await contacts_of(statements, stored.order)
    if subscriber is None:
        raise WorkOrderNotFound(order_id=order_id)
    visiting_status = stored.order.status if areas is not None else None
    seen = as_seen_by(subscriber, context.caller.roles, visiting_status=visiting_status)
    shown = [contact.masked() for contact in contacts] if seen.is_masked else contacts
    return SubscriberOfOrder.model_validate({**asdict(seen), "contacts": shown}, from_attributes=True)
