"""How things stand at this moment: calls that wait, agents, today's figures, orders not finished, limits near.

Each snapshot is whole: who has the latest has everything. Its id changes when the record or the projections
behind it, or the rules of figures, have changed.
"""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chassis.database import Database, Statements
from reporting.event_store import StreamState
from reporting.figures.counting import Arguments, counted, filler
from reporting.figures.counting import snapshot as one_moment
from reporting.figures.question import Question, metric_of
from reporting.figures.rules import FigureRules, get_figure_rules
from reporting.metrics import Dimension
from reporting.metrics.calls import ROLES as SEES_CALLS
from reporting.metrics.presence import STATES_NOW

_TODAY = ("calls_offered", "calls_answered", "connect_rate", "service_level_3", "abandonment_rate", "speed_of_answer")
# A call of which nothing was heard for so long does not wait any more, whatever its switch has forgotten to tell.
_WAITS_AT_MOST = timedelta(hours=4)
_CLOCKS_LISTED = 20


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and by which clock."""

    roles: frozenset[str]
    areas: tuple[str, ...] | None
    time_zone: str | None
    """None: that of the rules, also when they change while somebody looks on."""

    @property
    def sees_calls(self) -> bool:
        """Calls belong to no work area: who sees some only sees none of them."""
        return self.areas is None and not self.roles.isdisjoint(SEES_CALLS)


@dataclass(frozen=True, slots=True)
class _Look:
    """One look of a viewer: all that it shows is of one moment, and by the rules of then."""

    statements: Statements
    state: StreamState
    rules: FigureRules
    viewer: Viewer
    now: datetime

    @property
    def time_zone(self) -> str:
        return self.viewer.time_zone or self.rules.time_zone

    def question(self, metric_id: str) -> Question:
        return Question(
            metric=metric_of(metric_id, None, roles=self.viewer.roles),
            at=self.now,
            rules=self.rules,
            time_zone=self.time_zone,
            areas=self.viewer.areas,
        )

    async def counted(self, question: Question) -> list[dict[str, Any]]:
        return await counted(self.statements, self.state, question)


async def snapshot(db: Database, viewer: Viewer, now: datetime) -> dict[str, Any]:
    async with one_moment(db) as (statements, state):
        rules = await get_figure_rules(statements)
        look = _Look(statements, state, rules, viewer, now)
        return {
            "id": f"{state.generation}-{state.message_count}-{rules.version}",
            "at": now,
            "newest_event_at": state.recorded_at,
            "lag_seconds": _seconds(now, state.recorded_at),
            "areas": None if viewer.areas is None else list(viewer.areas),
            "calls": await _calls(look) if viewer.sees_calls else None,
            "orders": await _orders(look),
            "limits": await _limits(look),
        }


def _seconds(now: datetime, moment: datetime | None) -> float | None:
    return None if moment is None else max((now - moment).total_seconds(), 0.0)


async def _calls(look: _Look) -> dict[str, Any]:
    waiting = await look.statements.fetch(
        f"""select queue, count(*) as waiting, min(moment) as since from legs_{look.state.live}
            where moment > $1 and direction = 'inbound' and outcome = 'waiting' group by queue order by queue""",
        look.now - _WAITS_AT_MOST,
    )
    agents = await _agents(look)
    waits = [_seconds(look.now, row["since"]) for row in waiting]
    return {
        "waiting": sum(row["waiting"] for row in waiting),
        "longest_wait_seconds": max(waits, default=None),
        "queues": [
            {"queue": row["queue"], "waiting": row["waiting"], "longest_wait_seconds": wait}
            for row, wait in zip(waiting, waits, strict=True)
        ],
        "today": await _today(look),
        "silent_agents": agents.pop("silent", 0),
        "agents": agents,
    }


async def _today(look: _Look) -> dict[str, Any]:
    """Figures since midnight, by the same code as everywhere else."""
    zone = ZoneInfo(look.time_zone)
    midnight = datetime.combine(look.now.astimezone(zone).date(), time(), zone)
    today = {}
    for metric_id in _TODAY:
        (row,) = await look.counted(replace(look.question(metric_id), begin=midnight))
        today[metric_id] = {name: row[name] for name in ("value", "numerator", "denominator")}
    return today


async def _agents(look: _Look) -> dict[str, int]:
    """How many agents are in which state, and of how many nothing was heard for longer than the rule."""
    asked = replace(look.question("occupancy"), begin=look.now, end=look.now)
    arguments = Arguments()
    sql = filler(asked, look.state.live, arguments)(STATES_NOW)
    rows = await look.statements.fetch(sql, *arguments.values)
    return {row["state"]: row["agents"] for row in rows}


async def _orders(look: _Look) -> dict[str, Any]:
    question = look.question("backlog_age")
    ages = await look.counted(replace(question, group_by=(Dimension.STATUS,)))
    totals = await look.counted(question)
    return {
        "statuses": [
            {
                "status": row["status"],
                "orders": row["denominator"],
                "p50_seconds": row["p50"],
                "p90_seconds": row["p90"],
            }
            for row in ages
        ],
        "orders": totals[0]["denominator"],
        "p90_seconds": totals[0]["p90"],
    }


async def _limits(look: _Look) -> dict[str, Any]:
    """How many clocks are near their limit and over it, and those that are over it next."""
    counts, near = {}, look.rules.near_seconds
    for name in ("near_limit", "over_limit"):
        (row,) = await look.counted(look.question(name))
        counts[name] = row["value"]
    rows = await look.statements.fetch(
        f"""select due.order_id, clock, due_at, work_area_id,
                convert_from(created.data, 'UTF8')::json->>'order_no' as order_no
            from (select * from clocks_{look.state.live} where until_known_at is null and stopped_at is null
                    and state = 'running' and due_at >= $1 and due_at <= $2
                    and ($3::text[] is null or work_area_id = any($3))
                order by due_at, order_id, clock limit {_CLOCKS_LISTED}) as due
            join messages as created on created.order_id = due.order_id and created.order_version = 1
            order by due_at, due.order_id, clock""",
        look.now,
        look.now + timedelta(seconds=near),
        None if look.viewer.areas is None else list(look.viewer.areas),
    )
    return {
        "near_seconds": near,
        **counts,
        "next": [{**dict(row), "seconds_left": _seconds(row["due_at"], look.now)} for row in rows],
    }
