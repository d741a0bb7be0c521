"""Figures over many days, added up from stored sums of whole days.

Numerators, denominators, unknowns and buckets add up, so a day that is over is summed once for each shape of
question (metric, groups, zone, thresholds), and again only after a message has changed something of it:
each sum has the place of the record at which it was made, and `days_touched` the place at which the day last
changed. A figure is the same either way; only the time it takes differs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from reporting.figures.buckets import SHARES, percentiles
from reporting.figures.periods import first_day
from reporting.figures.question import Question
from reporting.metrics import Dimension, Grain, MetricKind
from reporting.record.event_store import StreamState

_DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)
_FEWEST_DAYS = 3
_MOST_DAYS = 4000
SUMMED = ("numerator", "denominator", "unknown", "marked")
"""What adds up over days, of a row that has it."""
_NEAR_DAYS = 3
PERSONS = (Dimension.AGENT, Dimension.STAFF)
"""Of these there are hundreds."""

DayRow = dict[str, Any]
DaySums = dict[date, list[DayRow]]


@dataclass(slots=True)
class Kept:
    """Sums that were made for an answer and are worth keeping."""

    shape: str
    message_count: int
    sums: DaySums


def days_asked(question: Question) -> list[date]:
    """The whole days that a question is made of; empty when it is not, or not worth it."""
    metric, zone = question.metric, ZoneInfo(question.time_zone)
    if metric.kind is MetricKind.INTERPOLATED or not metric.has_periods:
        return []
    if question.as_of or question.grain is Grain.HOUR or not (question.begin and question.end):
        return []
    if any(dimension in PERSONS for dimension, _ in question.only):
        return []  # the rows of one person are fewer than the sums of all
    begin, end = question.begin.astimezone(zone), question.end.astimezone(zone)
    if begin.time() != time() or end.time() != time():
        return []
    count = (end.date() - begin.date()).days
    return [begin.date() + _DAY * place for place in range(count)] if _FEWEST_DAYS <= count <= _MOST_DAYS else []


def summed(question: Question) -> Question:
    """The question whose sums answer this one: by whatever picks rows as well, so that the same sums serve."""
    picking = [dimension for dimension, _ in question.only]
    if question.areas is not None:
        picking.append(Dimension.WORK_AREA)
    return replace(question, group_by=tuple(dict.fromkeys((*question.group_by, *picking))), only=(), areas=None)


def adds_buckets(question: Question) -> bool:
    """Whether percentiles have to be made of several days or groups; those of one are kept as they are."""
    is_added = question.grain is not Grain.DAY or summed(question).group_by != question.group_by
    return question.metric.kind is MetricKind.DISTRIBUTION and is_added


def is_over(question: Question, state: StreamState, day: date) -> bool:
    """Whether the stream was read beyond the day, and beyond the days after it that have a say in it.

    Until then, what goes on is counted as going on.
    """
    _, after = question.metric.reach
    end = datetime.combine(day + _DAY * (1 + after), time(), ZoneInfo(question.time_zone))
    return state.recorded_at is not None and end <= min(question.at, state.recorded_at)


def shape_of(question: Question, state: StreamState) -> str:
    """What two questions have in common that the same sums answer."""
    metric = question.metric
    parts = (
        state.generation,
        metric.id,
        metric.version,
        question.time_zone,
        [dimension.value for dimension in question.group_by],
        question.thresholds,
    )
    return msgspec.json.encode(parts).decode()


def utc_days(question: Question, day: date) -> tuple[date, date]:
    """The first and the last day of UTC whose changes change a day's sums."""
    zone, (before, after) = ZoneInfo(question.time_zone), question.metric.reach
    begin, end = (datetime.combine(one, time(), zone).astimezone(UTC) for one in (day, day + _DAY))
    return begin.date() - _DAY * before, (end - _MOMENT).date() + _DAY * after


