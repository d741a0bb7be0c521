"""The same figures, counted again from the raw events: law 9 of the design, as code.

Nothing here is shared with the projections: orders are folded by `contracts.order`, periods are found by
Python's calendar, sums are whole microseconds, percentiles are interpolated by hand.
"""

import asyncio
from array import array
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from chassis.database import Database, Statements
from contracts.lifecycle import Status
from contracts.message import Message
from contracts.order import WorkOrder, apply
from reporting import figures
from reporting.event_store import events_by_order, get_stream_state
from reporting.figures import Question
from reporting.metrics import Dimension, Grain, Source

_EVENTS_A_PAGE = 1000
_TOLERANCE = 0.000_01
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stay:
    """An order was in a status from one moment until another; `order` is the order as it then was."""

    order: WorkOrder
    next_status: Status
    entered_at: datetime
    left_at: datetime


def stays_of(events: Iterable[Message]) -> tuple[WorkOrder, list[Stay]]:
    """An order folded from its first event to its last, and the stays that have ended."""
    order, entered_at, stays = None, None, []
    for message in events:
        after = apply(order, message)
        if order is None:
            entered_at = message.occurred_at
        elif after.status is not order.status:
            left_at = max(entered_at, message.occurred_at)
            stays.append(Stay(order, after.status, entered_at, left_at))
            entered_at = left_at
        order = after
    return order, stays


@dataclass(slots=True)
class _Sums:
    """What is known of one row: the microseconds of its intervals, and its counts."""

    microseconds: array = field(default_factory=lambda: array("q"))
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


class Tally:
    """Counts orders one by one into the rows of a question."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._zone = ZoneInfo(question.time_zone)
        self._rows: dict[tuple[Any, ...], _Sums] = {} if question.keys else {(): _Sums()}

    def take(self, events: Iterable[Message]) -> None:
        order, stays = stays_of(events)
        if self._question.metric.source is Source.ORDERS:
            row = self._row_of(order, order.created.at)
            if row is not None:
                row.count("count")
            return
        for stay in stays:
            self._take_stay(stay)

    def _take_stay(self, stay: Stay) -> None:
        row = self._row_of(stay.order, stay.left_at)
        if row is None:
            return
        row.microseconds.append((stay.left_at - stay.entered_at) // _MICROSECOND)
        row.count("count")
        if stay.next_status is Status.REJECTED:
            row.count("rejections")
        if stay.order.status is Status.DISPATCHED:
            row.count("dispatches")

    def _row_of(self, order: WorkOrder, moment: datetime) -> _Sums | None:
        asked = self._question
        if asked.areas is not None and order.work_area_id not in asked.areas:
            return None
        if (asked.begin and moment < asked.begin) or (asked.end and moment >= asked.end):
            return None
        period = (period_of(moment, asked.grain, self._zone),) if asked.grain else ()
        return self._rows.setdefault((*period, *(_value(order, one) for one in asked.group_by)), _Sums())

    def rows(self) -> list[dict[str, Any]]:
        """As the figure shows them, in no particular order."""
        metric = self._question.metric
        shown = []
        for key, sums in self._rows.items():
            row: dict[str, Any] = dict(zip(self._question.keys, key, strict=True))
            row |= {name: sums.counts.get(name, 0) for name in metric.sums if name != "sum"}
            if "sum" in metric.sums:
                row["sum"] = sum(sums.microseconds) / 1_000_000
            ordered = sorted(sums.microseconds) if metric.percentiles else []
            row |= {name: percentile(ordered, share) for name, share in metric.percentiles.items()}
            shown.append(figures.finished(metric, row))
        return shown


def _value(order: WorkOrder, dimension: Dimension) -> str | None:
    value = getattr(order, dimension.value)
    return None if value is None else str(value)


def percentile(ordered: Sequence[int], share: float) -> float | None:
    """Seconds, from sorted microseconds, by linear interpolation between the two nearest."""
    if not ordered:
        return None
    below, part = divmod(share * (len(ordered) - 1), 1)
    low, high = ordered[int(below)], ordered[min(int(below) + 1, len(ordered) - 1)]
    return (low + (high - low) * part) / 1_000_000


def period_of(moment: datetime, grain: Grain, zone: ZoneInfo) -> str:
    """The period's first day in the zone; an hour's beginning with its offset."""
    if grain is Grain.HOUR:
        return _hour(moment, zone)
    day = moment.astimezone(zone).date()
    match grain:
        case Grain.WEEK:
            day -= timedelta(days=day.weekday())
        case Grain.MONTH:
            day = day.replace(day=1)
        case Grain.QUARTER:
            day = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        case Grain.YEAR:
            day = date(day.year, 1, 1)
    return day.isoformat()


def _hour(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return local.replace(minute=0, second=0, microsecond=0).isoformat(timespec="seconds")


async def recount(db: Database, question: Question) -> dict[str, Any]:
    """The figure as shown, as counted again, and where the two differ, all of one moment."""
    figures.check(question)
    async with figures.snapshot(db) as statements:
        state = await get_stream_state(statements)
        shown = await figures.counted(statements, state, question)
        read_up_to = await figures.read_up_to(statements, state)
        tally = Tally(question)
        async for events in _orders(statements):
            tally.take(events)
    recounted = tally.rows()
    differences = different(shown, recounted, question.keys)
    return {
        **figures.described(question),
        **read_up_to,
        "rows": shown,
        "recounted": recounted,
        "differences": differences,
        "is_equal": not differences,
    }


async def _orders(statements: Statements) -> AsyncIterator[list[Message]]:
    """The events of one order after the other."""
    after, begun = ("", 0), []
    while page := await events_by_order(statements, after, limit=_EVENTS_A_PAGE):
        after = (page[-1].subject, page[-1].order_version)
        *whole, begun = _by_order([*begun, *page])
        for events in whole:
            yield events
        await asyncio.sleep(0)  # other requests are answered in between
    if begun:
        yield begun


def _by_order(events: Iterable[Message]) -> Iterator[list[Message]]:
    return (list(group) for _, group in groupby(events, key=lambda message: message.subject))


def different(
    shown: Sequence[Mapping[str, Any]], recounted: Sequence[Mapping[str, Any]], keys: Sequence[str]
) -> list[dict[str, Any]]:
    """The rows that only one side has, or that are not the same to a hundredth of a millisecond."""
    left, right = figures.row_keys(shown, keys), figures.row_keys(recounted, keys)
    return [
        {"shown": left.get(key), "recounted": right.get(key)}
        for key in {**left, **right}
        if not _is_same(left.get(key), right.get(key))
    ]


def _is_same(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    if one is None or other is None or one.keys() != other.keys():
        return False
    return all(_is_close(value, other[name]) for name, value in one.items())


def _is_close(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= _TOLERANCE
    return one == other
