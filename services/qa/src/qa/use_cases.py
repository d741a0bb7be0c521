"""What qa does with orders and its rules: one function a command, each on a unit of work."""

from chassis.commands import Reply
from qa.domain import quality
from qa.domain.quality import AuditWorkOrder
from qa.store import put_quality_rules
from work_orders.handling_rules import HANDLING
from work_orders.unit_of_work import OrderUnitOfWork


async def submit_for_audit(order_id: str, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.order(order_id) as command:
        command.record(quality.submit_for_audit(command.order), name="submit_for_audit")
    return command.reply


async def audit_work_order(order_id: str, audit: AuditWorkOrder, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.order(order_id) as command:
        command.record(quality.audit(command.order, audit), name="audit")
    return command.reply


async def redispatch_work_order(order_id: str, reason: str, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.order(order_id) as command:
        command.record(quality.redispatch(command.order, reason), name="redispatch")
    return command.reply


async def archive_work_order(order_id: str, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.order(order_id) as command:
        async with uow.db.statements() as statements:
            rules = (await HANDLING.newest(statements)).rules
        command.record(quality.archive(command.order, rules), name="archive")
    return command.reply


async def set_quality_rules(time_zone: str, *, uow: OrderUnitOfWork) -> Reply:
    """The rules from this moment on; a day that was counted before stays."""
    async with uow.command() as command:
        command.reply_with(await put_quality_rules(command.tx, time_zone, by=command.actor.sub, now=command.now))
    return command.reply