def is_settled(question: Question, state: StreamState, day: date) -> bool:
    """Whether every day of UTC that it lies in is over too.

    What changes it from then on is late: until then each call of the next day would have it summed again.
    """
    _, last = utc_days(question, day)
    end = datetime.combine(last + _DAY, time(), UTC)
    return is_over(question, state, day) and state.recorded_at is not None and end <= state.recorded_at


def missing(question: Question, days: Sequence[date], sums: Mapping[date, Any]) -> list[Question]:
    """Questions for the days that are not kept, day by day; where gaps are many they cover some that are."""
    return [between(question, run[0], run[-1]) for run in runs(days, sums)]


def runs(days: Sequence[date], sums: Mapping[date, Any]) -> list[list[date]]:
    """The days that are not kept, in runs of neighbours: what is near is counted in one statement."""
    found: list[list[date]] = []
    for day in days:
        if day in sums:
            continue
        if found and (day - found[-1][-1]).days <= _NEAR_DAYS:
            found[-1].append(day)
        else:
            found.append([day])
    return found


def between(question: Question, first: date, last: date) -> Question:
    """The question for these days and those between them, day by day."""
    zone = ZoneInfo(question.time_zone)
    begin, end = (datetime.combine(day, time(), zone) for day in (first, last + _DAY))
    return replace(question, grain=Grain.DAY, begin=begin, end=end)


def by_day(rows: Iterable[DayRow], question: Question, days: Sequence[date], sums: Mapping[date, Any]) -> DaySums:
    """The rows of `missing`, as they are kept; a day without any is kept as that."""
    assert question.begin
    assert question.end
    zone = ZoneInfo(question.time_zone)
    first, last = question.begin.astimezone(zone).date(), question.end.astimezone(zone).date()
    found: DaySums = {day: [] for day in days if first <= day < last and day not in sums}
    for row in rows:
        day = row["period"]
        if day in found:
            plain = {name: value for name, value in row.items() if name != "period"}
            if "buckets" in plain:
                plain |= percentiles(plain["buckets"])
                plain["buckets"] = list(plain["buckets"].items())
            found[day].append(_whole(plain))
    return found


def _whole(row: DayRow) -> DayRow:
    """PostgreSQL's sums of big numbers are decimals."""
    for name in SUMMED:
        if row.get(name) is not None:
            row[name] = int(row[name])
    return row


def together(question: Question, sums: Mapping[date, Iterable[DayRow]]) -> list[DayRow]:
    """Days added up to the periods and groups of the question, as the database would have."""
    merged: dict[tuple[Any, ...], DayRow] = {}
    names = [dimension.value for dimension in question.group_by]
    for day in sorted(sums):
        period = (first_day(day, question.grain),) if question.grain else ()
        for row in sums[day]:
            if not _is_picked(question, row):
                continue
            key = (*period, *(row[name] for name in names))
            into = merged.get(key)
            if into is None:
                merged[key] = into = dict(zip(question.keys, key, strict=True))
            _add(into, row)
    if not merged and not question.keys:
        merged[()] = {"buckets": {}} if question.metric.kind is MetricKind.DISTRIBUTION else {}
    return in_order(question, merged.values())


def in_order(question: Question, rows: Iterable[DayRow]) -> list[DayRow]:
    """By period and groups, what has none of a group last."""
    return sorted(rows, key=lambda row: [(row[name] is None, row[name] or "") for name in question.keys])


def _is_picked(question: Question, row: DayRow) -> bool:
    if question.areas is not None and row[Dimension.WORK_AREA.value] not in question.areas:
        return False
    return all(row[dimension.value] == value for dimension, value in question.only)


def _add(into: DayRow, row: DayRow) -> None:
    for name in SUMMED:
        if row.get(name) is not None:
            into[name] = into.get(name, 0) + row[name]
    if "buckets" not in row:
        into |= {name: row[name] for name in SHARES if name in row}
        return
    if "buckets" not in into:
        into["buckets"] = dict(row["buckets"])
        return
    buckets = into["buckets"]
    for bucket, count in row["buckets"]:
        buckets[bucket] = buckets.get(bucket, 0) + count
