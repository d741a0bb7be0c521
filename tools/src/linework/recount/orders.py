"""Metrics of orders, from their published formulas."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.events import (
    WorkOrderCompleted,
    WorkOrderReassigned,
    WorkOrderRedispatchRequested,
    WorkOrderUrged,
)
from contracts.lifecycle import Status
from contracts.message import Message
from contracts.order import WorkOrder
from linework.recount.counting import CountedRow, Kind

_MICROSECOND = timedelta(microseconds=1)
_REPEAT_WITHIN = timedelta(days=7)
_RUNNING = frozenset(
    {Status.CREATED, Status.DISPATCHED, Status.PROCESSING, Status.REJECTED, Status.REDISPATCHING},
)


@dataclass(slots=True)
class Step:
    """An order went from one status to another; the names are those of the order after it."""

    before: Status | None
    after: Status
    at: datetime
    names: Mapping[str, str | None]
    names_before: Mapping[str, str | None]
    microseconds: int
    """How long it had been in the status before."""
    is_misdispatch_valid: bool
    is_completion: bool
    is_unresolved: bool
    is_petitioned: bool
    reassign_count: int
    """Reassignments while it was in the status before."""
    urge_count: int


@dataclass(slots=True)
class Life:
    """An order, step by step."""

    order_id: str
    subscriber_id: str
    demand_type: str
    steps: list[Step] = field(default_factory=list)
    _since: list[type] = field(default_factory=list)
    """What happened since the last step."""

    @property
    def created_at(self) -> datetime:
        return self.steps[0].at

    def take(self, before: WorkOrder | None, message: Message, after: WorkOrder) -> None:
        if before is not None and before.status is after.status:
            self._since.append(type(message.body))
            return
        entered_at = self.steps[-1].at if self.steps else message.occurred_at
        # Time never goes back within an order: an event that is dated before its forerunner is of that moment.
        at = max(entered_at, message.occurred_at)
        body = message.body
        names = names_of(after)
        self.steps.append(
            Step(
                before=before.status if before else None,
                after=after.status,
                at=at,
                names=names,
                names_before=self.steps[-1].names if self.steps else names,
                microseconds=(at - entered_at) // _MICROSECOND,
                is_misdispatch_valid=isinstance(body, WorkOrderRedispatchRequested)
                and body.is_misdispatch_valid is True
                and before is not None
                and before.status is Status.REJECTED,
                is_completion=isinstance(body, WorkOrderCompleted),
                is_unresolved=isinstance(body, WorkOrderCompleted) and not body.is_resolved,
                is_petitioned=isinstance(body, WorkOrderCompleted) and body.is_petitioned,
                reassign_count=self._since.count(WorkOrderReassigned),
                urge_count=self._since.count(WorkOrderUrged),
            )
        )
        self._since.clear()


def names_of(order: WorkOrder) -> dict[str, str | None]:
    staff_ids = order.assignment.staff_ids if order.assignment else ()
    return {
        "status": order.status.value,
        "work_area_id": order.assignment.work_area_id if order.assignment else None,
        "staff_id": staff_ids[0] if staff_ids else None,
        "demand_type": order.demand_type,
        "device_type": order.device_type,
        "channel": order.channel.value,
        "zone": order.zone.value,
        "urgency": order.urgency.value,
    }


Lives = Iterable[Life]
OrderRule = Callable[[Lives, datetime], Iterator[CountedRow]]
"""From all lives and the moment of the figure: the rows that add to the metric."""


def _entered(above: Callable[[Step], bool], below: Callable[[Step], bool] | None = None) -> OrderRule:
    """Counts steps by the status that they lead to, under the names that the order then has."""

    def rule(lives: Lives, _: datetime) -> Iterator[CountedRow]:
        for life in lives:
            for step in life.steps:
                entry = CountedRow(step.at, step.names, int(above(step)), int(below(step)) if below else 1)
                # A ratio has a row wherever an order entered anything; a count only where it counts.
                if below or entry.above:
                    yield entry

    return rule


def _left(above: Callable[[Step], bool], below: Callable[[Step], bool], where: Callable[[Step], bool]) -> OrderRule:
    """Counts steps by the status that they lead out of, under the names that the order had there."""

    def rule(lives: Lives, _: datetime) -> Iterator[CountedRow]:
        for life in lives:
            for step in life.steps[1:]:
                if where(step):
                    yield CountedRow(step.at, step.names_before, int(above(step)), int(below(step)))

    return rule


def _stays(where: Callable[[Step], bool]) -> OrderRule:
    def rule(lives: Lives, _: datetime) -> Iterator[CountedRow]:
        for life in lives:
            for step in life.steps[1:]:
                if where(step):
                    yield CountedRow(step.at, step.names_before, step.microseconds, 1)

    return rule


def _first(what: Callable[[Step], bool]) -> OrderRule:
    """How long after its creation an order first did something."""

    def rule(lives: Lives, _: datetime) -> Iterator[CountedRow]:
        for life in lives:
            step = next((one for one in life.steps if what(one)), None)
            if step is not None:
                yield CountedRow(step.at, step.names, (step.at - life.created_at) // _MICROSECOND, 1)

    return rule


def _present(is_backlog: bool) -> OrderRule:
    def rule(lives: Lives, _: datetime) -> Iterator[CountedRow]:
        for life in lives:
            if not is_backlog or life.steps[-1].after in _RUNNING:
                yield CountedRow(None, life.steps[-1].names, 1, 1)

    return rule


def _backlog_age(lives: Lives, at: datetime) -> Iterator[CountedRow]:
    for life in lives:
        if life.steps[-1].after in _RUNNING:
            yield CountedRow(None, life.steps[-1].names, max((at - life.created_at) // _MICROSECOND, 0), 1)


def _rejections_per_order(lives: Lives, _: datetime) -> Iterator[CountedRow]:
    for life in lives:
        was_dispatched = False
        for step in life.steps:
            is_first = step.after is Status.DISPATCHED and not was_dispatched
            was_dispatched = was_dispatched or is_first
            yield CountedRow(step.at, step.names, int(step.after is Status.REJECTED), int(is_first))


def _first_dispatch_accuracy(lives: Lives, _: datetime) -> Iterator[CountedRow]:
    for life in lives:
        step = next((one for one in life.steps if one.after is Status.DISPATCHED), None)
        if step is not None:
            is_wrong = any(one.is_misdispatch_valid for one in life.steps)
            yield CountedRow(step.at, step.names, int(not is_wrong), 1)


def _repeat_rate(lives: Lives, _: datetime) -> Iterator[CountedRow]:
    by_subject: dict[tuple[str, str], list[Life]] = {}
    for life in lives:
        by_subject.setdefault((life.subscriber_id, life.demand_type), []).append(life)
    for same in by_subject.values():
        same.sort(key=lambda life: (life.created_at, life.order_id))
        for place, life in enumerate(same):
            is_repeat = place > 0 and life.created_at - same[place - 1].created_at <= _REPEAT_WITHIN
            yield CountedRow(life.created_at, life.steps[0].names, int(is_repeat), 1)


def _is(before: Status, after: Status) -> Callable[[Step], bool]:
    return lambda step: step.before is before and step.after is after


def _is_completion(step: Step) -> bool:
    return step.is_completion


def _is_reopening(step: Step) -> bool:
    return step.after is Status.REDISPATCHING and step.before in (Status.COMPLETED, Status.AUDITING)


def _is_recall(step: Step) -> bool:
    return step.after is Status.REDISPATCHING and step.before in (Status.DISPATCHED, Status.PROCESSING)


def _happened(count: Callable[[Step], int], below: Callable[[Step], bool]) -> OrderRule:
    """Counts what happened in a status when it is left, under the names that the order had there."""

    def rule(lives: Lives, _: datetime) -> Iterator[CountedRow]:
        for life in lives:
            for step in life.steps[1:]:
                yield CountedRow(step.at, step.names_before, count(step), int(below(step)))

    return rule


def _completions(above: Callable[[Step], bool]) -> OrderRule:
    def rule(lives: Lives, _: datetime) -> Iterator[CountedRow]:
        for life in lives:
            for step in life.steps:
                if step.is_completion:
                    yield CountedRow(step.at, step.names, int(above(step)), 1)

    return rule


RULES: Mapping[tuple[str, int], tuple[Kind, OrderRule]] = {
    ("work_orders", 1): ("count", _present(is_backlog=False)),
    ("backlog", 1): ("count", _present(is_backlog=True)),
    ("backlog_age", 1): ("distribution", _backlog_age),
    ("work_orders_created", 1): ("count", _entered(lambda step: step.before is None)),
    ("work_orders_completed", 1): ("count", _entered(_is_completion)),
    ("statuses_entered", 1): ("count", _entered(lambda _: True)),
    ("rejections_per_dispatch", 1): (
        "ratio",
        _left(
            lambda step: step.after is Status.REJECTED,
            lambda step: step.before is Status.DISPATCHED,
            lambda _: True,
        ),
    ),
    ("rejections_per_order", 1): ("ratio", _rejections_per_order),
    ("first_dispatch_accuracy", 1): ("ratio", _first_dispatch_accuracy),
    ("reopen_rate", 1): ("ratio", _entered(_is_reopening, _is_completion)),
    ("recall_rate", 1): ("ratio", _entered(_is_recall, lambda step: step.after is Status.DISPATCHED)),
    ("reassign_rate", 1): (
        "ratio",
        _happened(lambda step: step.reassign_count, lambda step: step.before is Status.DISPATCHED),
    ),
    ("urge_rate", 1): ("ratio", _happened(lambda step: step.urge_count, lambda step: step.before is Status.CREATED)),
    ("unresolved_rate", 1): ("ratio", _completions(lambda step: step.is_unresolved)),
    ("petition_rate", 1): ("ratio", _completions(lambda step: step.is_petitioned)),
    ("repeat_rate", 1): ("ratio", _repeat_rate),
    ("audit_pass_rate", 1): (
        "ratio",
        _left(
            lambda step: step.after is Status.COMPLETED,
            lambda _: True,
            lambda step: step.before is Status.AUDITING,
        ),
    ),
    ("time_in_status", 1): ("interpolated", _stays(lambda _: True)),
    ("time_in_status", 2): ("distribution", _stays(lambda _: True)),
    ("dispatch_time", 1): ("distribution", _first(lambda step: step.after is Status.DISPATCHED)),
    ("start_time", 1): ("distribution", _stays(_is(Status.DISPATCHED, Status.PROCESSING))),
    ("handling_time", 1): ("distribution", _stays(_is(Status.PROCESSING, Status.COMPLETED))),
    ("completion_time", 1): ("distribution", _first(_is_completion)),
    ("archive_time", 1): ("distribution", _first(lambda step: step.after is Status.ARCHIVED)),
    ("audit_time", 1): ("distribution", _stays(lambda step: step.before is Status.AUDITING)),
    ("ruling_time", 1): ("distribution", _stays(_is(Status.REJECTED, Status.REDISPATCHING))),
}
"""By metric and version."""
