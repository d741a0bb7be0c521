"""What intake can say again from its own tables when a topic was lost: order types, agents, sealing keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis.database import Transaction
from chassis.recovery.re_emit import OPERATOR
from chassis.sealing import Wrapped
from contracts.directory import AgentDefined, DemandTypeDefined, DeviceTypeDefined, Names
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.topics import DIRECTORY, SEALING_KEYS
from intake.privacy.domain import Ground
from intake.privacy.erasure import destroyed
from intake.reference.store import DEVICE
from intake.subscribers.sealing_keys import issued
from work_orders.directory import re_emitted

_KEYS_AT_ONCE = 500


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
    return [_said(row, now) for row in rows], rows[-1]["subscriber_id"] if rows else after


def _said(row: Any, now: datetime) -> Message:
    subscriber_id, version = row["subscriber_id"], row["entity_version"]
    if row["wrapped"] is None:
        ground = row["ground"] or Ground.RETENTION_ENDED.value
        return destroyed(subscriber_id, ground, version, OPERATOR, now=now)
    return issued(subscriber_id, Wrapped(row["master_key_id"], row["wrapped"]), OPERATOR, version=version, now=now)


PAGES = {DIRECTORY.name: directory, SEALING_KEYS.name: sealing_keys}
