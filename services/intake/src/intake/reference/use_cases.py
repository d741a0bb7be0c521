"""Defining device and demand types, and setting the numbers of the desk."""

from chassis.unit_of_work import UnitOfWork
from contracts.directory import DemandTypeDefined, DeviceTypeDefined, Names
from intake.reference import store
from intake.reference.domain import DEVICE, DeskRules, OrderType


async def define_order_type(kind: str, order_type: OrderType, *, uow: UnitOfWork) -> OrderType:
    """Defines a device or demand type and publishes it."""
    async with uow.command() as command:
        defined = await store.define_order_type(command.tx, kind, order_type)
        subject = f"{kind}_type:{defined.code}"
        command.publish(_event(kind, defined), subject=subject, entity_version=defined.version)
    return defined


def _event(kind: str, order_type: OrderType) -> DeviceTypeDefined | DemandTypeDefined:
    names = Names(en=order_type.name_en, zh=order_type.name_zh)
    if kind == DEVICE:
        return DeviceTypeDefined(device_type=order_type.code, names=names, is_active=order_type.is_active)
    return DemandTypeDefined(demand_type=order_type.code, names=names, is_active=order_type.is_active)


async def set_desk_rules(rules: DeskRules, *, uow: UnitOfWork) -> DeskRules:
    async with uow.command() as command:
        return await store.put_desk_rules(command.tx, rules)
