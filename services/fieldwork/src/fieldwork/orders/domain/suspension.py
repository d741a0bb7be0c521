"""Letting an order rest 挂起, within the rules: a reason of the list, an end, a longest length, a number of times."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.events import WorkOrderResumed, WorkOrderSuspended
from contracts.handling import OTHER, HandlingRulesDefined
from contracts.lifecycle import Act
from contracts.order import WorkOrder
from contracts.refusals import Conflict, Invalid


class SuspensionAlreadyOver(Invalid):
    """The suspension must end in the future, not at {until:time}."""

    zh = "挂起截止时间 {until:time}不晚于当前时间。"


class SuspensionTooLong(Invalid):
    """The suspension must end at {latest:time} at the latest, not at {until:time}."""

    zh = "挂起最迟须于 {latest:time}结束，而不是 {until:time}。"


class SuspensionReasonUnknown(Invalid):
    """{given} is not a reason for which orders are suspended; use one of {codes}."""

    zh = "{given} 不是可用的挂起原因；请使用 {codes} 之一。"


class SuspensionsSpent(Conflict):
    """The order was suspended {count} time(s); at most {most} are permitted."""

    zh = "工单已挂起 {count} 次，最多允许 {most} 次。"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspendWorkOrder:
    reason: str
    until: datetime
    reason_code: str | None = None
    """One of the reasons of the rules; None: `other`."""


def suspend(
    order: WorkOrder, command: SuspendWorkOrder, rules: HandlingRulesDefined, *, at: datetime, now: datetime
) -> WorkOrderSuspended:
    """`at` is when it was suspended, `now` when that is recorded."""
    order.advance(Act.SUSPEND)
    if command.until <= now:
        raise SuspensionAlreadyOver(until=command.until.isoformat())
    latest = at + timedelta(minutes=rules.longest_suspension_minutes)
    if command.until > latest:
        raise SuspensionTooLong(until=command.until.isoformat(), latest=latest.isoformat())
    if len(order.pauses) >= rules.most_suspensions:
        raise SuspensionsSpent(count=len(order.pauses), most=rules.most_suspensions)
    code = command.reason_code or OTHER
    active = {reason.code: reason for reason in rules.suspension_reasons if reason.is_active}
    if code not in active:
        raise SuspensionReasonUnknown(given=code, codes=[*active])
    return WorkOrderSuspended(
        reason=command.reason, until=command.until, held_by=active[code].held_by, reason_code=code
    )


def resume(order: WorkOrder, *, at: datetime) -> WorkOrderResumed:
    """Work goes on; a suspension that was over before ended when it was to end."""
    order.advance(Act.RESUME)
    return WorkOrderResumed(ended_at=order.suspension_ended_before(at))


def end(order: WorkOrder, *, now: datetime) -> WorkOrderResumed | None:
    """What ends a suspension by itself once its time has come; None while there is none, or it lasts."""
    if order.suspension is None or order.suspension.until > now:
        return None
    order.advance(Act.RESUME)
    return WorkOrderResumed(ended_at=order.suspension.until)
