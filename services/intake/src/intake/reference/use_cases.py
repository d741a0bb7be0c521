"""Defining a device or demand type."""

from chassis import outbox
from chassis.clock import Clock
from chassis.database import Database
from chassis.wakeup import PUBLISH, Wakeup
from contracts.codec import new_message
from contracts.directory import DemandTypeDefined, DeviceTypeDefined, Names
from contracts.lifecycle import Service
from contracts.message import Actor
from intake.reference import store
from intake.reference.store import OrderType


async def define_order_type(
    kind: str, order_type: OrderType, actor: Actor, *, db: Database, clock: Clock, wakeup: Wakeup
) -> OrderType:
    """Defines a device or demand type and tells everybody."""
    async with db.begin() as tx:
        defined = await store.put_order_type(tx, kind, order_type)
        names = Names(en=defined.name_en, zh=defined.name_zh)
        entity = (
            DeviceTypeDefined(device_type=defined.code, names=names, is_active=defined.is_active)
            if kind == store.DEVICE
            else DemandTypeDefined(demand_type=defined.code, names=names, is_active=defined.is_active)
        )
        message = new_message(
            entity,
            service=Service.INTAKE,
            subject=f"{kind}_type:{defined.code}",
            actor=actor,
            occurred_at=clock.now(),
            recorded_at=clock.now(),
            entity_version=defined.version,
        )
        await outbox.add(tx, [message])
    wakeup.send(PUBLISH)
    return defined
