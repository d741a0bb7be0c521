"""Partners on the real broker: whoever dies, every event counts once and is answered once; a flood holds up nobody."""

import asyncio
import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from chassis.clock import SystemClock
from chassis.database import Database
from chassis.testing import MASTER_KEYS, eventually, records_of, settings_for
from chassis.unit_of_work import UnitOfWork
from chassis.wakeup import Wakeup
from chassis.worker import Worker
from contracts import calls as c
from contracts import partners as p
from contracts.codec import decode, encode, new_partner_message
from contracts.message import Actor, Message
from intake.consumers import SUBSCRIPTIONS
from intake.partners.domain import Partner
from intake.partners.subscriptions import active_partners
from intake.partners.use_cases import define_partner
from linework.ports import free_port
from linework.processes import die_with_parent

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)


@dataclass
class Site:
    """Intake's database and topics, and partners that write to them."""

    url: str
    bootstrap_servers: str
    prefix: str
    db: Database
    wakeup: Wakeup

    def worker(self) -> Worker:
        settings = settings_for(self.url, self.bootstrap_servers, self.prefix)
        return Worker("intake", settings, SUBSCRIPTIONS, arriving=active_partners(settings.master_keys))

    async def partner(self, partner_id: str, **changes: Any) -> None:
        values = {"events_per_second": 5000, **changes}
        uow = UnitOfWork(
            service="intake",
            db=self.db,
            clock=SystemClock(),
            wakeup=self.wakeup,
            actor=Actor("operator-1", "operator"),
        )
        await define_partner(Partner(partner_id, partner_id, partner_id, **values), uow=uow)

    async def send(self, partner_id: str, messages: Sequence[Message]) -> None:
        await self.send_records(partner_id, [encode(message) for message in messages])

    async def send_records(self, partner_id: str, records: Sequence[tuple[bytes, bytes, Any]]) -> None:
        topic = f"{self.prefix}partner.{partner_id}.in"
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap_servers, enable_idempotence=True)
        await producer.start()
        try:
            await eventually(lambda: self._is_there(producer, topic), seconds=30)
            for key, value, headers in records:
                await producer.send(topic, value, key=key, headers=headers)
            await producer.flush()
        finally:
            await producer.stop()

    async def _is_there(self, producer: AIOKafkaProducer, topic: str) -> bool:
        return bool((await producer.client.fetch_all_metadata()).partitions_for_topic(topic))

    async def answered(self, partner_id: str) -> Counter[str]:
        """How often each event was accepted; a record that Kafka has twice is one."""
        found: Counter[str] = Counter()
        for message in await self.read(f"partner.{partner_id}.out"):
            assert isinstance(message.body, p.PartnerEventsAccepted), message.body
            found.update(event.event_id for event in message.body.events)
        return found

    async def read(self, topic: str) -> list[Message]:
        """What is in a topic, without what the relay sent twice."""
        records = await records_of(self.bootstrap_servers, self.prefix + topic)
        messages = [decode(record.key, record.value, record.headers) for record in records]
        return list({message.id: message for message in messages}.values())

    @contextlib.asynccontextmanager
    async def process(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """The worker as a process of its own, to be killed."""
        environment = os.environ | {
            "DATABASE_URL": self.url,
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "TOPIC_PREFIX": self.prefix,
            "ENVIRONMENT": "local",
            "OIDC_ISSUER": "http://issuer.test",
            "SEALING_MASTER_KEYS": MASTER_KEYS,
            "WORKER_PORT": str(free_port()),
            "LOG_LEVEL": "ERROR",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "intake.worker", env=environment, preexec_fn=die_with_parent
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


@pytest.fixture
async def site(new_database: Callable[[str], str], kafka_server: Any, topic_prefix: str) -> AsyncIterator[Site]:
    url = new_database("intake")
    db = Database(url)
    async with Wakeup(url).running() as wakeup:
        yield Site(url, kafka_server.bootstrap_servers, topic_prefix, db, wakeup)
    await db.close()


def calls_of(partner_id: str, count: int) -> list[Message]:
    """So many calls, event by event across all of them: queued, answered after 4 s, ended after 10 s of talk."""
    steps: list[tuple[Any, int]] = [
        (p.PartnerCallOffered(queue="q"), 0),
        (p.PartnerCallQueued(queue="q"), 1),
        (p.PartnerCallAnswered(agent="A"), 5),
        (p.PartnerCallEnded(), 15),
    ]
    return [
        new_partner_message(
            body,
            partner_id=partner_id,
            event_id=f"{number}-{step}",
            subject=f"call-{number}",
            occurred_at=BEGIN + timedelta(seconds=number + at),
        )
        for step, (body, at) in enumerate(steps)
        for number in range(count)
    ]


async def test_a_worker_killed_again_and_again_takes_and_answers_each_event_once(site: Site) -> None:
    await site.partner("pbx")
    messages = calls_of("pbx", 150)
    expected = {message.id: 1 for message in messages}
    for share in (0.1, 0.5):
        async with site.process() as process:
            await site.send("pbx", messages)  # and what was sent before is sent again
            enough = int(len(messages) * share)
            await eventually(lambda: site.answered("pbx"), until=lambda seen, n=enough: len(seen) >= n, seconds=60)
            process.kill()
    async with site.worker().running():
        await eventually(lambda: site.answered("pbx"), until=lambda seen: seen == expected, seconds=60)
        streams: dict[str, list[Message]] = {}
        for message in await site.read("calls"):
            streams.setdefault(message.subject, []).append(message)
    assert len(streams) == 150
    for stream in streams.values():
        assert sorted(one.entity_version or 0 for one in stream) == list(range(1, len(stream) + 1))
        latest = {one.body.fact_id: one.body for one in sorted(stream, key=lambda one: one.entity_version or 0)}
        waits = [one.wait_milliseconds for one in latest.values() if isinstance(one, c.CallAnswered)]
        talks = [one.talk_milliseconds for one in latest.values() if isinstance(one, c.CallEnded)]
        assert (waits, talks) == ([4000], [10_000])


async def test_a_partner_over_its_quota_waits_and_loses_nothing_and_nobody_waits_with_it(site: Site) -> None:
    await site.partner("flood", events_per_second=20)
    await site.partner("calm")
    flood, calm = calls_of("flood", 25), calls_of("calm", 10)
    async with site.worker().running():
        await site.send("flood", flood)
        await site.send("calm", calm)
        await eventually(lambda: site.answered("calm"), until=lambda seen: len(seen) == len(calm), seconds=30)
        assert len(await site.answered("flood")) < len(flood)
        await eventually(lambda: site.answered("flood"), until=lambda seen: len(seen) == len(flood), seconds=40)


async def test_what_a_suspended_partner_sends_waits_until_it_is_active_again(site: Site) -> None:
    await site.partner("pbx")
    messages = calls_of("pbx", 5)
    async with site.worker().running():
        await site.send("pbx", messages[:5])
        await eventually(lambda: site.answered("pbx"), until=lambda seen: len(seen) == 5, seconds=30)
        await site.partner("pbx", is_active=False)
        await asyncio.sleep(3)  # the worker is woken, and nothing tells that it has stopped listening
        await site.send("pbx", messages[5:])
        before = len(await site.answered("pbx"))
        await site.partner("pbx")
        await eventually(lambda: site.answered("pbx"), until=lambda seen: len(seen) == len(messages), seconds=30)
    assert before == 5


async def test_the_cloudevents_sdk_writes_a_call_in_structured_mode_and_reads_the_answers(site: Site) -> None:
    await site.partner("pbx")
    sent = [_written_by_the_sdk(message) for message in calls_of("pbx", 2)]
    async with site.worker().running():
        await site.send_records("pbx", sent)
        await eventually(lambda: site.answered("pbx"), until=lambda seen: len(seen) == len(sent), seconds=60)
    accepted = set()
    for record in await records_of(site.bootstrap_servers, f"{site.prefix}partner.pbx.out"):
        answer = from_kafka(KafkaMessage(dict(record.headers), record.key, record.value), JSONFormat())
        assert (answer.get_source(), answer.get_type()) == (
            "/linework/intake",
            "linework.partner.events_accepted.v1",
        )
        accepted |= {one["event_id"] for one in answer.get_data()["events"]}
    assert accepted == {message.id for message in calls_of("pbx", 2)}


def _written_by_the_sdk(message: Message) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    attributes = {name: getattr(message, name) for name in ("id", "type", "source", "subject")}
    event = CloudEvent({**attributes, "specversion": "1.0", "time": message.occurred_at}, json.loads(message.data))
    record = to_structured(event, JSONFormat(), key_mapper=lambda one: one.get_subject())
    return str(record.key).encode(), record.value, list(record.headers.items())
