"""What intake takes back from the stream after a restore, and emits again from its tables when a topic was lost.

Orders, their history and the requests come back. Subscribers do not: no event carries people's data.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis.database import Transaction
from chassis.recovery.re_emit import OPERATOR
from chassis.sealing import Wrapped
from contracts.directory import AgentDefined, DemandTypeDefined, DeviceTypeDefined, Names
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.requests import WorkOrderCancelRequested, WorkOrderExtensionRequested, WorkOrderUrgeRequested
from contracts.topics import DIRECTORY, SEALING_KEYS
from intake.privacy.domain import Ground
from intake.privacy.erasure import destroyed
from intake.reference.domain import DEMAND, DEVICE
from intake.subscribers.sealing_keys import issued
from work_orders.recovery import re_emitted

_NUMBERS_LEFT_OUT = 1000
_KEYS_AT_ONCE = 500
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


async def directory(tx: Transaction, after: str, now: datetime) -> tuple[Sequence[Message], str]:
    """Device and demand types, and agents; all at once."""
    if after:
        return [], after
    types = await tx.fetch("select * from order_types order by kind, code for update")
    agents = await tx.fetch("select id as agent_id, version, name, team, is_active from agents order by id for update")
    entities = [(f"{row['kind']}_type:{row['code']}", _type_of(row), row["version"]) for row in types]
    entities += [(f"agent:{row['agent_id']}", _agent_of(row), row["version"]) for row in agents]
    return re_emitted(entities, service=Service.INTAKE, now=now), "all"


def _agent_of(row: Any) -> AgentDefined:
    return AgentDefined(agent_id=row["agent_id"], name=row["name"], team=row["team"], is_active=row["is_active"])


def _type_of(row: Any) -> DeviceTypeDefined | DemandTypeDefined:
    names = Names(en=row["name_en"], zh=row["name_zh"])
    if row["kind"] == DEVICE:
        return DeviceTypeDefined(device_type=row["code"], names=names, is_active=row["is_active"])
    return DemandTypeDefined(demand_type=row["code"], names=names, is_active=row["is_active"])


async def sealing_keys(tx: Transaction, after: str, now: datetime) -> tuple[Sequence[Message], str]:
    """Every key, wrapped as it is, or that it was destroyed and on what ground."""
    rows = await tx.fetch(
        """select keys.subscriber_id, entity_version, master_key_id, wrapped, ground
           from sealing_keys as keys left join erasures using (subscriber_id)
           where keys.subscriber_id > $1 order by keys.subscriber_id limit $2 for update of keys""",
        after,
        _KEYS_AT_ONCE,
    )
    return [_key_message(row, now) for row in rows], rows[-1]["subscriber_id"] if rows else after


def _key_message(row: Any, now: datetime) -> Message:
    subscriber_id, version = row["subscriber_id"], row["entity_version"]
    if row["wrapped"] is None:
        ground = row["ground"] or Ground.RETENTION_ENDED.value
        return destroyed(subscriber_id, ground, version, OPERATOR, now=now)
    return issued(subscriber_id, Wrapped(row["master_key_id"], row["wrapped"]), OPERATOR, version=version, now=now)


RE_EMITTED = {DIRECTORY.name: directory, SEALING_KEYS.name: sealing_keys}
