"""What intake takes back from the stream after its database was restored.

Orders, their history and the requests come back. Subscribers do not: no event carries people's data.
"""

from collections.abc import Sequence

from chassis.database import Transaction
from contracts.directory import DemandTypeDefined, DeviceTypeDefined
from contracts.message import Message
from contracts.requests import WorkOrderCancelRequested, WorkOrderExtensionRequested, WorkOrderUrgeRequested
from intake.reference.store import DEMAND, DEVICE

_NUMBERS_LEFT_OUT = 1000
_KINDS = {WorkOrderCancelRequested: "cancel", WorkOrderUrgeRequested: "urge", WorkOrderExtensionRequested: "extend"}


async def take_back_requests(tx: Transaction, messages: Sequence[Message]) -> None:
    """Requests that clients may still ask after; one that was forwarded is the same request."""
    for message in messages:
        kind = _KINDS.get(type(message.body))
        if kind is not None:
            await tx.execute(
                """insert into requests (id, order_id, kind, reason, state, asked_by, asked_at)
                   values ($1, $2, $3, $4, 'pending', $5, $6) on conflict (id) do nothing""",
                message.body.request_id,
                message.subject,
                kind,
                message.body.reason,
                message.actor.sub,
                message.occurred_at,
            )


async def skip_used_numbers(tx: Transaction) -> None:
    """No order gets a number that was given before, not even to an order that was lost with the database."""
    await tx.execute(
        """select setval('order_numbers', $1 + greatest(
               (select last_value from order_numbers),
               (select coalesce(max(split_part(order_no, '-', 2)::bigint), 0) from work_orders)))""",
        _NUMBERS_LEFT_OUT,
    )


async def take_back(messages: Sequence[Message], tx: Transaction) -> None:
    """Device and demand types as they were last published."""
    for message in messages:
        match message.body:
            case DeviceTypeDefined(device_type=code) | DemandTypeDefined(demand_type=code) as entity:
                kind = DEVICE if isinstance(entity, DeviceTypeDefined) else DEMAND
                await tx.execute(
                    """insert into order_types (kind, code, version, name_en, name_zh, is_active)
                       values ($1, $2, $3, $4, $5, $6)
                       on conflict (kind, code) do update set version = excluded.version, name_en = excluded.name_en,
                           name_zh = excluded.name_zh, is_active = excluded.is_active
                       where order_types.version < excluded.version""",
                    kind,
                    code,
                    message.entity_version,
                    entity.names.en,
                    entity.names.zh,
                    entity.is_active,
                )
