"""One prepared row a leg, in PostgreSQL and in DuckDB: what a columnar copy beside the projections would give.

The rows are reporting's own legs and states of agents as they stand, with whole microseconds for moments. Questions
with a threshold and a zone of their own are put to both, and to reporting for the first time; the numbers have to be
the same. Agents' time is not in any row: it is what states and calls have in common, moment by moment.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import duckdb
import psutil

from benchmarks.call_centre import BEGIN
from chassis.database import Database, driver_url

_THRESHOLD = 30
_MEMORY = "256MB"
_FILE = "prepared.duckdb"
_SELECTED = {
    "prepared_legs": """
        select (extract(epoch from moment) * 1000000)::bigint as at_us, direction, channel, outcome, queue, handler_id,
            handler_team, demand_type, wait_us, ring_us, talk_us, hold_us, work_us, ended_at is not null as is_over,
            (extract(epoch from answered_at) * 1000000)::bigint as answered_us,
            (extract(epoch from known_at) * 1000000)::bigint as known_us
        from legs_{live} order by moment""",
    "prepared_states": """
        select agent_id, team, state, (extract(epoch from since) * 1000000)::bigint as since_us,
            (extract(epoch from lead(since) over (partition by agent_id order by since, fact_id)) * 1000000)::bigint
                as until_us
        from agent_states_{live} order by agent_id, since""",
}
_TEXTS = ("direction", "channel", "outcome", "queue", "handler_id", "handler_team", "demand_type")
_TIMES = ("wait_us", "ring_us", "talk_us", "hold_us", "work_us")
_COLUMNS = {
    "prepared_legs": {
        "at_us": "bigint",
        **dict.fromkeys(_TEXTS, "varchar"),
        **dict.fromkeys(_TIMES, "bigint"),
        "is_over": "boolean",
        "answered_us": "bigint",
        "known_us": "bigint",
    },
    "prepared_states": {
        **dict.fromkeys(("agent_id", "team", "state"), "varchar"),
        **dict.fromkeys(("since_us", "until_us"), "bigint"),
    },
}
_DAY = "at_us / 86400000000"
_INBOUND = "direction = 'inbound' and outcome <> 'passed'"
_HANDLED = f"""
    with changes as (
        select agent_id, since_us as at_us, 1 as paid, 0 as calls from prepared_states where state <> 'signed_out'
        union all select agent_id, until_us, -1, 0 from prepared_states where state <> 'signed_out'
        union all select handler_id, answered_us, 0, 1 from prepared_legs where answered_us is not null
        union all
        select handler_id, answered_us + talk_us + hold_us + coalesce(work_us, 0), 0, -1
        from prepared_legs where answered_us is not null
        union all
        select agent_id, day * 86400000000, 0, 0
        from (select distinct agent_id from prepared_states) as agents
            cross join (select distinct {_DAY} as day from prepared_legs) as days
    ), pieces as (
        select at_us, lead(at_us) over (partition by agent_id order by at_us) as until_us,
            sum(paid) over until_then as paid, sum(calls) over until_then as calls
        from changes window until_then as (
            partition by agent_id order by at_us range between unbounded preceding and current row)
    )
    select {_DAY} as day, sum(until_us - at_us) from pieces where paid > 0 and calls > 0 group by 1"""
QUESTIONS: Mapping[str, str] = {
    "service_level_3": f"select {_DAY} as day, sum(case when outcome = 'answered' and wait_us <= {_THRESHOLD}000000"
    f" then 1 else 0 end) from prepared_legs where {_INBOUND} and outcome in ('answered', 'abandoned') group by 1",
    "speed_of_answer": f"select {_DAY} as day, sum(wait_us) from prepared_legs"
    f" where {_INBOUND} and outcome = 'answered' group by 1",
    "talk_time": f"select {_DAY} as day, sum(talk_us) from prepared_legs where {_INBOUND} and outcome = 'answered'"
    " and answered_us is not null and is_over group by 1",
    "calls_offered": f"select {_DAY} as day, count(*) from prepared_legs where {_INBOUND} group by 1",
    "occupancy": _HANDLED,
}
"""By days of UTC, numerators of metrics of the registry: neither threshold nor zone is the usual one."""


async def compare(db: Database, url: str, folder: Path, days: int) -> dict[str, Any]:
    """Milliseconds of each first question, what preparing took, and whether all three gave the same numbers."""
    reporting = await asyncpg.connect(driver_url(url), command_timeout=600)
    live = await reporting.fetchval("select live from stream_state")
    began = time.perf_counter()
    for table, sql in _SELECTED.items():
        await reporting.execute(f"create unlogged table {table} as {sql.format(live=live)}")
        await reporting.execute(f"analyze {table}")
    prepared = time.perf_counter() - began
    began = time.perf_counter()
    duck = await _filled(reporting, folder)
    filled = time.perf_counter() - began
    size = await reporting.fetchval(
        "select pg_total_relation_size('prepared_legs') + pg_total_relation_size('prepared_states')"
    )
    found: dict[str, Any] = {
        "preparing seconds in PostgreSQL": round(prepared, 1),
        "preparing seconds from there to DuckDB": round(filled, 1),
        "prepared tables MB": round(size / 1e6, 1),
        "DuckDB file MB": round((folder / _FILE).stat().st_size / 1e6, 1),
    }
    for metric, sql in QUESTIONS.items():
        plain = await _timed(lambda sql=sql: _of_postgres(reporting, sql))
        ducks = await _timed(lambda sql=sql: asyncio.to_thread(_of_duckdb, duck, sql))
        ours = await _timed(lambda metric=metric: _of_reporting(db, metric, days))
        first = (BEGIN - datetime(1970, 1, 1, tzinfo=UTC)).days
        whole = [
            {day: n for day, n in one.items() if first <= day < first + days and n} for one, _ in (plain, ducks, ours)
        ]
        found[metric] = {
            "prepared rows, plain SQL ms": round(plain[1], 1),
            "prepared rows, DuckDB ms": round(ducks[1], 1),
            "reporting ms": round(ours[1], 1),
            "are the same": whole[0] == whole[1] == whole[2],
        }
    found["memory MB with DuckDB"] = round(psutil.Process().memory_info().rss / 1e6)
    await reporting.execute("drop table prepared_legs, prepared_states")
    await reporting.close()
    return found


async def _filled(reporting: asyncpg.Connection, folder: Path) -> duckdb.DuckDBPyConnection:
    """A file as a worker would keep it, opened as another process would read it: two threads, a bound of memory."""
    text = folder / "prepared.csv"
    with duckdb.connect(str(folder / _FILE)) as making:
        for table, columns in _COLUMNS.items():
            await reporting.copy_from_table(table, output=str(text), format="csv")
            listed = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
            read = f"read_csv('{text}', header = false, nullstr = '', columns = {{{listed}}})"
            making.execute(f"create table {table} as select * from {read}")
            text.unlink()
    return duckdb.connect(str(folder / _FILE), read_only=True, config={"threads": 2, "memory_limit": _MEMORY})


async def _timed(ask: Callable[[], Awaitable[dict[int, int]]]) -> tuple[dict[int, int], float]:
    """The first answer and its milliseconds."""
    began = time.perf_counter()
    answer = await ask()
    return answer, (time.perf_counter() - began) * 1000


async def _of_postgres(connection: asyncpg.Connection, sql: str) -> dict[int, int]:
    rows = await connection.fetch(sql)
    return {day: int(numerator or 0) for day, numerator in rows}


def _of_duckdb(duck: duckdb.DuckDBPyConnection, sql: str) -> dict[int, int]:
    rows = duck.execute(sql.replace(_DAY, _DAY.replace("/", "//"))).fetchall()
    return {day: int(numerator or 0) for day, numerator in rows}


async def _of_reporting(db: Database, metric_id: str, days: int) -> dict[int, int]:
    from reporting.figures import Question, figure
    from reporting.figures.rules_store import get_figure_rules
    from reporting.metrics import REGISTRY, Grain

    metric = REGISTRY[metric_id][-1]
    async with db.statements() as statements:
        rules = await get_figure_rules(statements)
    given = {"threshold_seconds": _THRESHOLD} if "threshold_seconds" in metric.parameters else {}
    question = Question(
        metric=metric,
        at=datetime.now(UTC),
        rules=rules,
        time_zone="UTC",
        begin=BEGIN,
        end=BEGIN + timedelta(days=days),
        grain=Grain.DAY,
        parameters=given,
    )
    rows = (await figure(db, question))["rows"]
    scale = 1_000_000 if metric.is_timed or metric.is_of_time else 1
    return {
        (date.fromisoformat(row["period"]) - date(1970, 1, 1)).days: round(row["numerator"] * scale) for row in rows
    }
