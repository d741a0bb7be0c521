"""The state of the floor at this moment: calls that wait, agents, today's figures, open orders, limits near and over.

Each snapshot is whole, so a client needs only the latest. Its id changes when the record or the projections
behind it, the rules of figures or those of the wallboard have changed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chassis.database import Database, Statements
from contracts.access import Role
from contracts.directory import AgentDefined, Names
from reporting.figures.query import Arguments, filler
from reporting.figures.question import Question, metric_of
from reporting.figures.rules import FigureRules
from reporting.figures.rules_store import get_figure_rules
from reporting.figures.views import counted
from reporting.figures.views import snapshot as one_moment
from reporting.metrics import Dimension
from reporting.metrics.calls import ROLES as SEES_CALLS
from reporting.metrics.presence import AGENTS_NOW
from reporting.record.event_store import StreamState
from reporting.reports.rules_store import get_report_rules
from reporting.wallboard.levels import Level, Measure, WallboardRules
from reporting.wallboard.rules_store import get_wallboard_rules
from work_orders.directory import find_agents, find_area_names

_TODAY = ("calls_offered", "calls_answered", "connect_rate", "service_level_3", "abandonment_rate", "speed_of_answer")
# A call of which nothing was heard for so long does not wait any more, whatever its switch has forgotten to tell.
_WAITS_AT_MOST = timedelta(hours=4)
_CLOCKS_LISTED = 20
_AGENTS_LISTED = 500


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and by which clock."""

    roles: frozenset[str]
    areas: tuple[str, ...] | None
    time_zone: str | None
    """None: that of the rules, also when they change during a stream."""

    @property
    def reads_as(self) -> frozenset[str]:
        """The roles that figures are open to. A display shows what a supervisor's wallboard shows, and nothing else."""
        return self.roles | {Role.SUPERVISOR} if Role.DISPLAY in self.roles else self.roles

    @property
    def sees_calls(self) -> bool:
        """Calls belong to no work area, so a viewer of some work areas sees none of them."""
        return self.areas is None and not self.reads_as.isdisjoint(SEES_CALLS)


@dataclass(frozen=True, slots=True)
class _Look:
    """One look of a viewer: all that it shows is of one moment, and by the rules of then."""

    statements: Statements
    state: StreamState
    rules: FigureRules
    wallboard: WallboardRules
    queues: Mapping[str, Names]
    """By a queue's name at the switch, what a reader calls it: the names of reports."""
    viewer: Viewer
    now: datetime

    @property
    def time_zone(self) -> str:
        return self.viewer.time_zone or self.rules.time_zone

    def question(self, metric_id: str) -> Question:
        return Question(
            metric=metric_of(metric_id, None, roles=self.viewer.reads_as),
            at=self.now,
            rules=self.rules,
            time_zone=self.time_zone,
            areas=self.viewer.areas,
        )

    async def counted(self, question: Question) -> list[dict[str, Any]]:
        return await counted(self.statements, self.state, question)


async def snapshot(db: Database, viewer: Viewer, now: datetime) -> dict[str, Any]:
    async with one_moment(db) as (statements, state):
        rules, stored = await get_figure_rules(statements), await get_wallboard_rules(statements)
        names = (await get_report_rules(statements)).rules.queues
        look = _Look(statements, state, rules, stored.rules, names, viewer, now)
        shown = {
            "id": f"{state.generation}-{state.message_count}-{rules.version}-{stored.version}",
            "at": now,
            "time_zone": look.time_zone,
            "newest_event_at": state.recorded_at,
            "lag_seconds": _seconds(now, state.recorded_at),
            "areas": None if viewer.areas is None else list(viewer.areas),
            "calls": await _calls(look) if viewer.sees_calls else None,
            "orders": await _orders(look),
            "limits": await _limits(look),
        }
        return shown | {"levels": _levels(stored.rules, shown), "rules": asdict(stored.rules)}


def _levels(rules: WallboardRules, shown: dict[str, Any]) -> dict[Measure, Level]:
    return {measure: rules.level(measure, value) for measure, value in _values(shown)}


def _values(shown: dict[str, Any]) -> Iterable[tuple[Measure, float | None]]:
    calls, orders, limits = shown["calls"], shown["orders"], shown["limits"]
    if calls:
        yield Measure.WAITING, calls["waiting"]
        yield Measure.LONGEST_WAIT, calls["longest_wait_seconds"]
        yield Measure.READY_AGENTS, _ready(calls)
        for measure in _TODAY:
            if measure in list(Measure):
                yield Measure(measure), calls["today"][measure]["value"]
    yield Measure.OPEN_ORDERS, orders["orders"]
    yield Measure.BACKLOG_AGE, orders["p90_seconds"]
    yield Measure.NEAR_LIMIT, limits["near_limit"]
    yield Measure.OVER_LIMIT, limits["over_limit"]
    yield Measure.LAG, shown["lag_seconds"]


