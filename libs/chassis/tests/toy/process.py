"""A process of the toy service that kills itself, as kill -9 would, at the moment it is told.

python process.py MOMENT DATABASE_URL BOOTSTRAP_SERVERS TOPIC_PREFIX
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer

sys.path.insert(0, str(Path(__file__).parents[1]))

import toy
from chassis.relay import Relay
from chassis.worker import Worker


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_before_delete() -> None:
    execute = asyncpg.Connection.execute

    async def execute_or_die(self: asyncpg.Connection, query: str, *arguments: Any, **options: Any) -> str:
        if query.startswith("delete from outbox"):
            die()
        return await execute(self, query, *arguments, **options)

    asyncpg.Connection.execute = execute_or_die


def die_before_ack() -> None:
    commit = AIOKafkaConsumer.commit

    async def commit_or_die(self: AIOKafkaConsumer, offsets: Any = None) -> None:
        if any(offsets.values()):
            die()
        await commit(self, offsets)

    AIOKafkaConsumer.commit = commit_or_die


async def run_relay(url: str, bootstrap_servers: str, prefix: str) -> None:
    await Relay(url, bootstrap_servers, topic_prefix=prefix, batch_rows=60).run()


async def run_worker(worker: Worker) -> None:
    async with worker.running():
        await asyncio.sleep(60)


async def apply_and_die(messages: Any, tx: Any) -> None:
    await toy.follow(messages, tx)
    die()


async def main(moment: str, url: str, bootstrap_servers: str, prefix: str) -> None:
    match moment:
        case "relay-killed-before-delete":
            die_before_delete()
            await run_relay(url, bootstrap_servers, prefix)
        case "worker-killed-before-commit":
            toy.SUBSCRIPTIONS[:] = [toy.Subscription(toy.WORK_ORDERS, apply_and_die)]
            await run_worker(toy.toy_worker(url, bootstrap_servers, prefix))
        case "worker-killed-before-ack":
            die_before_ack()
            await run_worker(toy.toy_worker(url, bootstrap_servers, prefix))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
