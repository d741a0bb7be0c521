"""What a caller may read when an external reference belongs to an order already."""

from chassis.database import Statements
from intake.scope_store import Scope, visible_orders
from work_orders.commit import ExternalReferenceTaken, find_stored_order


async def as_seen(taken: ExternalReferenceTaken, statements: Statements, scope: Scope) -> ExternalReferenceTaken:
    """The refusal as the caller may read it: without id and number of an order that they may not see."""
    order_id = taken.context["order_id"]
    return taken if await visible_orders(statements, [order_id], scope) else _without_order(taken)


async def as_partner_sees(
    taken: ExternalReferenceTaken, statements: Statements, partner_id: str
) -> ExternalReferenceTaken:
    """The same for a partner, who may see the orders that it asked for itself."""
    order_id = taken.context["order_id"]
    stored = await find_stored_order(statements, order_id) if order_id is not None else None
    is_own = stored is not None and (stored.order.created.by.role, stored.order.created.by.sub) == (
        "partner",
        partner_id,
    )
    return taken if is_own else _without_order(taken)


def _without_order(taken: ExternalReferenceTaken) -> ExternalReferenceTaken:
    reference = taken.context["external_reference"]
    return ExternalReferenceTaken(external_reference=reference, order_id=None, order_no=None)
