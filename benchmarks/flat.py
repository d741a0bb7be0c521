"""The same events in one flat table and in Parquet, and the same aggregates in plain SQL: what figures stand beside."""

import statistics
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import duckdb

from benchmarks.call_centre import BEGIN, Fact
from chassis.database import Database

TABLE = """
create unlogged table events (
    call_id text, leg int, kind text, moment timestamp, queue text, agent_id text, wait_ms bigint, talk_ms bigint,
    hold_ms bigint, work_ms bigint
)"""
_ROUNDS = 3
_ZONE = ZoneInfo("Asia/Shanghai")
_CHINA = timedelta(hours=8)
_NAIVE = BEGIN.replace(tzinfo=None) + _CHINA
_QUEUED = "(select call_id, leg, moment from events where kind = 'queued') as q"

QUERIES = {
    "calls_offered": "select cast(moment as date) as day, count(*) as numerator from events where kind = 'queued'"
    " group by 1 order by 1",
    "service_level_3": "select cast(q.moment as date) as day,"
    " sum(case when e.kind = 'answered' and e.wait_ms <= 20000 then 1 else 0 end) as numerator"
    f" from {_QUEUED} join events as e on e.call_id = q.call_id and e.leg = q.leg"
    " where e.kind in ('answered', 'abandoned') group by 1 order by 1",
    "handle_time": "select cast(q.moment as date) as day,"
    " sum(e.talk_ms + e.hold_ms + coalesce(w.work_ms, 0)) as numerator"
    f" from {_QUEUED} join events as e on e.call_id = q.call_id and e.leg = q.leg"
    " left join events as w on w.call_id = q.call_id and w.leg = q.leg and w.kind = 'after_call_work_ended'"
    " where e.kind in ('ended', 'transferred') group by 1 order by 1",
}
"""Metrics of the registry, by day, as somebody would ask a table of events for them."""


def rows_of(facts: Iterable[Fact]) -> list[tuple[Any, ...]]:
    return [
        (
            fact.subject,
            fact.leg,
            fact.kind,
            _NAIVE + timedelta(seconds=fact.at),
            fact.queue,
            fact.agent,
            *(fact.more.get(f"{name}_milliseconds") for name in ("wait", "talk", "hold", "work")),
        )
        for fact in facts
    ]


async def compare(db: Database, url: str, folder: Path, days: int) -> dict[str, Any]:
    """Milliseconds of each query, and whether all three gave the same numbers."""
    table = await asyncpg.connect(url)
    await table.execute("analyze events")
    text, parquet = folder / "events.csv", folder / "events.parquet"
    await table.copy_from_table("events", output=str(text), format="csv")
    duck = duckdb.connect()
    duck.execute(f"create view read as select * from read_csv('{text}', header = false, columns = {_columns()})")
    duck.execute(f"copy read to '{parquet}' (format parquet, compression zstd)")
    text.unlink()
    duck.execute(f"create view events as select * from read_parquet('{parquet}')")
    compared: dict[str, Any] = {
        "flat table MB": await table.fetchval("select pg_total_relation_size('events')") / 1e6,
        "Parquet MB": parquet.stat().st_size / 1e6,
    }
    first, last = (_NAIVE.date() + timedelta(days=place) for place in (0, days - 1))
    for metric, sql in QUERIES.items():
        plain, plain_ms = await _of_postgres(table, sql)
        ducks, ducks_ms = _of_duckdb(duck, sql)
        ours, ours_ms = await _of_reporting(db, metric, days)
        whole = [{day: n for day, n in one.items() if first <= day <= last} for one in (plain, ducks, ours)]
        compared[metric] = {
            "plain SQL ms": round(plain_ms, 1),
            "DuckDB ms": round(ducks_ms, 1),
            "reporting ms": round(ours_ms, 1),
            "are the same": whole[0] == whole[1] == whole[2],
        }
    await table.close()
    return compared


def _columns() -> str:
    lines = TABLE.split("(", 1)[1].rsplit(")", 1)[0].split(",")
    return "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in (line.split() for line in lines)) + "}"


async def _of_postgres(table: asyncpg.Connection, sql: str) -> tuple[dict[Any, int], float]:
    taken = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        rows = await table.fetch(sql)
        taken.append((time.perf_counter() - started) * 1000)
    return {row["day"]: int(row["numerator"]) for row in rows}, statistics.median(taken)


def _of_duckdb(duck: duckdb.DuckDBPyConnection, sql: str) -> tuple[dict[Any, int], float]:
    taken = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        rows = duck.execute(sql).fetchall()
        taken.append((time.perf_counter() - started) * 1000)
    return {day: int(numerator) for day, numerator in rows}, statistics.median(taken)


async def _of_reporting(db: Database, metric_id: str, days: int) -> tuple[dict[Any, int], float]:
    from reporting.figures import Question, figure
    from reporting.figures.rules_store import get_figure_rules
    from reporting.metrics import REGISTRY, Grain

    metric = REGISTRY[metric_id][-1]
    begin = BEGIN.astimezone(_ZONE).replace(hour=0)
    async with db.statements() as statements:
        rules = await get_figure_rules(statements)
    question = Question(
        metric=metric,
        at=datetime.now(_ZONE),
        rules=rules,
        time_zone=_ZONE.key,
        begin=begin,
        end=begin + timedelta(days=days),
        grain=Grain.DAY,
    )
    taken = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        answer = await figure(db, question)
        taken.append((time.perf_counter() - started) * 1000)
    scale = 1000 if metric.is_timed else 1
    found = {datetime.fromisoformat(row["period"]).date(): round(row["numerator"] * scale) for row in answer["rows"]}
    return found, statistics.median(taken)
