"""A small system for planted bugs: fieldwork, which writes, and qa, which follows, on a real PostgreSQL and Kafka.

Each scene has orders of its own, brought to `processing` by records written straight into the stream, and looks
at nothing but these: what a planted bug broke for one scene does not trouble the next.
"""

import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Iterable
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from tests.chaos.checker import Report, check_history, read_stream
from tests.chaos.history import History
from tests.chaos.parts import all_ready
from tests.chaos.planted import Bug
from tests.chaos.system import System

from chassis.sealing import MasterKeys
from chassis.testing import eventually
from contracts.codec import encode
from contracts.lifecycle import Status
from contracts.order import WorkOrder
from contracts.topics import WORK_ORDERS
from linework.client import Installation, Patience, Refused, technician
from linework.runtime.program import sealing_master_keys
from linework.verify.laws import Findings, Ledger
from linework.verify.states import difference
from work_orders.sealing_keys import key_place
from work_orders.testing import Stream

WRITER, WRITERS_WORKERS = "fieldwork", ("fieldwork_worker", "fieldwork_worker_1")
READERS_WORKER = "qa_worker"
_NORTH = technician("north", sub="north-1")
SUBSCRIBER = "s-1"
"""Whose orders those of `Stream` are."""


class Scene:
    def __init__(self, system: System, city: Installation, history: History) -> None:
        self.system = system
        self.history = history
        self.orders: dict[str, WorkOrder] = {}
        self._city = city
        self._written: set[str] = set()

    async def add_orders(self, count: int) -> None:
        """Orders that fieldwork holds, known to both services."""
        await self._give_key()
        streams = [Stream(f"scene-{uuid.uuid4()}").until(Status.PROCESSING) for _ in range(count)]
        async with AIOKafkaProducer(bootstrap_servers=self.system.bootstrap_servers) as producer:
            for stream in streams:
                for message in stream.messages:
                    self._written.add(message.id)
                    key, value, headers = encode(message)
                    await producer.send_and_wait(WORK_ORDERS.name, value, key=key, headers=headers)
                assert stream.order is not None
                self.orders[stream.order_id] = stream.order
        await self.at_rest()

    async def _give_key(self) -> None:
        """The key that notes are sealed with, as if intake had issued it."""
        masters = MasterKeys.parse(sealing_master_keys(self.system.installation.state_folder))
        key = masters.new_key(place=key_place(SUBSCRIBER))[1]
        for service in self.system.services:
            await self.rows(
                service,
                """insert into sealing_keys (subscriber_id, entity_version, master_key_id, wrapped)
                   values ($1, 1, $2, $3) on conflict do nothing""",
                SUBSCRIBER,
                key.master_key_id,
                key.text,
            )

    async def note(self, order_id: str, text: str) -> bool:
        """A note on the order as it is known here; whether it was accepted."""
        try:
            order = self.orders[order_id]
            self.orders[order_id] = await self._city.fieldwork.add_note(order, note=text, by=_NORTH)
        except Refused as error:
            if error.code != "stale_version":
                raise
            return False
        return True

    async def rows(self, service: str, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        async with connected(self.system.database_urls[service]) as connection:
            return await connection.fetch(sql, *arguments)

    async def is_published(self) -> bool:
        return not await self.rows(WRITER, "select 1 from outbox limit 1")

    async def at_rest(self) -> None:
        """Until outboxes are empty and both services have read the stream to its end."""
        ends = await eventually(self._ends, until=bool, seconds=60)
        for service in self.system.services:
            await eventually(lambda service=service: self._has_read(service, ends), seconds=60)

    async def _ends(self) -> dict[int, int] | None:
        if not await self.is_published():
            return None
        async with AIOKafkaConsumer(bootstrap_servers=self.system.bootstrap_servers) as consumer:
            parts = [TopicPartition(WORK_ORDERS.name, number) for number in range(WORK_ORDERS.partitions)]
            consumer.assign(parts)
            ends = await consumer.end_offsets(parts)
        return {part.partition: end for part, end in ends.items() if end}

    async def _has_read(self, service: str, ends: dict[int, int]) -> bool:
        rows = await self.rows(
            service, "select partition, next_offset from positions where topic = $1", WORK_ORDERS.name
        )
        positions = {row["partition"]: row["next_offset"] for row in rows}
        return all(positions.get(partition, 0) >= end for partition, end in ends.items())

    async def plant(self, bug: Bug | None, names: Iterable[str] = ()) -> None:
        """These processes have the bug and all others have none; whoever has to change is started anew."""
        changed = []
        for process in self.system.processes:
            wanted = {"CHAOS_BUG": bug.value} if bug and process.name in names else {}
            if {name: value for name, value in process.env.items() if name == "CHAOS_BUG"} != wanted:
                process.env.pop("CHAOS_BUG", None)
                process.env.update(wanted)
                self.system.parts[process.name].kill(back_after=0.0)
                changed.append(process)
        await eventually(lambda: all(self.system.parts[process.name].is_up for process in changed), seconds=60)
        assert await all_ready(changed, 60) == []

    async def check(self) -> Report:
        """The checks of a long run, on the orders of this scene."""
        await self.at_rest()
        report, findings = Report(), Findings()
        messages = [one for one in await read_stream(self.system.bootstrap_servers) if one.subject in self.orders]
        ledger = Ledger(findings)
        for message in messages:
            ledger.take(message)
        report.check("laws", ledger.event_count, (f"{one.law.name}: {one.what}" for one in findings.kept))
        check_history(self.history, [one for one in messages if one.id not in self._written], report)
        for service in self.system.services:
            report.check(f"state of {service}", len(self.orders), await self._wrong_states(service, ledger))
            parked = await self.rows(service, "select reason from parked where key = any($1)", list(self.orders))
            report.check(f"parked by {service}", len(parked), (row["reason"] for row in parked))
        return report

    async def _wrong_states(self, service: str, ledger: Ledger) -> list[str]:
        rows = await self.rows(service, "select id, body from work_orders where id = any($1)", list(self.orders))
        found = {row["id"]: json.loads(row["body"]) for row in rows}
        faults = (difference(ledger.threads[key].state(), found.get(key)) for key in self.orders)
        return [fault for fault in faults if fault]


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        yield connection
    finally:
        connection.terminate()


@contextlib.asynccontextmanager
async def opened_scene(system: System) -> AsyncIterator[Scene]:
    history = History(system.folder / f"history-{uuid.uuid4()}.jsonl")
    with contextlib.closing(history):
        async with Installation(system.addresses(by_links=True), patience=Patience(30, for_handover=True)) as city:
            history.watch(city, seed=1, asked_twice=0.0)
            yield Scene(system, city, history)
