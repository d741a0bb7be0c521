"""What intake takes back from the stream after a restore, and emits again from its tables when a topic was lost.

Orders, their history and the requests come back. Subscribers do not: no event carries people's data.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis.database import Transaction
from chassis.recovery.re_emit import OPERATOR
from chassis.sealing import Wrapped
from contracts.directory import AgentDefined, DemandTypeDefined, DeviceTypeDefined
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.topics import DIRECTORY, SEALING_KEYS
from intake import recovery_store
from intake.privacy.domain import Ground
from intake.privacy.erasure import destroyed
from intake.reference.domain import DEMAND, DEVICE, OrderType, definition
from intake.subscribers.sealing_keys import issued
from work_orders.recovery import re_emitted

_KEYS_AT_ONCE = 500


async def take_back(messages: Sequence[Message], tx: Transaction) -> None:
    """Device and demand types as they were last published."""
    for message in messages:
        match message.body:
            case DeviceTypeDefined(device_type=code) | DemandTypeDefined(demand_type=code) as entity:
                kind = DEVICE if isinstance(entity, DeviceTypeDefined) else DEMAND
                names, version = entity.names, message.entity_version or 0
                order_type = OrderType(code, names.en, names.zh, entity.is_active, version)
                await recovery_store.take_back_type(tx, kind, order_type)


async def directory(tx: Transaction, after: str, now: datetime) -> tuple[Sequence[Message], str]:
    """Device and demand types, and agents; all at once."""
    if after:
        return [], after
    types, agents = await recovery_store.lock_directory(tx)
    entities = [(f"{row['kind']}_type:{row['code']}", _type_of(row), row["version"]) for row in types]
    entities += [(f"agent:{row['agent_id']}", _agent_of(row), row["version"]) for row in agents]
    return re_emitted(entities, service=Service.INTAKE, now=now), "all"


def _agent_of(row: Any) -> AgentDefined:
    return AgentDefined(agent_id=row["agent_id"], name=row["name"], team=row["team"], is_active=row["is_active"])


def _type_of(row: Any) -> DeviceTypeDefined | DemandTypeDefined:
    return definition(row["kind"], OrderType(row["code"], row["name_en"], row["name_zh"], row["is_active"]))


async def sealing_keys(tx: Transaction, after: str, now: datetime) -> tuple[Sequence[Message], str]:
    """Every key, wrapped as it is, or that it was destroyed and on what ground."""
    rows = await recovery_store.lock_keys(tx, after, _KEYS_AT_ONCE)
    return [_key_message(row, now) for row in rows], rows[-1]["subscriber_id"] if rows else after


def _key_message(row: Any, now: datetime) -> Message:
    subscriber_id, version = row["subscriber_id"], row["entity_version"]
    if row["wrapped"] is None:
        ground = row["ground"] or Ground.RETENTION_ENDED.value
        return destroyed(subscriber_id, ground, version, OPERATOR, now=now)
    return issued(subscriber_id, Wrapped(row["master_key_id"], row["wrapped"]), OPERATOR, version=version, now=now)


RE_EMITTED = {DIRECTORY.name: directory, SEALING_KEYS.name: sealing_keys}
