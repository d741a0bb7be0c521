"""Reads: the alarms within a caller's areas, those of an order, and the ladder."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from chassis.database import Database, Statements
from chassis.paging import from_cursor, moment_of, page_of
from contracts.escalation import AlarmCause, AlarmChannel, Receiver
from contracts.events import SlaClock
from contracts.refusals import NotFound
from dispatch.alarms import store
from dispatch.alarms.store import EscalationRules
from dispatch.alarms.use_cases import AlarmNotFound


class EscalationRulesNotFound(NotFound):
    """There are no escalation rules of version {version}."""

    zh = "没有版本为 {version} 的升级规则。"


class AlarmKind(StrEnum):
    WARNED = "warned"
    BREACHED = "breached"
    ESCALATED = "escalated"


class AlarmState(StrEnum):
    OPEN = "open"
    """Nobody has acknowledged it, and its clock has not stopped."""
    ACKNOWLEDGED = "acknowledged"
    OVER = "over"
    """Its clock has stopped or has another due time, and it was not acknowledged before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A step of the ladder that fired, and who has seen it."""

    alarm_id: str
    kind: AlarmKind
    state: AlarmState
    order_id: str
    order_no: str
    clock: SlaClock
    due_at: datetime
    minutes: int
    """The step: so long after the due time; below zero before it."""
    level: int | None = None
    """Of an escalation, 1, 2, 3 … among the steps after the due time."""
    tell: tuple[Receiver, ...]
    channels: tuple[AlarmChannel, ...]
    demand_type: str
    work_area_id: str | None = None
    """The area that the order was given to last, as it fired."""
    staff_ids: tuple[str, ...] = ()
    cause: AlarmCause
    late_seconds: int
    """So long after its moment."""
    limits_version: int
    escalation_version: int
    fired_at: datetime
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    over_at: datetime | None = None
    """When its clock stopped or got another due time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmPage:
    items: list[Alarm]
    next_cursor: str | None


_STATES = {
    None: "true",
    AlarmState.OPEN: "acknowledged_at is null and over_at is null",
    AlarmState.ACKNOWLEDGED: "acknowledged_at is not null",
    AlarmState.OVER: "acknowledged_at is null and over_at is not null",
}
_CURSOR = "alarms"
_COLUMNS = """clock_alarms.id, order_id, kind, fired_at, acknowledged_by, acknowledged_at, over_at,
    clock_alarms.body::text as alarm"""


async def list_alarms(
    db: Database,
    *,
    state: AlarmState | None,
    clock: SlaClock | None,
    areas: Sequence[str] | None,
    cursor: str | None,
    limit: int,
) -> AlarmPage:
    """A page of alarms of orders that are within these areas at present, the newest first."""
    place: tuple[Any, ...] = (None, None)
    if cursor is not None:
        fired_at, alarm_id = from_cursor(_CURSOR, cursor, str, str)
        place = (moment_of(fired_at), alarm_id)
    async with db.statements() as statements:
        rows = await statements.fetch(
            f"""select {_COLUMNS} from clock_alarms join work_orders on work_orders.id = order_id
                where {_STATES[state]} and ($1::text[] is null or work_area_id = any($1))
                and ($2::text is null or clock = $2)
                and ($3::timestamptz is null or (fired_at, clock_alarms.id) < ($3, $4))
                order by fired_at desc, clock_alarms.id desc limit $5""",
            areas,
            clock.value if clock else None,
            *place,
            limit + 1,
        )
    shown, next_cursor = page_of(_CURSOR, rows, limit, lambda row: (row["fired_at"].isoformat(), row["id"]))
    return AlarmPage(items=[_alarm(row) for row in shown], next_cursor=next_cursor)


async def alarms_of(statements: Statements, order_id: str) -> tuple[Alarm, ...]:
    """Every alarm of an order, the newest first."""
    rows = await statements.fetch(
        f"select {_COLUMNS} from clock_alarms where order_id = $1 order by fired_at desc, id desc", order_id
    )
    return tuple(_alarm(row) for row in rows)


async def get_alarm(db: Database, alarm_id: str) -> Alarm:
    """Raises `AlarmNotFound`; that the caller may see it has been checked."""
    async with db.statements() as statements:
        row = await statements.fetchrow(f"select {_COLUMNS} from clock_alarms where id = $1", alarm_id)
    if row is None:
        raise AlarmNotFound(alarm_id=alarm_id)
    return _alarm(row)


async def get_escalation_rules(db: Database, version: int | None = None) -> EscalationRules:
    """The newest, or those of a version; raises `EscalationRulesNotFound`."""
    async with db.statements() as statements:
        rules = await store.ESCALATION.find(statements, version)
    if rules is None:
        raise EscalationRulesNotFound(version=version)
    return rules


def _alarm(row: Any) -> Alarm:
    said = msgspec.json.decode(row["alarm"])
    beside = {name: row[name] for name in ("kind", "fired_at", "acknowledged_by", "acknowledged_at", "over_at")}
    return msgspec.convert({**said, **beside, "order_id": row["order_id"], "state": _state(row)}, Alarm, strict=False)


def _state(row: Any) -> AlarmState:
    if row["acknowledged_at"] is not None:
        return AlarmState.ACKNOWLEDGED
    return AlarmState.OPEN if row["over_at"] is None else AlarmState.OVER
