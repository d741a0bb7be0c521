"""What qa does. One function a command; `orders.record` is the only commit on each path."""

from chassis.commands import Reply
from qa.domain import quality
from qa.domain.quality import AuditWorkOrder
from work_orders.commit import OrderCommand, Orders


async def submit_for_audit(act: OrderCommand, *, orders: Orders) -> Reply:
    stored = await orders.get_for(act)
    return await orders.record(stored, quality.submit_for_audit(stored.order), act, name="submit_for_audit")


async def audit_work_order(command: AuditWorkOrder, act: OrderCommand, *, orders: Orders) -> Reply:
    stored = await orders.get_for(act)
    return await orders.record(stored, quality.audit(stored.order, command), act, name="audit")


async def redispatch_work_order(reason: str, act: OrderCommand, *, orders: Orders) -> Reply:
    stored = await orders.get_for(act)
    return await orders.record(stored, quality.redispatch(stored.order, reason), act, name="redispatch")


async def archive_work_order(act: OrderCommand, *, orders: Orders) -> Reply:
    stored = await orders.get_for(act)
    return await orders.record(stored, quality.archive(stored.order), act, name="archive")
