"""A topic is lost with everything in it, and filled again from reporting's record: nobody's orders stop for good.

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
from tests.operators.town import Town, is_lawful_everywhere

from chassis.kafka import admin_of
from chassis.offsets import Position
from chassis.parking import Parked, RawRecord, park
from chassis.recovery.re_emit import re_emit
from chassis.recovery.recreated_topic import reset_offsets
from chassis.testing import create_topics, eventually, records_of
from chassis.worker import Worker
from contracts.topics import DEADLINES, DIRECTORY, SEALING_KEYS, WORK_ORDERS, Topic
from dispatch import recovery as dispatch_recovery
from fieldwork.consumers import SUBSCRIPTIONS
from intake import recovery as intake_recovery
from reporting.republish import CannotRepublish, republish


async def lose(town: Town, topic: str = WORK_ORDERS.name) -> None:
    async with admin_of(town.settings("reporting")) as admin:
        await admin.delete_topics([town.prefix + topic])
        await eventually(admin.list_topics, until=lambda names: town.prefix + topic not in names)


async def refill(town: Town, topic: Topic = WORK_ORDERS, **options: Any) -> int:
    """What `python -m reporting.republish TOPIC` does."""
    return await republish(town.settings("reporting"), topic, say=lambda _: None, **options)


async def standing(town: Town, topic: str = WORK_ORDERS.name) -> list[ConsumerRecord]:
    return await records_of(town.bootstrap_servers, town.prefix + topic)


def as_read(records: list[ConsumerRecord]) -> dict[bytes, list[tuple[Any, Any]]]:
    """By key: value and attributes of each record, in their order; each message once."""
    found: dict[bytes, list[tuple[Any, Any]]] = {}
    for record in records:
        attributes = sorted((name, text) for name, text in record.headers if name.startswith(("ce_", "content")))
        if (record.value, attributes) not in found.setdefault(record.key, []):
            found[record.key].append((record.value, attributes))
    return found


async def everybody_has_read(town: Town) -> None:
    async def behind() -> int:
        return sum(
            worker.fault() is not None or listener.lag()
            for worker in town.workers.values()
            for listener in worker._listeners
        )

    await eventually(behind, until=lambda count: count == 0, seconds=30)


async def waiting(town: Town, service: str, order: Any) -> int:
    """How many rows of an order are in the outbox of a service."""
    async with town.db(service).statements() as statements:
        return await statements.fetchval("select count(*) from outbox where aggregateid = $1", order["id"])


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


async def in_flight(town: Town) -> dict[str, Any]:
    """Orders in every state, requests granted, refused and open, and one order that only an outbox has."""
    async with town.started():
        orders = {name: await town.create() for name in ("new", "given", "worked", "done", "cancelled", "asked")}
        for name in ("given", "worked", "done", "asked"):
            orders[name] = await town.act(orders[name], "dispatch")
        for name in ("worked", "done", "asked"):
            orders[name] = await town.act(orders[name], "start")
        orders["done"] = await town.act(orders["done"], "complete")
        granted, refused = await town.request(orders["cancelled"], "cancel"), await town.request(orders["done"], "urge")
        await town.settled(granted)
        await town.settled(refused)
        await is_lawful_everywhere(town)
        await everybody_has_read(town)
    return {**orders, "requests": [granted, refused]}


async def test_a_lost_topic_is_filled_again_as_it_was_and_everybody_goes_on(town: Town) -> None:
    orders = await in_flight(town)
    before = as_read(await standing(town))
    await lose(town)
    # Clients are answered all the while: what they are told waits in the outboxes.
    orders["worked"] = await town.act(orders["worked"], "complete")
    late = await town.create()

    count = await refill(town, partitions=4)
    records = await standing(town)
    assert as_read(records) == before
    assert len(records) == count == sum(map(len, before.values()))

    async with town.started():
        await town.act(orders["given"], "start", "complete")
        late = await town.act(late, "dispatch")
        asked = await town.request(orders["asked"], "cancel")
        assert (await town.settled(asked))["state"] == "granted"
        await town.act(orders["worked"], "archive")
        ledger = await is_lawful_everywhere(town)
    assert all(len(request.answers) == 1 for request in ledger.requests.values())
    assert len(ledger.requests) == 3


async def test_a_refill_that_is_killed_goes_on_where_it_was_and_nobody_starts_meanwhile(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = await in_flight(town)
    before = as_read(await standing(town))
    await lose(town)
    late = await town.act(orders["worked"], "complete")
    monkeypatch.setattr("reporting.republish._ROWS", 5)
    with killed_after(monkeypatch, records=7), pytest.raises(asyncio.CancelledError):
        await refill(town, partitions=4)
    assert 0 < len(await standing(town)) < sum(map(len, before.values()))

    worker = Worker("fieldwork", town.settings("fieldwork"), SUBSCRIPTIONS)
    async with worker.running():
        await eventually(lambda: worker.waits_for, until=lambda reason: reason and "work-orders" in reason)
        assert await waiting(town, "fieldwork", late)

    assert await refill(town) == len(await standing(town))
    assert as_read(await standing(town)) == before
    async with town.started():
        await town.act(late, "archive")
        ledger = await is_lawful_everywhere(town)
    assert ledger.repeat_count == 0


async def test_a_topic_that_was_made_anew_under_everybody_is_read_on_and_filled_later(town: Town) -> None:
    """As where an operator of the cluster makes a topic again as soon as it is missing."""
    orders = await in_flight(town)
    async with town.started():
        await lose(town)
        await create_topics(town.bootstrap_servers, [town.prefix + WORK_ORDERS.name])
        orders["given"] = await town.act(orders["given"], "start")
        await town.has("qa", orders["given"])
        await everybody_has_read(town)
        with pytest.raises(CannotRepublish, match="stop the workers"):
            await refill(town)
    present = await standing(town)
    assert 0 < len(present) < 5
    with pytest.raises(CannotRepublish, match="--replace"):
        await refill(town)
    await refill(town, replaces=True)
    async with town.started():
        await town.act(orders["given"], "complete")
        ledger = await is_lawful_everywhere(town)
    assert ledger.threads[orders["given"]["id"]].version == 4


async def test_a_topic_with_messages_that_the_record_has_not_is_never_deleted(town: Town) -> None:
    async with town.started():
        await town.create()
        await is_lawful_everywhere(town)
    async with town.started("intake"):
        await town.create()
        await town.settle("intake")
    with pytest.raises(CannotRepublish, match=r"1 messages of .* are not in the record"):
        await refill(town, replaces=True)
    assert len(await standing(town)) == 2
    async with town.started():  # nothing has changed: everybody goes on where they were
        await is_lawful_everywhere(town)


async def test_lost_limits_are_filled_again_and_the_next_ones_follow_them(town: Town) -> None:
    async def limit_arrival(minutes: int) -> None:
        rules = {
            "limits": [{"clock": "arrive", "minutes": minutes}],
            "calendar": calendar,
            "longest_extension_minutes": 60,
        }
        await town.call("dispatch", "PUT", "/rules/time-limits", "operator", rules)

    calendar = (await town.call("dispatch", "GET", "/rules/time-limits", "operator"))["rules"]["calendar"]
    async with town.started():
        for minutes in (30, 40):
            await limit_arrival(minutes)
        await town.settle("dispatch")
        await everybody_has_read(town)
    before = as_read(await standing(town, DEADLINES.name))
    await lose(town, DEADLINES.name)
    assert await refill(town, DEADLINES) == 2
    assert as_read(await standing(town, DEADLINES.name)) == before
    async with town.started():
        await limit_arrival(50)
        await town.settle("dispatch")
        await everybody_has_read(town)
        await is_lawful_everywhere(town)
    (limits,) = as_read(await standing(town, DEADLINES.name)).values()
    assert len(limits) == 3


def newest(records: list[ConsumerRecord]) -> dict[bytes, tuple[Any, bytes]]:
    """By key: value and version of its last record."""
    return {record.key: (record.value, dict(record.headers)["ce_entityversion"]) for record in records}


async def test_what_a_service_publishes_from_its_tables_it_says_again(town: Town) -> None:
    async with town.started():
        order = await town.create()
        agent = {"name": "王芳", "team": "A"}
        await town.call("intake", "PUT", "/agents/agent-7", "operator", agent)
        await town.settle("intake")
        await is_lawful_everywhere(town)
        await everybody_has_read(town)
    before = {topic: newest(await standing(town, topic)) for topic in (DIRECTORY.name, SEALING_KEYS.name)}
    assert len(before[DIRECTORY.name]) > 4
    for topic in before:
        await lose(town, topic)
        await create_topics(town.bootstrap_servers, [town.prefix + topic])
    async with town.started():
        for service, pages in (("dispatch", dispatch_recovery.RE_EMITTED), ("intake", intake_recovery.RE_EMITTED)):
            for page in pages.values():
                await re_emit(town.db(service), page)
            await town.settle(service)
        after = {topic: newest(await standing(town, topic)) for topic in before}
        assert after == before
        await everybody_has_read(town)
        await town.act(order, "dispatch", "start", "complete")
        await is_lawful_everywhere(town)


async def test_what_was_noted_of_a_lost_topic_gives_way_and_what_is_parked_stays_in_its_order(town: Town) -> None:
    db = town.db("qa")
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
