"""What reporting shows, counted again from the events by other code than its own."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contracts.lifecycle import Status
from contracts.message import Message
from contracts.order import WorkOrder

ZONE = "Asia/Shanghai"
_MICROSECOND = timedelta(microseconds=1)
_TOLERANCE_SECONDS = 0.001

Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One figure as it is asked of reporting, and by which of its measures it is held against ours."""

    metric: str
    group_by: tuple[str, ...]
    measures: tuple[str, ...]
    grain: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        return ("period", *self.group_by) if self.grain else self.group_by

    @property
    def parameters(self) -> dict[str, Any]:
        return {"group_by": list(self.group_by), "grain": self.grain, "time_zone": ZONE}

    def __str__(self) -> str:
        return f"{self.metric} by {', '.join(self.keys)}"


_TIMES = ("count", "sum", "p50", "p90")
QUESTIONS = (
    Question("work_orders", ("status", "work_area_id"), ("count",)),
    Question("work_orders", ("status", "demand_type"), ("count",)),
    Question("work_orders", ("status", "channel"), ("count",)),
    Question("work_orders", ("device_type", "zone"), ("count",)),
    Question("work_orders_created", ("demand_type",), ("count",), "day"),
    Question("work_orders_created", ("channel",), ("count",), "hour"),
    Question("time_in_status", ("status", "work_area_id"), _TIMES),
    Question("time_in_status", ("status",), _TIMES, "day"),
    Question("rejections_per_dispatch", ("work_area_id",), ("rejections", "dispatches")),
)
"""Each dimension and each kind of measure at least once; the rest of the combinations are sums of the same rows."""


@dataclass(slots=True)
class _Row:
    counts: Counter[str] = field(default_factory=Counter)
    microseconds: array = field(default_factory=lambda: array("q"))


class Recount:
    """Told of every event (`laws.Witness`); counts as it goes, because no order is kept whole."""

    def __init__(self) -> None:
        self._zone = ZoneInfo(ZONE)
        self._rows: dict[Question, dict[Key, _Row]] = {question: defaultdict(_Row) for question in QUESTIONS}
        self._entered_at: dict[str, datetime] = {}

    def __call__(self, before: WorkOrder | None, message: Message, after: WorkOrder) -> None:
        if before is None:
            self._count_created(after)
            self._entered_at[after.id] = message.occurred_at
        self._recount_present(before, after)
        if before is not None and after.status is not before.status:
            entered_at = self._entered_at[after.id]
            # Time never goes back within an order: an event that is dated before its forerunner is of that moment.
            left_at = max(entered_at, message.occurred_at)
            self._entered_at[after.id] = left_at
            self._count_stay(before, after.status, entered_at, left_at)

    def _count_created(self, order: WorkOrder) -> None:
        for question in QUESTIONS:
            if question.metric == "work_orders_created":
                self._row(question, order, order.created.at).counts["count"] += 1

    def _recount_present(self, before: WorkOrder | None, after: WorkOrder) -> None:
        for question in QUESTIONS:
            if question.metric == "work_orders":
                if before is not None:
                    self._row(question, before, None).counts["count"] -= 1
                self._row(question, after, None).counts["count"] += 1

    def _count_stay(self, order: WorkOrder, next_status: Status, entered_at: datetime, left_at: datetime) -> None:
        for question in QUESTIONS:
            if question.metric == "time_in_status":
                row = self._row(question, order, left_at)
                row.counts["count"] += 1
                row.microseconds.append((left_at - entered_at) // _MICROSECOND)
            elif question.metric == "rejections_per_dispatch":
                row = self._row(question, order, left_at)
                row.counts["rejections"] += next_status is Status.REJECTED
                row.counts["dispatches"] += order.status is Status.DISPATCHED

    def _row(self, question: Question, order: WorkOrder, moment: datetime | None) -> _Row:
        values = tuple(_text(getattr(order, name)) for name in question.group_by)
        if question.grain is not None and moment is not None:
            values = (self._period(moment, question.grain), *values)
        return self._rows[question][values]

    def _period(self, moment: datetime, grain: str) -> str:
        local = moment.astimezone(self._zone)
        if grain == "day":
            return local.date().isoformat()
        return local.replace(minute=0, second=0, microsecond=0).isoformat(timespec="seconds")

    def differences(self, question: Question, shown: Iterable[Mapping[str, Any]]) -> list[str]:
        """Where reporting's rows are not ours."""
        theirs = {tuple(row[name] for name in question.keys): row for row in shown}
        ours = {key: row for key, row in self._rows[question].items() if any(row.counts.values())}
        told = []
        for key in sorted({*theirs, *ours}, key=repr):
            told += _compared(question, key, ours.get(key), theirs.get(key))
        return told


def _compared(question: Question, key: Key, ours: _Row | None, theirs: Mapping[str, Any] | None) -> list[str]:
    name = ", ".join(str(part) for part in key)
    expected = {measure: _measure(measure, ours or _Row()) for measure in question.measures}
    found = {measure: (theirs or {}).get(measure) for measure in question.measures}
    if theirs is None and not any(expected.values()):
        return []
    return [
        f"{question}: {name}: {measure} is {found[measure]}, the recount gives {value}"
        for measure, value in expected.items()
        if not _is_same(value, found[measure])
    ]


def _measure(measure: str, row: _Row) -> float | int | None:
    if measure == "sum":
        return sum(row.microseconds) / 1_000_000
    if measure in ("p50", "p90"):
        return percentile(sorted(row.microseconds), int(measure[1:]) / 100)
    return row.counts[measure]


def percentile(ordered: Sequence[int], share: float) -> float | None:
    """Seconds from sorted microseconds, between the two nearest where it falls between."""
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return (ordered[low] + (ordered[high] - ordered[low]) * (place - low)) / 1_000_000


def _is_same(one: float | int | None, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, int | float):
        # A sum of a hundred thousand durations in binary fractions; a wrong one is wrong by whole seconds.
        return abs(one - other) <= max(_TOLERANCE_SECONDS, abs(one) * 1e-9)
    return one == other


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
