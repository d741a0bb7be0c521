"""Rows of intake as a restored database takes them back, and as a lost topic is filled with them."""

from dataclasses import asdict

from asyncpg import Record

from chassis.database import Transaction
from chassis.row_store import published_of
from intake.reference.domain import OrderType
from intake.tables import ORDER_TYPES

_NUMBERS_LEFT_OUT = 1000


async def skip_used_numbers(tx: Transaction) -> None:
    """No order gets a number that was given before, not even to an order that was lost with the database."""
    await tx.execute(
        """select setval('order_numbers', $1 + greatest(
               (select last_value from order_numbers),
               (select coalesce(max(split_part(order_no, '-', 2)::bigint), 0) from work_orders)))""",
        _NUMBERS_LEFT_OUT,
    )


_TYPE = published_of(ORDER_TYPES)


async def take_back_type(tx: Transaction, kind: str, order_type: OrderType) -> None:
    """A device or demand type as it was published, unless the row is of the same or a later version."""
    await tx.select(_TYPE, {**asdict(order_type), "kind": kind})


async def lock_directory(tx: Transaction) -> tuple[list[Record], list[Record]]:
    """All order types and all agents, locked until the transaction ends."""
    types = await tx.fetch("select * from order_types order by kind, code for update")
    return types, await tx.fetch(
        "select id as agent_id, version, name, team, is_active from agents order by id for update"
    )


async def lock_keys(tx: Transaction, after: str, limit: int) -> list[Record]:
    """Sealing keys by subscriber, with the ground on which a destroyed one was destroyed."""
    return await tx.fetch(
        """select keys.subscriber_id, entity_version, master_key_id, wrapped, ground
           from sealing_keys as keys left join erasures using (subscriber_id)
           where keys.subscriber_id > $1 order by keys.subscriber_id limit $2 for update of keys""",
        after,
        limit,
    )
