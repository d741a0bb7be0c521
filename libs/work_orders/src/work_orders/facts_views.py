"""The facts about an order as they are shown: in pages, on its form, and in the answer to a report."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from asyncpg import Record

from chassis.database import Database
from chassis.paging import from_cursor, json_page, moment_of, page_of
from contracts.facts import KINDS, FactKind
from contracts.message import Actor, Message
from contracts.sealing import SealedText
from work_orders.commit import WorkOrderNotFound, find_stored_order, may_see
from work_orders.facts_store import COLUMNS
from work_orders.sealing import Opening

_LIST = "facts of an order"
_ON_A_FORM = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFact:
    """What was seen, measured, used or said about an order, beside its events."""

    id: str
    order_id: str
    kind: FactKind
    by: Actor
    occurred_at: datetime
    recorded_at: datetime
    service: str
    data: dict[str, Any]
    sealed_text: SealedText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFactPage:
    items: list[OrderFact]
    next_cursor: str | None


_FACT = msgspec.json.Decoder(OrderFact)


def fact_of(message: Message) -> OrderFact:
    """The fact of a message, with its texts as they travel."""
    return OrderFact(
        id=message.id,
        order_id=message.subject,
        kind=KINDS[type(message.body)],
        by=message.actor,
        occurred_at=message.occurred_at,
        recorded_at=message.recorded_at,
        service=message.service,
        data=msgspec.json.decode(message.data),
    )


async def facts_page(
    db: Database,
    order_id: str,
    opening: Opening,
    *,
    areas: tuple[str, ...] | None,
    cursor: str | None,
    limit: int,
) -> bytes:
    """A page of an order's facts in the order in which they were recorded; raises `WorkOrderNotFound`."""
    place: tuple[Any, ...] = (None, None)
    if cursor is not None:
        recorded_at, fact_id = from_cursor(_LIST, cursor, str, str)
        place = (moment_of(recorded_at), fact_id)
    async with db.statements() as statements:
        stored = await find_stored_order(statements, order_id)
        if stored is None or not may_see(stored.order, areas):
            raise WorkOrderNotFound(order_id=order_id)
        rows = await statements.fetch(
            f"""select {COLUMNS} from order_facts where order_id = $1
                and ($2::timestamptz is null or (recorded_at, id) > ($2, $3::text))
                order by recorded_at, id limit $4""",
            order_id,
            *place,
            limit + 1,
        )
    shown, next_cursor = page_of(_LIST, rows, limit, lambda row: (row["recorded_at"].isoformat(), row["id"]))
    return json_page(await opening.objects([(order_id, _json_of(row)) for row in shown]), next_cursor)


async def latest_facts(db: Database, order_id: str, opening: Opening) -> tuple[OrderFact, ...]:
    """The latest facts about an order, newest first, for its form."""
    async with db.statements() as statements:
        rows = await statements.fetch(
            f"select {COLUMNS} from order_facts where order_id = $1 order by recorded_at desc, id desc limit $2",
            order_id,
            _ON_A_FORM,
        )
    opened = await opening.objects([(order_id, _json_of(row)) for row in rows])
    return tuple(_FACT.decode(text) for text in opened)


def _json_of(row: Record) -> str:
    fact = OrderFact(
        id=row["id"],
        order_id=row["order_id"],
        kind=FactKind(row["kind"]),
        by=Actor(row["actor_sub"], row["actor_role"], row["actor_name"]),
        occurred_at=row["occurred_at"],
        recorded_at=row["recorded_at"],
        service=row["service"],
        data=msgspec.json.decode(row["data"]),
    )
    return msgspec.json.encode(fact).decode()
