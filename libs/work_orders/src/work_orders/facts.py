"""Facts about an order, reported to any service: stored beside the order, published after its earlier messages."""

from chassis.commands import Reply
from contracts.facts import WorkOrderFact
from work_orders import facts_store
from work_orders.commit import WorkOrderNotFound, lock_order, may_see
from work_orders.facts_views import fact_of
from work_orders.sealing import sealed
from work_orders.unit_of_work import OrderUnitOfWork


async def record_fact(order_id: str, fact: WorkOrderFact, *, uow: OrderUnitOfWork) -> Reply:
    """Records a fact about an order that the caller may see, whatever its status and custodian.

    Raises `AlreadyReplied`, `IdempotencyKeyReused`, `WorkOrderNotFound`, and of a fact with free text what
    `sealed` raises.
    """
    order = (await uow.get_visible(order_id)).order
    # Before the transaction: nothing is locked while a key is waited for.
    body = await sealed(fact, uow.sealing_keys, subject=order_id, subscriber_id=order.subscriber_id)
    async with uow.command() as command:
        # The row lock keeps the fact behind what was published of the order before.
        stored = await lock_order(command.tx, order_id)
        if stored is None or not may_see(stored.order, uow.areas):
            raise WorkOrderNotFound(order_id=order_id)
        message = command.origin.message(body, subject=order_id)
        await facts_store.keep(command, message)
        command.reply_with(fact_of(message), status=201)
    return command.reply
