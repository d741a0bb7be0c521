"""Which steps of the ladder fire for an order at a moment, and when it is to be looked at again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contracts.escalation import (
    AlarmCause,
    ClockAlarm,
    ClockBreached,
    ClockEscalated,
    ClockWarned,
    EscalationRulesDefined,
    EscalationStep,
)
from contracts.events import SlaClock
from contracts.lifecycle import CUSTODIANS
from contracts.order import WorkOrder
from contracts.refusals import Invalid
from contracts.time_zones import time_zones
from work_orders.sla_clocks import ClockState, Phase, RuleSets, clocks_of

_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
DueTime = tuple[SlaClock, datetime]
"""What a step fires once for: a clock, and when its limit is over."""


class EscalationStepRepeated(Invalid):
    """There are several steps at {minutes} minutes for the same clock; give one step with all its receivers."""

    zh = "同一计时在 {minutes} 分钟处有多个步骤；请合并为一个步骤并列出全部接收人。"


class WarningHoursOverlap(Invalid):
    """The warning hours must each end after they begin and must not overlap."""

    zh = "预警时段必须先始后终，且依次不相重叠。"


class EscalationTimeZoneUnknown(Invalid):
    """There is no time zone {time_zone}; use a name such as Asia/Shanghai."""

    zh = "没有时区 {time_zone}；请使用如 Asia/Shanghai 的名称。"


REFUSALS = (EscalationStepRepeated, WarningHoursOverlap, EscalationTimeZoneUnknown)


def check_escalation_rules(rules: EscalationRulesDefined) -> None:
    """Raises one of `REFUSALS`."""
    seen: set[tuple[SlaClock | None, int]] = set()
    for step in rules.steps:
        if (step.clock, step.minutes) in seen:
            raise EscalationStepRepeated(minutes=step.minutes)
        seen.add((step.clock, step.minutes))
    if rules.time_zone not in time_zones():
        raise EscalationTimeZoneUnknown(time_zone=rules.time_zone)
    previous = -1
    for part in rules.warning_hours:
        if not previous < part.begin_minute < part.end_minute:
            raise WarningHoursOverlap()
        previous = part.end_minute


@dataclass(frozen=True, slots=True)
class Ladder:
    """The escalation rules at one version; 0 is what was shipped."""

    version: int
    rules: EscalationRulesDefined

    def steps_of(self, clock: SlaClock) -> Sequence[EscalationStep]:
        """The steps of a clock, lowest first."""
        own = [step for step in self.rules.steps if step.clock is clock]
        steps = own or [step for step in self.rules.steps if step.clock is None]
        return sorted(steps, key=lambda step: step.minutes)

    def moment_of(self, step: EscalationStep, due_at: datetime) -> datetime | None:
        """When a step is due; None of a warning for which no hour is left."""
        moment = due_at + step.minutes * _MINUTE
        if step.minutes >= 0 or not self.rules.warning_hours:
            return moment
        opens = self._opening(moment)
        return opens if opens < due_at else None

    def _opening(self, moment: datetime) -> datetime:
        """The moment itself within the warning hours, or the next at which they begin."""
        zone = ZoneInfo(self.rules.time_zone)
        for days in range(3):
            day = moment.astimezone(zone).date() + days * _DAY
            midnight = datetime.combine(day, time(), zone)
            for part in self.rules.warning_hours:
                begins = (midnight + part.begin_minute * _MINUTE).astimezone(UTC)
                ends = (midnight + part.end_minute * _MINUTE).astimezone(UTC)
                if moment < ends:
                    return max(moment, begins)
        return moment


@dataclass(frozen=True, slots=True)
class Firing:
    """A step that fires for a clock."""

    state: ClockState
    step: EscalationStep
    level: int
    due_at: datetime
    late: timedelta


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at an order found."""

    firing: tuple[Firing, ...]
    standing: frozenset[DueTime]
    """The due times of clocks that have not stopped: alarms of others are over."""
    look_at: datetime | None
    """When the next step is due; None if none will be unless the order changes."""


def look_at_order(
    order: WorkOrder, sets: RuleSets, ladder: Ladder, fired: Mapping[DueTime, int], *, now: datetime
) -> Look:
    """The steps that fire now: of each clock the highest that is due and above those that fired for its due time.

    So a ladder that could not be climbed for a while, because no worker ran, is climbed in one step. Nothing fires
    for an order that is closed or suspended.
    """
    firing, standing, moments = [], set(), []
    for state in clocks_of(order, sets, at=now):
        if state.phase is Phase.STOPPED or state.due_at is None or CUSTODIANS[order.status] is None:
            continue
        standing.add((state.clock, state.due_at))
        if state.phase is Phase.PAUSED:
            continue
        climbed = fired.get((state.clock, state.due_at))
        steps = list(_steps_above(ladder, state.clock, state.due_at, climbed))
        due = [one for one in steps if one[1] <= now and (one[0].minutes >= 0 or now < state.due_at)]
        if due:
            step, moment, level = due[-1]
            # A limit that is shorter than its warning is warned of when it begins, and that is not late.
            firing.append(Firing(state, step, level, state.due_at, now - max(moment, state.began_at)))
        moments += [moment for _, moment, _ in steps if moment > now]
    return Look(tuple(firing), frozenset(standing), min(moments, default=None))


def _steps_above(
    ladder: Ladder, clock: SlaClock, due_at: datetime, climbed: int | None
) -> Iterator[tuple[EscalationStep, datetime, int]]:
    """The steps that have not fired, with their moments and levels, lowest first."""
    level = 0
    for step in ladder.steps_of(clock):
        level += step.minutes > 0
        moment = ladder.moment_of(step, due_at)
        if moment is not None and (climbed is None or step.minutes > climbed):
            yield step, moment, level


def alarm(order: WorkOrder, firing: Firing, *, alarm_id: str, escalation_version: int, cause: AlarmCause) -> ClockAlarm:
    """The event of a step."""
    step, assignment = firing.step, order.assignment
    facts: dict[str, Any] = {
        "alarm_id": alarm_id,
        "order_no": order.order_no,
        "clock": firing.state.clock,
        "due_at": firing.due_at,
        "minutes": step.minutes,
        "tell": step.tell,
        "channels": step.channels,
        "demand_type": order.demand_type,
        "limits_version": firing.state.rules_version,
        "escalation_version": escalation_version,
        "work_area_id": order.work_area_id,
        "staff_ids": assignment.staff_ids if assignment else (),
        "cause": cause,
        "late_seconds": max(firing.late // timedelta(seconds=1), 0),
    }
    if step.minutes > 0:
        return ClockEscalated(**facts, level=firing.level)
    return ClockBreached(**facts) if step.minutes == 0 else ClockWarned(**facts)