def _ready(calls: dict[str, Any]) -> int | None:
    """None where no agent has signed in; agents who are all silent are none that are ready."""
    return calls["agents"].get("ready", 0) if calls["agents"] or calls["silent_agents"] else None


def _seconds(now: datetime, moment: datetime | None) -> float | None:
    return None if moment is None else max((now - moment).total_seconds(), 0.0)


async def _calls(look: _Look) -> dict[str, Any]:
    waiting = await look.statements.fetch(
        f"""select queue, count(*) as waiting, min(moment) as since from legs_{look.state.live}
            where moment > $1 and direction = 'inbound' and outcome = 'waiting' group by queue order by queue""",
        look.now - _WAITS_AT_MOST,
    )
    waits = [_seconds(look.now, row["since"]) for row in waiting]
    agents = await _agents(look)
    people = [agent for agent in agents if agent.pop("is_heard")]
    return {
        "waiting": sum(row["waiting"] for row in waiting),
        "longest_wait_seconds": max(waits, default=None),
        "queues": [
            {
                "queue": row["queue"],
                "name": look.queues.get(row["queue"]),
                "waiting": row["waiting"],
                "longest_wait_seconds": wait,
                "level": look.wallboard.level(Measure.LONGEST_WAIT, wait),
            }
            for row, wait in zip(waiting, waits, strict=True)
        ],
        "today": await _today(look),
        "silent_agents": len(agents) - len(people),
        "agents": Counter(agent["state"] for agent in people),
        "people": people[:_AGENTS_LISTED],
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


async def _agents(look: _Look) -> list[dict[str, Any]]:
    """Agents by name with their state and since when, the worst level first, and whether they have been heard of.

    An agent on a call is on it, whatever their state is.
    """
    asked = replace(look.question("occupancy"), begin=look.now, end=look.now)
    arguments = Arguments()
    sql = filler(asked, look.state.live, arguments)(AGENTS_NOW)
    rows = await look.statements.fetch(sql, *arguments.values)
    known = await find_agents(look.statements, [row["agent_id"] for row in rows])
    agents = [_agent(look, row, known.get(row["agent_id"])) for row in rows]
    # A screen that cannot show all of them shows the most important.
    return sorted(agents, key=lambda one: (_WORST_FIRST[one["level"]], one["state"], one["name"], one["agent_id"]))


_WORST_FIRST = {Level.ALARM: 0, Level.WARNING: 1, Level.NORMAL: 2}


def _agent(look: _Look, row: Any, agent: AgentDefined | None) -> dict[str, Any]:
    seconds = _seconds(look.now, row["since"])
    return {
        "agent_id": row["agent_id"],
        "is_heard": row["is_heard"],
        "name": agent.name if agent else row["agent_id"],
        "team": row["team"] or (agent.team if agent else None),
        "state": row["state"],
        "reason": row["reason"],
        "since": row["since"],
        "seconds": seconds,
        "level": look.wallboard.level_of_state(row["state"], seconds),
    }


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
    """How many clocks are near their limit and over it, which are over it next, and which have been longest."""
    counts, near = {}, look.rules.near_seconds
    for name in ("near_limit", "over_limit"):
        (row,) = await look.counted(look.question(name))
        counts[name] = row["value"]
    upcoming = await _clocks(look, "due_at >= $1 and due_at <= $2", look.now + timedelta(seconds=near))
    over = await _clocks(look, "due_at < $1 and due_at > $2", datetime.min.replace(tzinfo=UTC))
    return {
        "near_seconds": near,
        **counts,
        "next": [{**clock, "seconds_left": _seconds(clock["due_at"], look.now)} for clock in upcoming],
        "over": [{**clock, "seconds_over": _seconds(look.now, clock["due_at"])} for clock in over],
    }


async def _clocks(look: _Look, due: str, bound: datetime) -> list[dict[str, Any]]:
    """Running clocks within the viewer's areas by when they are due, with the order's number and its area's name."""
    rows = await look.statements.fetch(
        f"""select due.order_id, clock, due_at, work_area_id,
                convert_from(created.data, 'UTF8')::json->>'order_no' as order_no
            from (select * from clocks_{look.state.live} where until_known_at is null and stopped_at is null
                    and state = 'running' and {due} and ($3::text[] is null or work_area_id = any($3))
                order by due_at, order_id, clock limit {_CLOCKS_LISTED}) as due
            join messages as created on created.order_id = due.order_id and created.order_version = 1
            order by due_at, due.order_id, clock""",
        look.now,
        bound,
        None if look.viewer.areas is None else list(look.viewer.areas),
    )
    names = await find_area_names(look.statements, [row["work_area_id"] for row in rows if row["work_area_id"]])
    areas = {area: asdict(found) for area, found in names.items()}
    return [{**dict(row), "work_area": areas.get(row["work_area_id"])} for row in rows]
