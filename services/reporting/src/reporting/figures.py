"""A figure: one metric, asked for a window, a grouping and a grain, counted from the projections.

Everything about one answer is read in one snapshot: the rows, the generation of projections they come
from and how far the stream was read. The tables are locked against being emptied before the snapshot is
taken, because a rebuild empties the set that is not shown, and TRUNCATE does not respect older snapshots.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import asyncpg

from chassis.database import Database, Statements
from contracts.refusals import Forbidden, Invalid, NotFound
from contracts.topics import WORK_ORDERS
from reporting.event_store import StreamState, get_stream_state
from reporting.metrics import REGISTRY, Dimension, Grain, Metric

MOST_ROWS = 10_000
CALENDAR = "Gregorian, weeks from Monday (ISO 8601)"


class MetricNotFound(NotFound):
    """There is no metric {metric}; there are {known}."""

    zh = "没有指标 {metric}；现有：{known}。"


class MetricNotForRole(Forbidden):
    """Metric {metric} is for the roles {needed}."""

    zh = "指标 {metric} 仅限角色 {needed}。"


class DimensionNotOfMetric(Invalid):
    """Metric {metric} cannot be grouped by {dimension}; it can by {dimensions}."""

    zh = "指标 {metric} 不能按 {dimension} 分组；可用：{dimensions}。"


class MetricWithoutTime(Invalid):
    """Metric {metric} is of the present moment; it takes no from, to or grain."""

    zh = "指标 {metric} 反映当前状况，不接受 from、to 或 grain。"


class WindowInverted(Invalid):
    """The window ends before it begins."""

    zh = "时间窗口的结束早于开始。"


class TimeZoneUnknown(Invalid):
    """There is no time zone {time_zone}; send a name such as Asia/Shanghai."""

    zh = "没有时区 {time_zone}；请使用如 Asia/Shanghai 的名称。"


class TooManyRows(Invalid):
    """That would be more than {limit} rows; ask for a shorter window, a longer grain or fewer groups."""

    zh = "结果超过 {limit} 行；请缩短时间窗口、加大时间粒度或减少分组。"


FIGURE_REFUSALS = (
    MetricNotFound,
    MetricNotForRole,
    DimensionNotOfMetric,
    MetricWithoutTime,
    WindowInverted,
    TimeZoneUnknown,
    TooManyRows,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One figure that is asked for. `areas` is the caller's scope, None for every work area."""

    metric: Metric
    group_by: tuple[Dimension, ...] = ()
    grain: Grain | None = None
    begin: datetime | None = None
    end: datetime | None = None
    time_zone: str = "Asia/Shanghai"
    areas: tuple[str, ...] | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        period = ("period",) if self.grain else ()
        return (*period, *(dimension.value for dimension in self.group_by))


def metric_of(metric_id: str, *, roles: frozenset[str]) -> Metric:
    """Raises `MetricNotFound` or `MetricNotForRole`."""
    metric = REGISTRY.get(metric_id)
    if metric is None:
        raise MetricNotFound(metric=metric_id, known=sorted(REGISTRY))
    if roles.isdisjoint(metric.roles):
        raise MetricNotForRole(metric=metric_id, needed=list(metric.roles))
    return metric


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def check(question: Question) -> None:
    """Raises what is wrong with a question."""
    metric = question.metric
    for dimension in question.group_by:
        if dimension not in metric.dimensions:
            raise DimensionNotOfMetric(
                metric=metric.id,
                dimension=dimension.value,
                dimensions=[allowed.value for allowed in metric.dimensions],
            )
    if metric.moment is None and (question.grain or question.begin or question.end):
        raise MetricWithoutTime(metric=metric.id)
    if question.begin and question.end and question.end < question.begin:
        raise WindowInverted()
    if question.time_zone not in _time_zones():
        raise TimeZoneUnknown(time_zone=question.time_zone)


@asynccontextmanager
async def snapshot(db: Database) -> AsyncIterator[Statements]:
    """Reads of one moment; neither set of projections is emptied under them."""
    async with db.begin() as tx:
        await tx.execute(
            "set transaction isolation level repeatable read, read only;"
            " lock table order_facts_a, order_facts_b, status_intervals_a, status_intervals_b in access share mode"
        )
        yield tx


