"""A topic is lost with everything in it, and refilled from reporting's record: no order stops for good.

Real broker, real workers. What the topic holds afterwards is checked by the same code as `linework verify`.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from tests.operators.in_process import InProcess

from chassis.kafka import admin_of
from chassis.offsets import Position
from chassis.parking import Parked, RawRecord, park
from chassis.recovery.re_emit import re_emit
from chassis.recovery.recreated_topic import reset_offsets
from chassis.testing import create_topics, eventually
from chassis.worker import Worker
from contracts.topics import DEADLINES, DIRECTORY, SEALING_KEYS, WORK_ORDERS, Topic
from dispatch import recovery as dispatch_recovery
from fieldwork.consumers import SUBSCRIPTIONS
from intake import recovery as intake_recovery
from reporting.republish import CannotRepublish, republish


async def lose(installation: InProcess, topic: str = WORK_ORDERS.name) -> None:
    async with admin_of(installation.settings("reporting")) as admin:
        await admin.delete_topics([installation.topic(topic)])
        await eventually(admin.list_topics, until=lambda names: installation.topic(topic) not in names)


async def refill(installation: InProcess, topic: Topic = WORK_ORDERS, **options: Any) -> int:
    """What `python -m reporting.republish TOPIC` does."""
    return await republish(installation.settings("reporting"), topic, say=lambda _: None, **options)


def as_read(records: list[ConsumerRecord]) -> dict[bytes, list[tuple[Any, Any]]]:
    """By key: value and attributes of each record, in their order; each message once."""
    found: dict[bytes, list[tuple[Any, Any]]] = {}
    for record in records:
        attributes = sorted((name, text) for name, text in record.headers if name.startswith(("ce_", "content")))
        if (record.value, attributes) not in found.setdefault(record.key, []):
            found[record.key].append((record.value, attributes))
    return found


async def all_workers_caught_up(installation: InProcess) -> None:
    async def behind() -> int:
        return sum(
            worker.fault() is not None or listener.lag()
            for worker in installation.workers.values()
            for listener in worker._listeners
        )

    await eventually(behind, until=lambda count: count == 0, seconds=30)


async def waiting(installation: InProcess, service: str, order: Any) -> int:
    """How many rows of an order are in the outbox of a service."""
    return len(await installation.rows(service, "select 1 from outbox where aggregateid = $1", order["id"]))


@contextlib.contextmanager
def killed_after(monkeypatch: pytest.MonkeyPatch, *, records: int) -> Iterator[None]:
    """It ends when it is about to send one record more."""
    left = itertools.count(records, -1)

    async def send(self: AIOKafkaProducer, *given: Any, **named: Any) -> Any:
        if next(left) <= 0:
            raise asyncio.CancelledError
        return await real(self, *given, **named)

    real = AIOKafkaProducer.send
    with monkeypatch.context() as patch:
        patch.setattr(AIOKafkaProducer, "send", send)
        yield


async def in_flight(installation: InProcess) -> dict[str, Any]:
    """Orders in every state, requests granted, refused and open, and one order that only an outbox has."""
    async with installation.started():
        orders = {
            name: await installation.create() for name in ("new", "given", "worked", "done", "cancelled", "asked")
        }
        for name in ("given", "worked", "done", "asked"):
            orders[name] = await installation.act(orders[name], "dispatch")
        for name in ("worked", "done", "asked"):
            orders[name] = await installation.act(orders[name], "start")
        orders["done"] = await installation.act(orders["done"], "complete")
        for name, kind in (("cancelled", "cancel"), ("done", "urge")):
            await installation.answered(await installation.request(orders[name], kind))
        await installation.lawful()
        await all_workers_caught_up(installation)
    return orders


async def test_a_lost_topic_is_filled_again_as_it_was_and_everybody_goes_on(installation: InProcess) -> None:
    orders = await in_flight(installation)
    before = as_read(await installation.records())
    await lose(installation)
    # Clients are answered all the while: what they are told waits in the outboxes.
    orders["worked"] = await installation.act(orders["worked"], "complete")
    late = await installation.create()

    count = await refill(installation, partitions=4)
    records = await installation.records()
    assert as_read(records) == before
    assert len(records) == count == sum(map(len, before.values()))

    async with installation.started():
        await installation.act(orders["given"], "start", "complete")
        late = await installation.act(late, "dispatch")
        asked = await installation.request(orders["asked"], "cancel")
        assert (await installation.answered(asked))["state"] == "granted"
        await installation.act(orders["worked"], "archive")
        ledger = await installation.lawful()
    assert all(len(request.answers) == 1 for request in ledger.requests.values())
    assert len(ledger.requests) == 3


async def test_a_refill_that_is_killed_goes_on_where_it_was_and_nobody_starts_meanwhile(
    installation: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = await in_flight(installation)
    before = as_read(await installation.records())
    await lose(installation)
    late = await installation.act(orders["worked"], "complete")
    monkeypatch.setattr("reporting.republish._ROWS", 5)
    with killed_after(monkeypatch, records=7), pytest.raises(asyncio.CancelledError):
        await refill(installation, partitions=4)
    assert 0 < len(await installation.records()) < sum(map(len, before.values()))

    worker = Worker("fieldwork", installation.settings("fieldwork"), SUBSCRIPTIONS)
    async with worker.running():
        await eventually(lambda: worker.waits_for, until=lambda reason: reason and "work-orders" in reason)
        assert await waiting(installation, "fieldwork", late)

    assert await refill(installation) == len(await installation.records())
    assert as_read(await installation.records()) == before
    async with installation.started():
        await installation.act(late, "archive")
        ledger = await installation.lawful()
    assert ledger.repeat_count == 0


async def test_a_topic_that_was_made_anew_under_everybody_is_read_on_and_filled_later(installation: InProcess) -> None:
    """As where an operator of the cluster makes a topic again as soon as it is missing."""
    orders = await in_flight(installation)
    async with installation.started():
        await lose(installation)
        await create_topics(installation.bootstrap_servers, [installation.topic(WORK_ORDERS.name)])
        orders["given"] = await installation.act(orders["given"], "start")
        await installation.has("qa", orders["given"])
        await all_workers_caught_up(installation)
        with pytest.raises(CannotRepublish, match="stop the workers"):
            await refill(installation)
    present = await installation.records()
    assert 0 < len(present) < 5
    with pytest.raises(CannotRepublish, match="--replace"):
        await refill(installation)
    await refill(installation, replaces=True)
    async with installation.started():
        await installation.act(orders["given"], "complete")
        ledger = await installation.lawful()
    assert ledger.threads[orders["given"]["id"]].version == 4


async def test_a_topic_with_messages_that_the_record_has_not_is_never_deleted(installation: InProcess) -> None:
    async with installation.started():
        await installation.create()
        await installation.lawful()
    async with installation.started("intake"):
        await installation.create()
        await installation.published("intake")
    with pytest.raises(CannotRepublish, match=r"1 messages of .* are not in the record"):
        await refill(installation, replaces=True)
    assert len(await installation.records()) == 2
    async with installation.started():  # nothing has changed: workers resume at their offsets
        await installation.lawful()


async def test_lost_limits_are_filled_again_and_the_next_ones_follow_them(installation: InProcess) -> None:
    async def limit_arrival(minutes: int) -> None:
        rules = {
            "limits": [{"clock": "arrive", "minutes": minutes}],
            "calendar": calendar,
            "longest_extension_minutes": 60,
        }
        await installation.operator.put("dispatch", "/rules/time-limits", rules)

    calendar = (await installation.operator.get("dispatch", "/rules/time-limits"))["rules"]["calendar"]
    async with installation.started():
        for minutes in (30, 40):
            await limit_arrival(minutes)
        await installation.published("dispatch")
        await all_workers_caught_up(installation)
    before = as_read(await installation.records(DEADLINES.name))
    await lose(installation, DEADLINES.name)
    assert await refill(installation, DEADLINES) == 2
    assert as_read(await installation.records(DEADLINES.name)) == before
    async with installation.started():
        await limit_arrival(50)
        await installation.published("dispatch")
        await all_workers_caught_up(installation)
        await installation.lawful()
    (limits,) = as_read(await installation.records(DEADLINES.name)).values()
    assert len(limits) == 3


def newest(records: list[ConsumerRecord]) -> dict[bytes, tuple[Any, bytes]]:
    """By key: value and version of its last record."""
    return {record.key: (record.value, dict(record.headers)["ce_entityversion"]) for record in records}


async def test_what_a_service_publishes_from_its_tables_it_says_again(installation: InProcess) -> None:
    async with installation.started():
        order = await installation.create()
        agent = {"name": "王芳", "team": "A"}
        await installation.operator.put("intake", "/agents/agent-7", agent)
        await installation.published("intake")
        await installation.lawful()
        await all_workers_caught_up(installation)
    before = {topic: newest(await installation.records(topic)) for topic in (DIRECTORY.name, SEALING_KEYS.name)}
    assert len(before[DIRECTORY.name]) > 4
    for topic in before:
        await lose(installation, topic)
        await create_topics(installation.bootstrap_servers, [installation.topic(topic)])
    async with installation.started():
        for service, pages in (("dispatch", dispatch_recovery.RE_EMITTED), ("intake", intake_recovery.RE_EMITTED)):
            for page in pages.values():
                await re_emit(installation.db(service), page)
            await installation.published(service)
        after = {topic: newest(await installation.records(topic)) for topic in before}
        assert after == before
        await all_workers_caught_up(installation)
        await installation.act(order, "dispatch", "start", "complete")
        await installation.lawful()


async def test_what_was_noted_of_a_lost_topic_gives_way_and_what_is_parked_stays_in_its_order(
    installation: InProcess,
) -> None:
    db = installation.db("qa")
    record, topic_id = RawRecord("work-orders", 1, 7, b"o-1", b"bad", ()), uuid4()
    async with db.begin() as tx:
        await tx.execute(
            "insert into positions (topic, partition, next_offset, restored_until) values ('work-orders', 1, 10, 9),"
            " ('work-orders', 2, 10, 12), ('work-orders', 3, 11, null)"
        )
        await park(tx, [Parked(record, "bad"), Parked(replace(record, offset=9), "behind")])
    async with db.begin() as tx:
        noted = {1: Position(10, None), 2: Position(10, None), 3: Position(10, None)}
        assert await reset_offsets(tx, "work-orders", topic_id, noted) == [1, 2]
    async with db.begin() as tx:
        await park(tx, [Parked(record, "bad as well")])
        positions = await tx.fetch("select partition, next_offset, restored_until from positions order by partition")
        parked = await tx.fetch('select reason from parked where key = $1 order by "offset", id', "o-1")
    # A restored database that had not read everything yet still has to.
    # Where another worker has read on meanwhile nothing is concluded.
    assert [tuple(row) for row in positions] == [(1, 0, None), (2, 0, 12), (3, 11, None)]
    assert [row["reason"] for row in parked] == ["bad", "behind", "bad as well"]
