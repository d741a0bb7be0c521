"""A question as SQL over the projections.

The text follows from expressions of the registry, so it is put together by hand: what a metric counts is data, and
its SQL stands in `metrics`. Values are parameters, never text.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reporting.figures.as_of_store import table_of
from reporting.figures.buckets import SHARES, bucket_sql
from reporting.figures.periods import period_sql, slice_of
from reporting.figures.question import Question
from reporting.metrics import Dimension, Grain, Metric, MetricKind
from reporting.projections import calls, follow_ups

MOST_BUCKETS = 500_000
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)


class Arguments:
    """The `$1` parameters of a statement, as they are given."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def give(self, value: Any) -> str:
        self.values.append(value)
        return f"${len(self.values)}"


def sql_of(question: Question, live: str) -> tuple[str, list[Any]]:
    """The groups in no order: to have them in order, PostgreSQL would sort every row of a year on the disk."""
    arguments = Arguments()
    fill = filler(question, live, arguments)
    metric = question.metric
    columns = [f"{metric.source.column(dimension)} as {dimension.value}" for dimension in question.group_by]
    if question.grain:
        columns.insert(0, f"{_period(question, question.grain, arguments)} as period")
    keys = len(question.keys)
    measures = measures_of(question, fill)
    if metric.kind is MetricKind.DISTRIBUTION:
        columns.append(f"{bucket_sql(fill(metric.numerator))} as bucket")
        keys += 1
    sql = f"select {', '.join([*columns, *measures])} from {rows_of(question, live, arguments)}"
    if keys:
        sql += f" group by {', '.join(str(place) for place in range(1, keys + 1))}"
    sql = f"{sql} limit {MOST_BUCKETS + 1}"
    if metric.kind is MetricKind.DISTRIBUTION:
        sql = _with_histograms(metric, question.keys, sql)
    return sql, arguments.values


def _with_histograms(metric: Metric, keys: Sequence[str], buckets: str) -> str:
    """Groups with their buckets, of rows of one bucket each: hundreds of rows come here, not as many thousands."""
    counts = ("denominator", "unknown", *(("marked",) if metric.source.has_marks else ()))
    columns = [
        *keys,
        "sum(numerator) as numerator",
        *(f"sum({name})::bigint as {name}" for name in counts),
        "coalesce(array_agg(bucket) filter (where bucket is not null), '{}') as buckets",
        "coalesce(array_agg(denominator) filter (where bucket is not null), '{}') as counts",
    ]
    by = f" group by {', '.join(keys)}" if keys else ""
    return f"select {', '.join(columns)} from ({buckets}) as bucketed{by}"


def _period(question: Question, grain: Grain, arguments: Arguments) -> str:
    moment, window = question.metric.source.moment or "", (question.begin, question.end)
    return period_sql(grain, moment, question.time_zone, window, arguments.give)


def measures_of(question: Question, fill: Callable[[str], str]) -> list[str]:
    """Both sums, of the rows in which both are known, and how many rows are not; how many are marked."""
    metric = question.metric
    above = fill(metric.numerator)
    marked = ["count(*) filter (where faults is not null) as marked"] if metric.source.has_marks else []
    if metric.kind is MetricKind.COUNT:
        unknown = [] if metric.numerator == "1" else [f"count(*) filter (where ({above}) is null) as unknown"]
        return [f"sum({above}) as numerator", *unknown, *marked]
    below = fill(metric.denominator or "1")
    measures = [
        f"sum({above}) filter (where ({below}) is not null) as numerator",
        f"coalesce(sum({below}) filter (where ({above}) is not null), 0) as denominator",
        f"count(*) filter (where ({above}) is null or ({below}) is null) as unknown",
        *marked,
    ]
    if metric.kind is MetricKind.INTERPOLATED:
        measures += [
            f"percentile_cont({share}) within group (order by {above}) as {name}" for name, share in SHARES.items()
        ]
    return measures


class _Filling(dict[str, str]):
    """What stands in the braces of a metric's expressions; a moment is a parameter once it is asked for."""

    def __init__(self, question: Question, live: str, arguments: Arguments) -> None:
        super().__init__(upto="'infinity'::timestamptz", live=live, slice=slice_of(question.time_zone))
        self |= {name: str(seconds) for name, seconds in question.thresholds.items()}
        self["legs"] = table_of(calls.TABLE.name, live, question)
        self |= {table.name: table.of(live) for table in (follow_ups.TABLE, follow_ups.ORDERS_TABLE)}
        self["table"] = table_of(question.metric.source.table, live, question)
        self._moments = {
            "at": question.at,
            "upto": question.as_of,
            "begin": question.begin or _LONG_AGO,
            "end": question.end or question.at + _AHEAD,
        }
        self._arguments = arguments
        if question.as_of:
            del self["upto"]

    def __missing__(self, name: str) -> str:
        self[name] = f"{self._arguments.give(self._moments[name])}::timestamptz"
        return self[name]


def filler(question: Question, live: str, arguments: Arguments) -> Callable[[str], str]:
    filling = _Filling(question, live, arguments)
    return lambda expression: expression.format_map(filling)


def rows_of(question: Question, live: str, arguments: Arguments, *, known: str | None = None) -> str:
    """What is counted: the rows of the metric, in its window, known as of the moment, in the caller's scope."""
    metric, source = question.metric, question.metric.source
    fill = filler(question, live, arguments)
    conditions = [fill(known or source.known), fill(metric.where)]
    if question.begin:
        conditions.append(f"{source.moment} >= {arguments.give(question.begin)}")
    if question.end:
        conditions.append(f"{source.moment} < {arguments.give(question.end)}")
    if question.areas is not None:
        conditions.append(f"work_area_id = any({arguments.give(list(question.areas))}::text[])")
    for dimension, value in question.only:
        conditions.append(f"{source.column(dimension)} is not distinct from {arguments.give(value)}::text")
    relation = fill(source.relation or "{table}")
    return f"{relation} as fact where {' and '.join(f'({one})' for one in conditions)}"


def sql_by_day(asked: Question, live: str, groups: Sequence[Dimension]) -> tuple[str, list[Any]]:
    """The sums of each day, as a whole and by each dimension: grouping sets give all groups of one reading."""
    arguments = Arguments()
    fill = filler(asked, live, arguments)
    metric = asked.metric
    period, source = _period(asked, Grain.DAY, arguments), metric.source
    columns = [f"{period} as period", *(f"{source.column(group)} as {group.value}" for group in groups)]
    sets = [["1"], *(["1", str(place)] for place in range(2, len(groups) + 2))]
    if metric.kind is MetricKind.DISTRIBUTION:
        columns.append(f"{bucket_sql(fill(metric.numerator))} as bucket")
        sets = [[*one, str(len(columns))] for one in sets]
    level = f"grouping({', '.join(map(source.column, groups))})" if groups else "0"
    chosen = ", ".join([*columns, f"{level} as level", *measures_of(asked, fill)])
    by = ", ".join(f"({', '.join(one)})" for one in sets)
    sql = f"select {chosen} from {rows_of(asked, live, arguments)} group by grouping sets ({by})"
    if metric.kind is MetricKind.DISTRIBUTION:
        sql = _with_histograms(metric, ["period", *(group.value for group in groups), "level"], sql)
    return sql, arguments.values
