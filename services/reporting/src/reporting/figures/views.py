"""A figure is counted: one statement over a projection, in one snapshot with how far the stream was read.

The tables are locked against being emptied before the snapshot is taken, because a rebuild empties the set
that is not shown, and TRUNCATE does not respect older snapshots.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from chassis.database import Database, Statements
from contracts.refusals import Invalid, Unavailable
from reporting.figures import day_sums_store, days
from reporting.figures.as_of_store import fold_past
from reporting.figures.buckets import SHARES, percentiles
from reporting.figures.display import displayed
from reporting.figures.periods import CALENDAR, TimeZoneUnknown, period_label
from reporting.figures.query import MOST_BUCKETS, sql_of
from reporting.figures.question import QUESTION_REFUSALS, Question, check
from reporting.metrics import MetricKind
from reporting.record.event_store import SHAPE, StreamState, get_stream_state
from reporting.tables import PROJECTIONS, SETS

MOST_ROWS = 10_000
_LOCKED = ", ".join(f"{table}_{name}" for table in PROJECTIONS for name in SETS)


class TooManyRows(Invalid):
    """The result would have more than {limit} rows; use a shorter window, a longer grain or fewer groups."""

    zh = "结果超过 {limit} 行；请缩短时间窗口、加大时间粒度或减少分组。"


class FiguresNotBuilt(Unavailable):
    """The figures are being rebuilt after an upgrade; retry when the rebuild is finished."""

    zh = "升级后正在根据记录重建统计数据，请在重建完成后重试。"


FIGURE_REFUSALS = (*QUESTION_REFUSALS, TooManyRows, FiguresNotBuilt)


@asynccontextmanager
async def snapshot(db: Database) -> AsyncIterator[tuple[Statements, StreamState]]:
    """Reads of one moment; neither set of projections is emptied under them."""
    async with db.begin() as tx:
        await tx.execute(f"set transaction isolation level repeatable read; lock table {_LOCKED} in access share mode")
        state = await get_stream_state(tx)
        if state.live_shape != SHAPE:
            raise FiguresNotBuilt()
        yield tx, state


async def figure(db: Database, question: Question, *, with_buckets: bool = False) -> dict[str, Any]:
    """The figure with its complete description."""
    check(question)
    async with snapshot(db) as (statements, state):
        rows, made = await _counted_by_days(statements, state, question, with_buckets=with_buckets)
        answer = {
            **described(question),
            **await read_up_to(statements, state, question),
            "rows": [shown(question, row, with_buckets=with_buckets) for row in rows],
        }
    if made is not None:
        await day_sums_store.keep(db, made)
    return answer


async def _counted_by_days(
    statements: Statements, state: StreamState, question: Question, *, with_buckets: bool
) -> tuple[list[dict[str, Any]], days.Kept | None]:
    """The rows, and sums of days that had to be made for them and are worth keeping."""
    asked = days.days_asked(question)
    if not asked:
        return await counted(statements, state, question), None
    by_sums = days.summed(question)
    shape = days.shape_of(by_sums, state)
    adds = with_buckets or days.adds_buckets(question)
    sums = await day_sums_store.kept(statements, question, shape, asked, with_buckets=adds)
    made: days.DaySums = {}
    for left in days.missing(by_sums, asked, sums):
        made |= days.by_day(await raw(statements, state, left), left, asked, sums)
    rows = [_finished(question, row) for row in days.together(question, sums | made)]
    if len(rows) > MOST_ROWS:
        raise TooManyRows(limit=MOST_ROWS)
    over = {day: sums for day, sums in made.items() if days.is_over(question, state, day)}
    return rows, days.Kept(shape, state.message_count, over) if over else None


def described(question: Question) -> dict[str, Any]:
    metric = question.metric
    return {
        "metric": {
            "id": metric.id,
            "version": metric.version,
            "kind": metric.kind,
            "unit": metric.unit,
            "formula": metric.formula,
        },
        "parameters": question.thresholds,
        "window": {"from": question.begin, "to": question.end},
        "grain": question.grain,
        "time_zone": question.time_zone,
        "calendar": CALENDAR,
        "group_by": list(question.group_by),
        "only": {dimension.value: value for dimension, value in question.only},
        "areas": None if question.areas is None else list(question.areas),
        "as_of": question.as_of,
        "at": question.at,
    }


async def read_up_to(statements: Statements, state: StreamState, question: Question) -> dict[str, Any]:
    rows = await statements.fetch("select topic, partition, next_offset from positions order by topic, partition")
    positions: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        positions[row["topic"]][str(row["partition"])] = row["next_offset"]
    end = question.end or question.as_of
    return {
        "generation": state.generation,
        "read_up_to": {
            "positions": positions,
            "message_count": state.message_count - state.call_message_count - state.quality_message_count,
            "call_message_count": state.call_message_count,
            "quality_message_count": state.quality_message_count,
            "recorded_at": state.recorded_at,
        },
        "is_complete": bool(end and state.recorded_at and state.recorded_at >= end),
    }


def shown(question: Question, row: Mapping[str, Any], *, with_buckets: bool) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name != "buckets"}
    if with_buckets and "buckets" in row:
        kept["buckets"] = dict(sorted(row["buckets"].items()))
    return kept | {"display": displayed(question.metric.unit, row)}


async def counted(statements: Statements, state: StreamState, question: Question) -> list[dict[str, Any]]:
    """The rows by period and group, with buckets where there is a distribution; raises `TooManyRows`."""
    found = await raw(statements, state, question)
    if len(found) > MOST_ROWS:
        raise TooManyRows(limit=MOST_ROWS)
    return [_finished(question, row) for row in days.in_order(question, found)]


async def raw(statements: Statements, state: StreamState, question: Question) -> list[dict[str, Any]]:
    """Both sums of each row, unfinished and in no order."""
    await fold_past(statements, state.live, question)
    sql, arguments = sql_of(question, state.live)
    try:
        found = await statements.fetch(sql, *arguments)
    except asyncpg.InvalidParameterValueError as error:
        # This server's list of time zones is not the one of this machine.
        raise TimeZoneUnknown(time_zone=question.time_zone) from error
    rows = list(map(row_of, found))
    if sum(max(1, len(row.get("buckets", ()))) for row in rows) > MOST_BUCKETS:
        raise TooManyRows(limit=MOST_ROWS)
    return rows


def row_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the database, with a histogram where there is a distribution."""
    row = dict(found)
    if "counts" in row:
        row["buckets"] = dict(zip(row["buckets"], row.pop("counts"), strict=True))
    return row


def _finished(question: Question, row: dict[str, Any]) -> dict[str, Any]:
    metric = question.metric
    if "period" in row:
        row["period"] = period_label(row["period"], ZoneInfo(question.time_zone))
    numerator, below = int(row.get("numerator") or 0), int(row.get("denominator") or 0)
    done = {name: row.pop(name) for name in question.keys}
    done["numerator"] = metric.above(numerator)
    done["denominator"] = None if metric.kind is MetricKind.COUNT else metric.below(below)
    done["value"] = metric.value(done["numerator"], done["denominator"])
    done |= {name: row[name] for name in ("unknown", "marked") if row.get(name)}
    if metric.kind is MetricKind.DISTRIBUTION:
        if "buckets" in row:
            done |= {**percentiles(row["buckets"]), "buckets": row["buckets"]}
        else:
            done |= {name: row[name] for name in SHARES}
    elif metric.kind is MetricKind.INTERPOLATED:
        done |= {name: None if row[name] is None else round(row[name] / 1_000_000, 6) for name in SHARES}
    return done
