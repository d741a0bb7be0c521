"""What a caller may read when an external reference belongs to an order already."""

from chassis.database import Statements
from custody.record import ExternalReferenceTaken, find_tracked
from intake.scope_store import Scope, visible_orders


async def as_seen(taken: ExternalReferenceTaken, statements: Statements, scope: Scope) -> ExternalReferenceTaken:
    """The refusal as the caller may read it: without id and number of an order that they may not see."""
    order_id = taken.context["order_id"]
    return taken if await visible_orders(statements, [order_id], scope) else _without_order(taken)


async def as_partner_sees(
    taken: ExternalReferenceTaken, statements: Statements, partner_id: str
) -> ExternalReferenceTaken:
    """The same for a partner, who may see the orders that it asked for itself."""
    order_id = taken.context["order_id"]
    tracked = await find_tracked(statements, order_id) if order_id is not None else None
    is_own = tracked is not None and (tracked.order.created.by.role, tracked.order.created.by.sub) == (
        "partner",
        partner_id,
    )
    return taken if is_own else _without_order(taken)


def _without_order(taken: ExternalReferenceTaken) -> ExternalReferenceTaken:
    reference = taken.context["external_reference"]
    return ExternalReferenceTaken(external_reference=reference, order_id=None, order_no=None)
