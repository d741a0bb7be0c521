"""How fast reporting takes in a call centre's year, and how fast it then tells a year of figures.

    python -m benchmarks.call_figures --calls 100000 --agents 200

Makes calls with the shape of days and weeks, as intake would have written them, gives them to reporting's own
consumer, and asks every metric of calls and agents by day over the whole time. Needs nothing that runs.
"""

import argparse
import asyncio
import math
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from chassis.database import Database, driver_url
from chassis.parking import RawRecord
from chassis.subscribe import Consumer
from contracts import calls as c
from contracts.codec import encode, new_message
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.topics import CALLS
from linework.embedded import EmbeddedPostgres
from linework.ports import free_port
from linework.runtime.installation import REPOSITORY

_BATCH = 500
_BEGIN = datetime(2025, 11, 1, tzinfo=UTC)
_ACTOR = Actor("pbx", "partner")
_AT_ONCE = 60
"""Calls whose facts are mixed with each other, as they are on a floor."""


def _moments(count: int, days: int, chance: random.Random) -> list[datetime]:
    """Busy at ten and three, quiet at night and at weekends."""
    found = []
    while len(found) < count:
        moment = _BEGIN + timedelta(seconds=chance.uniform(0, days * 86400))
        hour = (moment + timedelta(hours=8)).hour
        weight = math.exp(-(((hour - 10) / 3) ** 2)) + math.exp(-(((hour - 15) / 3) ** 2)) + 0.05
        if chance.random() < weight * (0.4 if moment.weekday() > 4 else 1):
            found.append(moment)
    return sorted(found)


def _call(number: int, at: datetime, agents: int, chance: random.Random) -> list[Message]:
    said = {"queue": f"queue-{number % 6}", "demand_type": chance.choice(["fault_repair", "complaint", "consultation"])}
    wait = chance.expovariate(1 / 15)
    told: list[tuple[type, float, dict]] = [(c.CallOffered, 0, said), (c.CallQueued, 0, said)]
    if chance.random() < 0.08:
        told.append((c.CallAbandoned, wait, said | {"wait_milliseconds": int(wait * 1000)}))
    else:
        talk, work = chance.lognormvariate(5, 0.6), chance.expovariate(1 / 30)
        by = said | {"agent_id": f"agent-{chance.randrange(agents)}", "team": f"team-{number % 15}"}
        told += [
            (c.CallAnswered, wait, by | {"wait_milliseconds": int(wait * 1000)}),
            (c.CallEnded, wait + talk, by | {"talk_milliseconds": int(talk * 1000), "hold_milliseconds": 0}),
            (c.AfterCallWorkEnded, wait + talk + work, by | {"work_milliseconds": int(work * 1000)}),
            (c.CallSettled, wait + talk + work, by | {"outcome": c.CallOutcome.ANSWERED}),
        ]
    call_id = f"call-{number:08}"
    return [
        _message(kind(fact_id=f"{call_id}:{place}", **values), call_id, at + timedelta(seconds=seconds), place + 1)
        for place, (kind, seconds, values) in enumerate(told)
    ]


def _shifts(agents: int, days: int) -> Iterator[Message]:
    for agent in range(agents):
        version = 0
        for day in range(days):
            start = _BEGIN + timedelta(days=day, hours=agent % 12)
            for hours, state in ((0, "ready"), (4, "paused"), (4.5, "ready"), (8, "signed_out")):
                version += 1
                agent_id = f"agent-{agent}"
                fact = c.AgentStateChanged(
                    fact_id=f"{agent_id}:{version}", agent_id=agent_id, state=c.AgentState(state), team="team-1"
                )
                yield _message(fact, f"agent:{agent_id}", start + timedelta(hours=hours), version)


def _message(body: object, subject: str, at: datetime, version: int) -> Message:
    return new_message(
        body,
        service=Service.INTAKE,
        subject=subject,
        actor=_ACTOR,
        occurred_at=at,
        recorded_at=at,
        entity_version=version,
    )


def _messages(calls: int, agents: int, days: int) -> Iterator[Message]:
    chance = random.Random(1)
    moments = _moments(calls, days, chance)
    for start in range(0, calls, _AT_ONCE):
        lives = [_call(n, moments[n], agents, chance) for n in range(start, min(start + _AT_ONCE, calls))]
        mixed = [message for life in lives for message in life]
        yield from sorted(mixed, key=lambda message: (message.occurred_at, message.subject, message.entity_version))
    yield from _shifts(agents, days)


async def _load(db: Database, messages: Iterator[Message]) -> tuple[int, float]:
    """How many were taken in, and the seconds that reporting spent on it; making them is not counted."""
    from reporting.consumers import SUBSCRIPTIONS

    subscription = next(one for one in SUBSCRIPTIONS if one.topic is CALLS)
    consumer = Consumer(subscription, service="reporting", db=db)
    count, seconds, batch = 0, 0.0, []
    for message in messages:
        key, value, headers = encode(message)
        batch.append(RawRecord(CALLS.name, 0, count, key, value, tuple(headers)))
        count += 1
        if len(batch) == _BATCH:
            started = time.perf_counter()
            await consumer.apply(batch)
            seconds += time.perf_counter() - started
            batch = []
    if batch:
        await consumer.apply(batch)
    return count, seconds


async def _ask(db: Database, days: int, rounds: int) -> dict[str, list[float]]:
    from reporting.figures import Question, figure
    from reporting.metrics import Grain, agents, calls

    end = _BEGIN + timedelta(days=days)
    taken: dict[str, list[float]] = {}
    for metric in (*calls.METRICS, *agents.METRICS):
        question = Question(metric=metric, at=end, begin=_BEGIN, end=end, grain=Grain.DAY, time_zone="UTC")
        for _ in range(rounds):
            started = time.perf_counter()
            await figure(db, question)
            taken.setdefault(metric.id, []).append((time.perf_counter() - started) * 1000)
    return taken


async def measure(options: argparse.Namespace) -> None:
    with TemporaryDirectory(prefix="linework-benchmark-") as folder:
        server = EmbeddedPostgres(Path(folder), free_port(), shared_buffers="512MB", dies_with_parent=True)
        server.start()
        admin = await asyncpg.connect(driver_url(server.database_url("postgres")))
        await admin.execute("create database figures")
        await admin.close()
        url = server.database_url("figures")
        _migrate(url)
        db = Database(url, pool_size=2)
        count, seconds = await _load(db, _messages(options.calls, options.agents, options.days))
        print(f"call events taken in              {count:10d}")
        print(f"call events a second              {count / seconds:10.0f}")
        async with db.statements() as statements:
            await statements.execute("vacuum analyze")
            size = await statements.fetchval("select pg_database_size(current_database())")
        print(f"bytes on disk an event            {size / count:10.0f}")
        taken = await _ask(db, options.days, options.rounds)
        print("by day over all days: the first answer, then the median of those after it, in milliseconds")
        for metric, (first, *later) in sorted(taken.items(), key=lambda one: -one[1][0]):
            print(f"  {metric:32s}{first:8.0f} {statistics.median(later):8.0f}")
        await db.close()
        server.stop()


def _migrate(url: str) -> None:
    ini = REPOSITORY / "services/reporting/alembic.ini"
    command = [sys.executable, "-m", "alembic", "-c", str(ini), "upgrade", "head"]
    subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=True, capture_output=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How fast reporting takes in calls, and tells a year of figures.")
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=5)
    asyncio.run(measure(parser.parse_args()))
