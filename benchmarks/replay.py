"""How fast reporting reads the whole stream again, into a database of its own.

A process of its own on the environment of the checkout that is measured, whose code this is about.
"""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.floor import Servers
from chassis.database import Database
from chassis.parking import raw_record
from chassis.subscribe import Consumer
from contracts.topics import WORK_ORDERS
from linework.processes import die_with_parent
from linework.runtime.installation import REPOSITORY

if TYPE_CHECKING:
    from benchmarks.installation import MeasuredInstallation


async def events_per_second(installation: "MeasuredInstallation") -> float:
    """Reporting's consumer alone, after its tables are made."""
    await _new_database(installation.servers)
    python = sys.executable if installation.checkout == REPOSITORY else installation.checkout / ".venv/bin/python"
    replay = await asyncio.create_subprocess_exec(
        *(str(python), "-m", "benchmarks.replay", str(installation.checkout)),
        *(installation.servers.database_url, installation.servers.bootstrap_servers),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    printed, _ = await replay.communicate()
    return float(printed)


async def _replay(folder: Path, servers: Servers) -> float:
    from reporting.consumers import SUBSCRIPTIONS

    url = servers.database("linework_replay")
    await asyncio.to_thread(_migrate, folder, url)
    subscription = next(one for one in SUBSCRIPTIONS if one.topic is WORK_ORDERS)
    db = Database(url, pool_size=2)
    consumer = Consumer(subscription, service="reporting", db=db)
    records = await _all_records(servers)
    started = time.perf_counter()
    for start in range(0, len(records), subscription.batch_records):
        await consumer.apply(records[start : start + subscription.batch_records])
    seconds = time.perf_counter() - started
    await db.close()
    return len(records) / seconds


async def _new_database(servers: Servers) -> None:
    admin = await asyncpg.connect(servers.database_url)
    await admin.execute("drop database if exists linework_replay with (force)")
    await admin.execute("create database linework_replay")
    await admin.close()


def _migrate(folder: Path, url: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "alembic", "-c", str(folder / "services/reporting/alembic.ini"), "upgrade", "heads"],
        env={**os.environ, "DATABASE_URL": url},
        check=True,
        capture_output=True,
    )


async def _all_records(servers: Servers) -> list:
    client = AIOKafkaConsumer(bootstrap_servers=servers.bootstrap_servers, enable_auto_commit=False)
    await client.start()
    try:
        partitions = [TopicPartition(WORK_ORDERS.name, number) for number in range(WORK_ORDERS.partitions)]
        client.assign(partitions)
        await client.seek_to_beginning(*partitions)
        ends = await client.end_offsets(partitions)
        records = []
        while len(records) < sum(ends.values()):
            batches = await client.getmany(timeout_ms=1000, max_records=5000)
            records += [raw_record(record, WORK_ORDERS.name) for batch in batches.values() for record in batch]
        return records
    finally:
        await client.stop()


if __name__ == "__main__":
    print(asyncio.run(_replay(Path(sys.argv[1]), Servers(*sys.argv[2:]))))
