"""Contacts of orders: whose name and phone were given for an order, beside those of its subscriber.

People's data: intake alone has them, and an erasure of the order's subscriber deletes them.
"""

from dataclasses import dataclass

from chassis.database import Statements
from chassis.unit_of_work import Command
from contracts.order import WorkOrder
from intake.orders.domain.amendment import Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptContact(Contact):
    id: str


async def add_contact(command: Command, contact_id: str, order: WorkOrder, contact: Contact) -> None:
    """The caller holds the order's row and its subscriber's key, so that no erasure passes by."""
    await command.tx.execute(
        """insert into order_contacts (id, order_id, subscriber_id, name, phone, added_by, added_at)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        contact_id,
        order.id,
        order.subscriber_id,
        contact.name,
        contact.phone,
        command.actor.sub,
        command.now,
    )


async def contacts_of(statements: Statements, order: WorkOrder) -> list[KeptContact]:
    """The contacts that the order has had and that are kept, the present one first."""
    ids = [order.contact_id, *(amendment.before.contact_id for amendment in reversed(order.amendments))]
    wanted = list(dict.fromkeys(one for one in ids if one is not None))
    if not wanted:
        return []
    rows = await statements.fetch("select id, name, phone from order_contacts where id = any($1)", wanted)
    kept = {row["id"]: KeptContact(id=row["id"], name=row["name"], phone=row["phone"]) for row in rows}
    return [kept[one] for one in wanted if one in kept]
