"""Rows of the monitor: when orders are looked at, which steps have fired, and the ladder.

A row of `alarm_watch` is locked while its order is looked at, so several workers share the orders. That a step fires
once rests on the unique key of `clock_alarms`, not on the lock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.database import Statements, Transaction
from chassis.one_statement import Part, execute_together
from contracts.escalation import SHIPPED, ClockAlarm, EscalationRulesDefined
from contracts.events import SlaClock
from contracts.links import LinkKind, WorkOrderLinked, WorkOrderUnlinked
from contracts.message import Message
from contracts.order import WorkOrder
from dispatch.alarms.ladder import DueTime, Ladder
from work_orders.order_table import to_order
from work_orders.sla_clocks import Deadline
from work_orders.versioned_rules import VersionedRules

# The first step of an order cannot be earlier than its next deadline less the longest warning there is; the look then
# finds when it really is. An order with alarms is looked at at once, because what has changed may have ended them; so
# is one that is watched and has no deadline any more.
_PLAN = """
insert into alarm_watch (order_id, look_at, is_by_limits)
select given.order_id, case
    when exists (select from clock_alarms where clock_alarms.order_id = given.order_id and over_at is null) then 'epoch'
    else given.due_at + make_interval(mins => coalesce(
        (select min((step->>'minutes')::integer) from json_array_elements(
            (select body->'steps' from escalation_rules order by version desc limit 1)) as step), $4)) end,
    $3
from unnest($1::text[], $2::timestamptz[]) as given (order_id, due_at) order by given.order_id
on conflict (order_id) do update set look_at = excluded.look_at,
    is_by_limits = alarm_watch.is_by_limits or excluded.is_by_limits"""
_LOOK_AGAIN = "update alarm_watch set look_at = 'epoch' where order_id = any($1::text[])"
_LONGEST_WARNING = min(step.minutes for step in SHIPPED.steps)


def planned(deadlines: Sequence[Deadline], *, is_by_limits: bool = False) -> list[Part]:
    """Plans the next look at orders whose deadlines these are."""
    running = [(order_id, due_at) for order_id, due_at in deadlines if due_at is not None]
    others = [order_id for order_id, due_at in deadlines if due_at is None]
    parts = []
    if running:
        ids, moments = [list(column) for column in zip(*running, strict=True)]
        parts.append(Part(_PLAN, [ids, moments, is_by_limits, _LONGEST_WARNING]))
    if others:
        parts.append(Part(_LOOK_AGAIN, [others]))
    return parts


async def plan_by_limits(tx: Transaction, deadlines: Sequence[Deadline]) -> None:
    """The same for orders whose deadlines another set of limits has moved."""
    await execute_together(tx, planned(deadlines, is_by_limits=True))


def links_of(messages: Sequence[Message]) -> list[Part]:
    """Keeps which orders are linked away as duplicates: of each link what the batch says last."""
    latest = {one.body.link_id: one for one in messages if isinstance(one.body, WorkOrderLinked | WorkOrderUnlinked)}
    linked = [(one, message.subject) for one, message in latest.items() if _is_duplicate(message.body)]
    gone = [one for one, message in latest.items() if isinstance(message.body, WorkOrderUnlinked)]
    parts = []
    if linked:
        columns = [list(column) for column in zip(*linked, strict=True)]
        parts.append(
            Part(
                "insert into duplicate_links (link_id, order_id) select * from unnest($1::text[], $2::text[])"
                " on conflict do nothing",
                columns,
            )
        )
    if gone:
        parts.append(Part("delete from duplicate_links where link_id = any($1::text[])", [gone]))
    return parts


def _is_duplicate(body: Any) -> bool:
    return isinstance(body, WorkOrderLinked) and body.kind is LinkKind.DUPLICATE


@dataclass(frozen=True, slots=True)
class Watched:
    """An order that is to be looked at."""

    order: WorkOrder
    is_by_limits: bool
    is_linked_away: bool


_CLAIM = """
select body, is_by_limits or rules_version < $3 as is_by_limits,
    exists (select from duplicate_links where duplicate_links.order_id = work_orders.id) as is_linked_away
