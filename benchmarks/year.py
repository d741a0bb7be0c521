"""A call centre's year in reporting: how fast it is taken in, and how fast every figure of it is told by day.

    python -m benchmarks.year --events 10000000

Makes a call centre's events (`benchmarks.call_centre`) and an order for every fiftieth (`benchmarks.orders`), gives
them to reporting's own consumers as its worker would, lets it sum the days, and asks every metric by day over the whole
time, as a whole and by each dimension. The events of calls go into one flat table by COPY too, which is the floor, and
into Parquet: the same aggregates are asked there in plain SQL and of DuckDB, and have to be the same numbers; and
over one prepared row a leg (`benchmarks.prepared`). Needs nothing that runs.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import psutil

from benchmarks import flat, prepared
from benchmarks.call_centre import BEGIN, CallCentre, Fact, on_calls
from benchmarks.orders import Orders, limits_records
from chassis.database import Database, driver_url
from chassis.parking import RawRecord
from chassis.subscribe import Consumer
from contracts.topics import CALLS, DEADLINES, QUALITY, WORK_ORDERS, Topic
from linework.embedded import EmbeddedPostgres
from linework.ports import free_port
from linework.runtime.installation import REPOSITORY

_FULL_YEAR = 10_000_000
_BLOCK = 500_000
_ZONE = ZoneInfo("Asia/Shanghai")


def say(line: str) -> None:
    print(line, flush=True)


def _processor_seconds_of_postgres() -> float:
    return sum(sum(server.info["cpu_times"][:2]) for server in _servers("cpu_times"))


def _servers(*about: str) -> list[psutil.Process]:
    """PostgreSQL's processes; what one that has ended meanwhile does no longer tell is not asked."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.info = process.as_dict(["name", *about])
            found.append(process)
    return [process for process in found if process.info["name"] == "postgres"]


