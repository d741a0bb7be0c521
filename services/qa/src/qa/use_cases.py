"""What qa does. One function a command; `orders.record` is the only commit on each path."""

from chassis.acts import Answer
from custody.record import Act, Orders
from qa.domain import quality
from qa.domain.quality import AuditWorkOrder


async def submit_for_audit(act: Act, *, orders: Orders) -> Answer:
    tracked = await orders.get_for(act)
    return await orders.record(tracked, quality.submit_for_audit(tracked.order), act, name="submit_for_audit")


async def audit_work_order(command: AuditWorkOrder, act: Act, *, orders: Orders) -> Answer:
    tracked = await orders.get_for(act)
    return await orders.record(tracked, quality.audit(tracked.order, command), act, name="audit")


async def redispatch_work_order(reason: str, act: Act, *, orders: Orders) -> Answer:
    tracked = await orders.get_for(act)
    return await orders.record(tracked, quality.redispatch(tracked.order, reason), act, name="redispatch")


async def archive_work_order(act: Act, *, orders: Orders) -> Answer:
    tracked = await orders.get_for(act)
    return await orders.record(tracked, quality.archive(tracked.order), act, name="archive")
