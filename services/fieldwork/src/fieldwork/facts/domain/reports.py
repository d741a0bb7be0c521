"""Reports of the field: taken in any status and without a version, by whichever work area had the order at that time.

A report that moves a clock is an event of the order while its work area holds it and work goes on, and otherwise a
fact that stops no clock. All others are facts.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from contracts.device_time import DeviceTime
from contracts.events import (
    WorkOrderAccepted,
    WorkOrderArrived,
    WorkOrderContacted,
    WorkOrderEvent,
    WorkOrderNoteAdded,
)
from contracts.facts import (
    WorkOrderAcceptanceRecorded,
    WorkOrderArrivalRecorded,
    WorkOrderContactRecorded,
    WorkOrderFact,
    WorkOrderNoteRecorded,
)
from contracts.order import ACTS, WorkOrder
from contracts.refusals import Conflict, Invalid


class BeforeTheOrder(Invalid):
    """occurred_at {occurred_at:time} is before the order was created at {created_at:time}."""

    zh = "发生时间 {occurred_at:time}早于工单生成的时间 {created_at:time}。"


class OrderLetGo(Conflict):
    """Your work area had this order until {until:time} and can report what happened until {reportable_until:time}, not
    at {occurred_at:time}."""

    zh = (
        "您的工区持有该工单至 {until:time}，可补报截至 {reportable_until:time}发生的情况；"
        "{occurred_at:time}不在此范围内。"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldReport:
    """What happened in the field."""

    fact: WorkOrderFact
    """What stands beside the order that cannot take the event."""
    event: WorkOrderEvent | None = None
    """What moves the order; None for a report that moves none."""

    def on(self, device: DeviceTime) -> "FieldReport":
        """The report with what the phone said of its time."""
        fact: Any = self.fact
        event: Any = self.event
        return FieldReport(fact=replace(fact, device=device), event=replace(event, device=device) if event else None)


def acceptance() -> FieldReport:
    return FieldReport(event=WorkOrderAccepted(), fact=WorkOrderAcceptanceRecorded())


def contact(note: str | None) -> FieldReport:
    return FieldReport(event=WorkOrderContacted(note=note), fact=WorkOrderContactRecorded(note=note))


def arrival(place: str | None) -> FieldReport:
    return FieldReport(event=WorkOrderArrived(place=place), fact=WorkOrderArrivalRecorded(place=place))


def note(text: str) -> FieldReport:
    return FieldReport(event=WorkOrderNoteAdded(note=text), fact=WorkOrderNoteRecorded(note=text))


def since_dispatch(order: WorkOrder, occurred_at: datetime, *, tolerance: timedelta) -> datetime:
    """The time of a report by a clock that is a little behind: not before the dispatch that it may belong to."""
    begin = order.assignment.dispatched.at if order.assignment else occurred_at
    return begin if occurred_at < begin <= occurred_at + tolerance else occurred_at


def takes_event(order: WorkOrder, report: FieldReport, *, areas: Collection[str] | None, occurred_at: datetime) -> bool:
    """Whether the report moves the order: these areas hold it, its status allows it, and it happened since then."""
    if report.event is None or order.assignment is None or not _is_of(order.work_area_id, areas):
        return False
    act = ACTS[type(report.event)][0]
    return act in order.allowed_acts and occurred_at >= order.assignment.dispatched.at


def check_reportable(
    order: WorkOrder, *, areas: Collection[str] | None, occurred_at: datetime, grace: timedelta
) -> None:
    """Whether people of these areas may report what happened then; raises `BeforeTheOrder` or `OrderLetGo`.

    A phone without a network does not know that its area has lost the order, so for a while later reports are taken.
    """
    if occurred_at < order.created.at:
        raise BeforeTheOrder(occurred_at=occurred_at.isoformat(), created_at=order.created.at.isoformat())
    until = had_until(order, areas)
    if until is not None and occurred_at > until + grace:
        raise OrderLetGo(
            until=until.isoformat(),
            reportable_until=(until + grace).isoformat(),
            occurred_at=occurred_at.isoformat(),
        )


def has_had(order: WorkOrder, areas: Collection[str] | None) -> bool:
    """Whether one of these areas has the order at present, or has had it."""
    return _is_of(order.work_area_id, areas) or had_until(order, areas) is not None


def had_until(order: WorkOrder, areas: Collection[str] | None) -> datetime | None:
    """When the last of these areas lost the order; None while one has it, or none ever had it."""
    if _is_of(order.work_area_id, areas):
        return None
    ends = [
        *(one.rejected.at for one in order.rejections if _is_of(one.work_area_id, areas)),
        *(one.completed.at for one in order.completions if _is_of(one.work_area_id, areas)),
    ]
    return max(ends, default=None)


def _is_of(work_area_id: str | None, areas: Collection[str] | None) -> bool:
    return areas is None or work_area_id in areas