class Store:
    """A PostgreSQL of its own with reporting's database and a flat one beside it."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.url = server.database_url("figures")
        self.flat_url = driver_url(server.database_url("flat"))
        self._admin_url = driver_url(server.database_url("postgres"))

    async def prepare(self) -> None:
        admin = await asyncpg.connect(self._admin_url)
        for name in ("figures", "flat"):
            await admin.execute(f"create database {name}")
        await admin.close()
        ini = REPOSITORY / "services/reporting/alembic.ini"
        command = [sys.executable, "-m", "alembic", "-c", str(ini), "upgrade", "heads"]
        environment = {**os.environ, "DATABASE_URL": self.url}
        await asyncio.to_thread(subprocess.run, command, env=environment, check=True, capture_output=True)


class Meter:
    """Wall clock and processor time of this process and of PostgreSQL, of what runs within it."""

    def __init__(self) -> None:
        self.events, self.seconds, self.here, self.postgres = 0, 0.0, 0.0, 0.0

    def __enter__(self) -> "Meter":
        # What the looking itself takes, some milliseconds, is not counted.
        postgres = _processor_seconds_of_postgres()
        self._began = (time.perf_counter(), time.process_time(), postgres)
        return self

    def __exit__(self, *_: object) -> None:
        began, here, postgres = self._began
        self.seconds += time.perf_counter() - began
        self.here += time.process_time() - here
        self.postgres += max(0.0, _processor_seconds_of_postgres() - postgres)

    def add(self, other: "Meter") -> None:
        self.events += other.events
        self.seconds += other.seconds
        self.here += other.here
        self.postgres += other.postgres

    def __str__(self) -> str:
        each = 1e6 / max(1, self.events)
        return (
            f"{self.events / self.seconds:8.0f} a second; an event: {self.seconds * each:5.1f} us, of processor"
            f" {self.here * each:5.1f} us here and {self.postgres * each:5.1f} us in PostgreSQL"
        )


def _consumer(db: Database, topic: Topic) -> Consumer:
    from reporting.consumers import SUBSCRIPTIONS

    return Consumer(next(one for one in SUBSCRIPTIONS if one.topic is topic), service="reporting", db=db)


async def _load_orders(db: Database, orders: Orders) -> None:
    for topic, records in (
        (DEADLINES, limits_records()),
        (WORK_ORDERS, orders.records()),
        (QUALITY, orders.follow_up_records()),
    ):
        consumer, taken = _consumer(db, topic), Meter()
        while batch := list(islice(records, consumer.subscription.batch_records)):
            with taken:
                await consumer.apply(batch)
            taken.events += len(batch)
        say(f"{topic.name:12s}{taken.events:9d}           {taken}")


async def _load(db: Database, store: Store, call_centre: CallCentre) -> int:
    """Takes the calls in, block by block, and the same facts into the flat table."""
    consumer = _consumer(db, CALLS)
    table = await asyncpg.connect(store.flat_url)
    await table.execute(flat.TABLE)
    facts, count = call_centre.facts(), 0
    floor, whole = Meter(), Meter()
    while block := list(islice(facts, _BLOCK)):
        taken = Meter()
        for batch in _batches(block, consumer.subscription.batch_records):
            records: list[RawRecord] = list(on_calls(batch, count))
            count += len(batch)
            with taken:
                await consumer.apply(records)
            taken.events += len(batch)
            rows = flat.rows_of(batch)
            with floor:
                await table.copy_records_to_table("events", records=rows)
            floor.events += len(batch)
        whole.add(taken)
        say(f"events {count:9d}                {taken}")
    await table.close()
    say(f"taken in                        {whole}")
    say(f"floor: COPY into a flat table   {floor}")
    return count


def _batches(block: list[Fact], size: int) -> Iterator[list[Fact]]:
    return (block[start : start + size] for start in range(0, len(block), size))


async def _sum(db: Database) -> None:
    from reporting.figures.summing import KINDS, sum_some

    meter, now = Meter(), datetime.now(UTC)
    with meter:
        for alike in KINDS:
            while await sum_some(db, alike, now=now):
                pass
    say(f"all days summed in              {meter.seconds:8.1f} s, PostgreSQL {meter.postgres:.1f} s of it")


def _questions(days: int, rules: Any) -> Iterator[Any]:
    """Every metric by day over all whole days, as a whole and by each dimension but persons.

    By work area over the last ninety days: a hundred areas over the year are more rows than one answer has.
    """
    from reporting.figures import Question
    from reporting.figures.days import PERSONS
    from reporting.metrics import METRICS, Dimension, Grain

    begin = BEGIN.astimezone(_ZONE).replace(hour=0)
    end = begin + timedelta(days=days)
    for metric in METRICS:
        if metric.has_periods:
            usual = Question(metric=metric, at=datetime.now(UTC), rules=rules, time_zone=_ZONE.key)
            whole = replace(usual, begin=begin, end=end, grain=Grain.DAY)
            yield whole
            for dimension in metric.dimensions:
                if dimension is Dimension.WORK_AREA:
                    yield replace(whole, group_by=(dimension,), begin=end - timedelta(days=min(days, 90)))
                elif dimension not in PERSONS:
                    yield replace(whole, group_by=(dimension,))


async def _milliseconds(db: Database, question: Any) -> float:
    from reporting.figures import figure

    started = time.perf_counter()
    await figure(db, question)
    return (time.perf_counter() - started) * 1000


async def _ask(db: Database, days: int, rounds: int) -> None:
    from reporting.figures.rules_store import get_figure_rules

    async with db.statements() as statements:
        rules = await get_figure_rules(statements)
    first: dict[str, float] = {}
    everything: list[float] = []
    for question in _questions(days, rules):
        name = " by ".join([f"{question.metric.id} v{question.metric.version}", *question.group_by])
        first[name] = await _milliseconds(db, question)
        everything += [first[name], *[await _milliseconds(db, question) for _ in range(rounds - 1)]]
    _tell("first answers", list(first.values()))
    _tell("all answers", everything)
    slowest = sorted(first.items(), key=lambda one: -one[1])[:6]
    say("the slowest first answers: " + ", ".join(f"{name} {taken:.0f} ms" for name, taken in slowest))
    plain = [one for one in _questions(days, rules) if not one.group_by]
    thresholds = [
        replace(one, parameters=dict.fromkeys(one.metric.parameters, 30)) for one in plain if one.metric.parameters
    ]
    _tell("first, with a threshold of its own", [await _milliseconds(db, one) for one in thresholds])
    elsewhere = [replace(one, time_zone="UTC", begin=BEGIN, end=BEGIN + timedelta(days=days)) for one in plain]
    _tell("first, in another zone", [await _milliseconds(db, one) for one in elsewhere])


def _tell(what: str, taken: list[float]) -> None:
    centiles = statistics.quantiles(taken, n=100, method="inclusive")
    say(f"{what:36s}{len(taken):6d}: p50 {centiles[49]:6.1f} p99 {centiles[98]:6.1f} longest {max(taken):6.1f} ms")


async def _tell_size(db: Database, count: int) -> None:
    async with db.statements() as statements:
        rows = await statements.fetch(
            """select relname, pg_total_relation_size(oid) as whole, pg_indexes_size(oid) as indexes from pg_class
               where relkind = 'r' and relnamespace = 'public'::regnamespace and pg_total_relation_size(oid) > 1000000
               order by 2 desc"""
        )
        size = await statements.fetchval("select pg_database_size(current_database())")
    say(f"disk                            {size / 1e9:8.2f} GB, {size / count:.0f} bytes an event")
    for row in rows:
        say(f"  {row['relname']:30s}{row['whole'] / 1e6:8.0f} MB, indexes {row['indexes'] / 1e6:.0f} MB of it")
    own = sum(one.info["memory_full_info"].uss for one in _servers("memory_full_info"))
    here = psutil.Process().memory_info().rss
    say(f"memory                          {here / 1e6:8.0f} MB here, PostgreSQL {own / 1e6:.0f} MB beside its buffers")


async def measure(options: argparse.Namespace) -> None:
    days = options.days or max(10, round(365 * options.events / _FULL_YEAR))
    call_centre = CallCentre(events=options.events, agents=options.agents, days=days)
    with TemporaryDirectory(prefix="linework-year-", dir=options.folder) as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder), free_port(), shared_buffers="512MB", dies_with_parent=True)
        server.start()
        try:
            store = Store(server)
            await store.prepare()
            db = Database(store.url, pool_size=2)
            say(f"{options.agents} agents, {days} days, {options.events // 50} orders")
            await _load_orders(db, Orders(options.events // 50, days))
            count = await _load(db, store, call_centre)
            async with db.statements() as statements:
                await statements.fetch_patiently("analyze", seconds=600)
            await _sum(db)
            await _tell_size(db, count)
            await _ask(db, days - 1, options.rounds)
            compared = await flat.compare(db, store.flat_url, Path(folder), days - 1)
            say(json.dumps(compared, indent=2))
            say(json.dumps(await prepared.compare(db, store.url, Path(folder), days - 1), indent=2))
            await db.close()
        finally:
            server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--days", type=int, default=None, help="As many as make the density of a full year.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", default=None, help="Where the database is put while it runs.")
    asyncio.run(measure(parser.parse_args()))
