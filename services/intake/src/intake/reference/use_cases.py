"""Defining device and demand types, and setting the numbers of the desk."""

from chassis.unit_of_work import UnitOfWork
from intake.reference import store
from intake.reference.domain import DeskRules, OrderType, definition


async def define_order_type(kind: str, order_type: OrderType, *, uow: UnitOfWork) -> OrderType:
    """Defines a device or demand type and publishes it."""
    async with uow.command() as command:
        defined = await store.define_order_type(command.tx, kind, order_type)
        subject = f"{kind}_type:{defined.code}"
        command.publish(definition(kind, defined), subject=subject, entity_version=defined.version)
    return defined


async def set_desk_rules(rules: DeskRules, *, uow: UnitOfWork) -> DeskRules:
    async with uow.command() as command:
        return await store.put_desk_rules(command.tx, rules)