async def figure(db: Database, question: Question) -> dict[str, Any]:
    """The answer with everything that says what it is."""
    check(question)
    async with snapshot(db) as statements:
        state = await get_stream_state(statements)
        return {
            **described(question),
            **await read_up_to(statements, state),
            "rows": await counted(statements, state, question),
        }


def described(question: Question) -> dict[str, Any]:
    metric = question.metric
    return {
        "metric": {"id": metric.id, "version": metric.version, "unit": metric.unit, "formula": metric.formula},
        "window": {"from": question.begin, "to": question.end},
        "grain": question.grain,
        "time_zone": question.time_zone,
        "calendar": CALENDAR,
        "group_by": list(question.group_by),
        "areas": None if question.areas is None else list(question.areas),
    }


async def read_up_to(statements: Statements, state: StreamState) -> dict[str, Any]:
    rows = await statements.fetch("select partition, next_offset from positions where topic = $1", WORK_ORDERS.name)
    return {
        "generation": state.generation,
        "read_up_to": {
            "positions": {str(row["partition"]): row["next_offset"] for row in rows},
            "message_count": state.message_count,
            "recorded_at": state.recorded_at,
        },
    }


async def counted(statements: Statements, state: StreamState, question: Question) -> list[dict[str, Any]]:
    """The rows by period and group; raises `TooManyRows`."""
    sql, arguments = _sql(question, state.live)
    try:
        rows = await statements.fetch(sql, *arguments)
    except asyncpg.InvalidParameterValueError as error:
        # This server's list of time zones is not the one of this machine.
        raise TimeZoneUnknown(time_zone=question.time_zone) from error
    if len(rows) > MOST_ROWS:
        raise TooManyRows(limit=MOST_ROWS)
    zone = ZoneInfo(question.time_zone)
    return [finished(question.metric, _with_period(dict(row), zone)) for row in rows]


def _with_period(row: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    if isinstance(row.get("period"), datetime):
        row["period"] = hour_label(row["period"], zone)
    return row


def hour_label(moment: datetime, zone: ZoneInfo) -> str:
    """The beginning of an hour with its offset: the hour that a clock change repeats is two hours."""
    try:
        return moment.astimezone(zone).isoformat(timespec="seconds")
    except OverflowError:
        return moment.isoformat(timespec="seconds")


def finished(metric: Metric, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its mean or ratio, and no more digits than a microsecond has."""
    shown = {name: round(value, 6) if isinstance(value, float) else value for name, value in row.items()}
    if metric.quotient:
        shown[metric.quotient.name] = metric.quotient.of(shown)
    return shown


def _sql(question: Question, live: str) -> tuple[str, list[Any]]:
    metric, arguments = question.metric, []

    def given(value: Any) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    columns = [_period(question, given)] if question.grain else []
    columns += [dimension.value for dimension in question.group_by]
    columns += [f'{aggregate} as "{name}"' for name, aggregate in metric.sums.items()]
    columns += [_percentile(name, share) for name, share in metric.percentiles.items()]
    conditions = ["true"]
    if question.begin:
        conditions.append(f"{metric.moment} >= {given(question.begin)}")
    if question.end:
        conditions.append(f"{metric.moment} < {given(question.end)}")
    if question.areas is not None:
        conditions.append(f"work_area_id = any({given(list(question.areas))})")
    sql = f"select {', '.join(columns)} from {metric.source.value}_{live} where {' and '.join(conditions)}"
    if question.keys:
        places = ", ".join(str(place) for place in range(1, len(question.keys) + 1))
        sql += f" group by {places} order by {places}"
    return f"{sql} limit {MOST_ROWS + 1}", arguments


def _period(question: Question, given: Any) -> str:
    """Days and longer are dates of the zone's calendar; hours are moments, because a date has some twice."""
    moment, grain, zone = question.metric.moment, question.grain, question.time_zone
    if grain is Grain.HOUR:
        return f"date_trunc('hour', {moment}, {given(zone)}) as period"
    return f"to_char(date_trunc('{grain.value}', {moment} at time zone {given(zone)}), 'YYYY-MM-DD') as period"


def _percentile(name: str, share: float) -> str:
    seconds = "extract(epoch from left_at - entered_at)::float8"
    return f'percentile_cont({share}) within group (order by {seconds}) as "{name}"'


def row_keys(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    """The rows by what they are grouped by."""
    return {tuple(row[key] for key in keys): row for row in rows}
