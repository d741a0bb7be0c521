"""The usual sums of days that are over, made in advance: as a whole and by each dimension except persons.

A job of the worker. What a day costs is its own rows, read once for each metric: grouping sets give all groups of
one reading. A day is summed when it is over and again when something of it has changed, so the cost is of what
came in and not of what is there. That a day was summed for all metrics of one kind stands beside the sums under a
shape of its own, and grows stale as they do.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chassis.database import Database, Statements, is_transient
from chassis.wakeup import Wakeup
from reporting.figures import day_sums_store, days
from reporting.figures.query import sql_by_day
from reporting.figures.question import Question
from reporting.figures.rules import FigureRules
from reporting.figures.rules_store import get_figure_rules
from reporting.figures.views import FiguresNotBuilt, row_of, snapshot
from reporting.metrics import REGISTRY, Dimension, Metric, MetricKind
from reporting.record.event_store import StreamState, get_stream_state

log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 20.0
_DAYS_AT_ONCE = 10
_DAY = timedelta(days=1)
_LONGEST_QUIET_DAYS = 31
_NEWEST = [versions[-1] for versions in REGISTRY.values()]
"""An earlier version is counted from its rows, like any other unusual question."""
_ALIKE = [one for one in _NEWEST if one.kind is not MetricKind.INTERPOLATED and one.has_periods]

Alike = Sequence[Metric]


def _alike() -> list[Alike]:
    """Metrics whose sums of a day grow stale together."""
    found: dict[Any, list[Metric]] = defaultdict(list)
    for metric in _ALIKE:
        found[metric.source.tables, metric.reach].append(metric)
    return list(found.values())


KINDS = _alike()


async def sum_days(db: Database, _: Wakeup) -> None:
    """A job of the worker: sums what is to be summed, for as long as it runs."""
    cleared = 0
    while True:
        try:
            for alike in KINDS:
                while await sum_some(db, alike, now=datetime.now(UTC)):
                    pass
            cleared = await _clear(db, cleared)
        except FiguresNotBuilt:
            pass
        except Exception as error:
            # Without the sums figures are the same and slower: nothing else has to stop for it.
            log.warning(
                "summing of days failed, retrying: %s: %s",
                type(error).__name__,
                error,
                exc_info=not is_transient(error),
            )
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


async def _clear(db: Database, cleared: int) -> int:
    """Once for each set that is shown: deletes the sums of those before it. Returns the generation shown."""
    async with db.statements() as statements:
        generation = (await get_stream_state(statements)).generation
    if generation != cleared:
        while await day_sums_store.forget_older(db):
            pass
    return generation


async def sum_some(db: Database, alike: Alike, *, now: datetime) -> bool:
    """Sums a run of days, the latest that have to be; whether there were any."""
    async with snapshot(db) as (statements, state):
        rules = await get_figure_rules(statements)
        run = await _next_run(statements, state, rules, alike, now)
    if not run:
        return False
    for metric in alike:
        for made in await _made(db, _question(metric, rules, now), run):
            await day_sums_store.keep(db, made)
    # As of before the sums: what has changed since makes this stale, and them as well or needlessly summed again.
    done = days.Kept(_name_of(alike, state, rules), state.message_count, {day: [] for day in run})
    await day_sums_store.keep(db, done)
    return True


async def _next_run(
    statements: Statements, state: StreamState, rules: FigureRules, alike: Alike, now: datetime
) -> list[date]:
    touched = await day_sums_store.days_touched(statements, alike[0].source.tables)
    if not touched:
        return []
    asked = _question(alike[0], rules, now)
    settled = [day for day in _with_quiet_days(touched) if days.is_settled(asked, state, day)]
    known = await day_sums_store.kept(statements, asked, _name_of(alike, state, rules), settled)
    runs = days.runs(settled, known)
    return runs[-1][-_DAYS_AT_ONCE:] if runs else []


def _with_quiet_days(touched: Sequence[date]) -> list[date]:
    """Days of which something is known, those on either side, and gaps between them unless they are long.

    One record may bear a time of decades ago: the days since then are not summed.
    """
    found: list[date] = []
    for day in touched:
        first = day - _DAY
        if found and (day - found[-1]).days <= _LONGEST_QUIET_DAYS:
            first = found[-1] + _DAY
        found.extend(first + _DAY * place for place in range((day - first).days + 2))
    return found


def _name_of(alike: Alike, state: StreamState, rules: FigureRules) -> str:
    """The shape under which it is noted that a day was summed for all of them; other rules are another shape."""
    names = " ".join(f"{metric.id}.{metric.version}" for metric in alike)
    taken = {name for metric in alike for name in metric.parameters}
    thresholds = " ".join(f"{name}={seconds}" for name, seconds in rules.thresholds.items() if name in taken)
    return f"{state.generation} {rules.time_zone} {thresholds} {names}"


async def _made(db: Database, usual: Question, run: Sequence[date]) -> list[days.Kept]:
    """The sums of a metric, one shape for each way of grouping."""
    asked = days.between(usual, run[0], run[-1])
    async with snapshot(db) as (statements, state):
        found = await _grouped(statements, state, asked)
    made = []
    for dimensions, rows in found.items():
        question = replace(asked, group_by=dimensions)
        sums = days.by_day(rows, question, run, {})
        made.append(days.Kept(days.shape_of(question, state), state.message_count, sums))
    return made


def _question(metric: Metric, rules: FigureRules, now: datetime) -> Question:
    return Question(metric=metric, at=now, rules=rules, time_zone=rules.time_zone)


async def _grouped(
    statements: Statements, state: StreamState, asked: Question
) -> Mapping[tuple[Dimension, ...], list[dict[str, Any]]]:
    """The rows of each day, as a whole and by each dimension."""
    groups = [dimension for dimension in asked.metric.dimensions if dimension not in days.PERSONS]
    sql, arguments = sql_by_day(asked, state.live, groups)
    by_level: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in await statements.fetch(sql, *arguments):
        by_level[row["level"]].append(row_of(row))
    found = {}
    # Every bit of the level stands for a dimension that was added up, the last dimension for the lowest.
    everything = 2 ** len(groups) - 1
    for place, ways in enumerate([(), *((group,) for group in groups)]):
        level = everything if place == 0 else everything - 2 ** (len(groups) - place)
        question = replace(asked, group_by=ways)
        rows = by_level[level]
        names = (*question.keys, *days.SUMMED, "buckets")
        found[ways] = [{name: row[name] for name in names if name in row} for row in rows]
    return found