from alarm_watch join work_orders on work_orders.id = alarm_watch.order_id
where look_at <= $1 and rules_version <= $3
order by look_at, alarm_watch.order_id limit $2 for update of alarm_watch skip locked"""


async def claim_watched(tx: Transaction, *, now: datetime, limits_version: int, limit: int) -> list[Watched]:
    """Orders whose look is due, earliest first, locked; those that another worker looks at are passed over.

    An order that was planned by limits this process has not read yet waits until it has: by older ones its look would
    find nothing, and the breach would be missed.
    """
    rows = await tx.fetch(_CLAIM, now, limit, limits_version)
    return [Watched(to_order(row["body"]), row["is_by_limits"], row["is_linked_away"]) for row in rows]


async def next_look_at(statements: Statements) -> datetime | None:
    moment: datetime | None = await statements.fetchval("select min(look_at) from alarm_watch")
    return moment


async def fired(tx: Transaction, order_ids: Sequence[str]) -> Mapping[str, Mapping[DueTime, int]]:
    """By order the highest step that has fired for each due time."""
    rows = await tx.fetch(
        "select order_id, clock, due_at, max(minutes) as minutes from clock_alarms where order_id = any($1)"
        " group by order_id, clock, due_at",
        order_ids,
    )
    found: dict[str, dict[DueTime, int]] = {order_id: {} for order_id in order_ids}
    for row in rows:
        found[row["order_id"]][SlaClock(row["clock"]), row["due_at"]] = row["minutes"]
    return found


async def plan_looks(tx: Transaction, looks: Sequence[tuple[str, datetime | None]]) -> None:
    """When the orders that were looked at are looked at next; None: when something changes."""
    await tx.execute(
        """with given as (select * from unnest($1::text[], $2::timestamptz[]) as given (order_id, look_at)),
        gone as (delete from alarm_watch using given
            where alarm_watch.order_id = given.order_id and given.look_at is null)
        update alarm_watch set look_at = given.look_at, is_by_limits = false from given
        where alarm_watch.order_id = given.order_id and given.look_at is not null""",
        [order_id for order_id, _ in looks],
        [moment for _, moment in looks],
    )


async def end_alarms(tx: Transaction, standing: Mapping[str, frozenset[DueTime]], *, now: datetime) -> None:
    """Of orders that were looked at, ends the alarms whose due time does not stand any more."""
    kept = [(one, clock.value, due_at) for one, times in standing.items() for clock, due_at in times]
    columns = [list(column) for column in zip(*kept, strict=True)] or [[], [], []]
    await tx.execute(
        """update clock_alarms set over_at = $2 where order_id = any($1) and over_at is null and not exists (
            select from unnest($3::text[], $4::text[], $5::timestamptz[]) as standing (order_id, clock, due_at)
            where (standing.order_id, standing.clock, standing.due_at)
                = (clock_alarms.order_id, clock_alarms.clock, clock_alarms.due_at))""",
        list(standing),
        now,
        *columns,
    )


async def add_alarms(tx: Transaction, alarms: Sequence[Message]) -> set[str]:
    """Adds alarms that have not fired; returns the ids of the messages that are new."""
    rows = await tx.fetch(
        """insert into clock_alarms (id, order_id, clock, due_at, minutes, kind, fired_at, body)
            select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::integer[], $6::text[],
                $7::timestamptz[], $8::json[])
            on conflict do nothing returning id""",
        *_columns([message for message in alarms if isinstance(message.body, ClockAlarm)]),
    )
    return {row["id"] for row in rows}


def _columns(alarms: Sequence[Message]) -> list[list[Any]]:
    rows = [
        (
            message.body.alarm_id,
            message.subject,
            message.body.clock.value,
            message.body.due_at,
            message.body.minutes,
            message.type.split(".")[-2].removeprefix("clock_"),
            message.recorded_at,
            message.data.decode(),
        )
        for message in alarms
    ]
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(8)]


async def take_back(messages: Sequence[Message], tx: Transaction) -> None:
    """A restored database takes back the ladder and every alarm that was published: none of them fires again."""
    await execute_together(tx, ESCALATION.added(messages))
    await add_alarms(tx, messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationRules:
    """The ladder at one version, and who has defined it when; both are None for the shipped one."""

    version: int = 0
    rules: EscalationRulesDefined = SHIPPED
    changed_by: str | None = None
    changed_at: datetime | None = None

    @property
    def ladder(self) -> Ladder:
        return Ladder(self.version, self.rules)


ESCALATION = VersionedRules("escalation_rules", EscalationRulesDefined, EscalationRules, shipped=EscalationRules())


async def look_at_all(tx: Transaction) -> None:
    """Another ladder may have steps that are due: every order is looked at as soon as its turn comes."""
    await tx.execute("update alarm_watch set look_at = 'epoch'")


async def acknowledge(tx: Transaction, alarm_id: str, areas: Sequence[str] | None, *, by: str, at: datetime) -> bool:
    """Whether there is such an alarm within these areas; who acknowledged it first stays."""
    found = await tx.fetchval(
        """update clock_alarms set acknowledged_by = coalesce(acknowledged_by, $3),
                acknowledged_at = coalesce(acknowledged_at, $4)
            from work_orders where clock_alarms.id = $1 and work_orders.id = clock_alarms.order_id
                and ($2::text[] is null or work_orders.work_area_id = any($2)) returning clock_alarms.id""",
        alarm_id,
        areas,
        by,
        at,
    )
    return found is not None
