"""Orders of a partner on the real broker: whoever dies, each fate is told once and in order, and so is a replay."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaProducer
from services.intake.tests.delivery.test_partners_on_kafka import Site, site  # noqa: F401

from chassis.testing import eventually, records_of
from contracts import events as e
from contracts import partners as p
from contracts.chain import event_hash
from contracts.codec import decode, encode, new_message, new_partner_message
from contracts.lifecycle import Service
from contracts.message import Actor, Message

COUNT = 30
LIFE = (
    (Service.DISPATCH, e.WorkOrderDispatched(work_area_id="north", staff_ids=("staff-1",))),
    (Service.FIELDWORK, e.WorkOrderStarted()),
    (
        Service.FIELDWORK,
        e.WorkOrderCompleted(
            staff_ids=("staff-1",), handling="x", is_resolved=True, is_petitioned=False, is_called_back=True
        ),
    ),
    (Service.QA, e.WorkOrderArchived()),
)


async def with_order_types(site: Site) -> None:  # noqa: F811
    async with site.db.statements() as statements:
        await statements.execute(
            """insert into subscribers (id, version, subscriber_no, name, phones, address, kind, zone, notes,
                                        created_at, changed_at)
               values ('s-1', 1, '111', '王', '{}', 'x', 'household', 'urban', '', now(), now())"""
        )
        await statements.execute(
            """insert into order_types (kind, code, version, name_en, name_zh, is_active) values
               ('device', 'digital', 1, 'd', '数字', true), ('demand', 'test', 1, 't', '测试', true)"""
        )


def event(body: object, subject: str, event_id: str) -> Message:
    now = datetime.now(UTC)
    return new_partner_message(body, partner_id="shop", event_id=event_id, subject=subject, occurred_at=now)


def asked() -> list[Message]:
    body = p.PartnerOrderRequested(subscriber_no="111", device_type="digital", demand_type="test", content="x")
    return [event(body, f"SO-{number}", f"ask-{number}") for number in range(COUNT)]


def life_of(created: Message) -> list[Message]:
    """What the other services do with the order."""
    messages = [created]
    for version, (service, body) in enumerate(LIFE, start=2):
        messages.append(
            new_message(
                body,
                service=service,
                subject=created.subject,
                actor=Actor(service.value, "service"),
                occurred_at=created.occurred_at + timedelta(minutes=version),
                recorded_at=created.recorded_at + timedelta(minutes=version),
                order_version=version,
                prev_hash=event_hash(messages[-1]),
            )
        )
    return messages[1:]


async def publish(site: Site, topic: str, messages: Sequence[Message]) -> None:  # noqa: F811
    producer = AIOKafkaProducer(bootstrap_servers=site.bootstrap_servers, enable_idempotence=True)
    await producer.start()
    try:
        for message in messages:
            key, value, headers = encode(message)
            await producer.send(site.prefix + topic, value, key=key, headers=headers)
        await producer.flush()
    finally:
        await producer.stop()


async def told(site: Site, replay_id: str | None = None) -> list[Message]:  # noqa: F811
    """What the partner has read, live or of a replay, without what the relay sent twice."""
    records = await records_of(site.bootstrap_servers, f"{site.prefix}partner.shop.out")
    messages = [decode(record.key, record.value, record.headers) for record in records]
    return list({one.id: one for one in messages if one.replay_id == replay_id}.values())


async def statuses(site: Site) -> dict[str, list[str]]:  # noqa: F811
    found: dict[str, list[str]] = {}
    for message in await told(site):
        if isinstance(message.body, p.PartnerOrderStatusChanged):
            found.setdefault(message.subject, []).append(message.body.status.value)
    return found


async def created(site: Site) -> list[Message]:  # noqa: F811
    messages = await site.read("work-orders")
    return [message for message in messages if isinstance(message.body, e.WorkOrderCreated)]


async def test_a_worker_killed_again_and_again_tells_each_fate_once_and_in_order(site: Site) -> None:  # noqa: F811
    await site.partner("shop")
    await with_order_types(site)
    async with site.process() as process:
        await site.send("shop", asked())
        orders = await eventually(lambda: created(site), until=lambda seen: len(seen) == COUNT, seconds=90)
        lives = [life_of(order) for order in orders]
        await publish(site, "work-orders", [message for step in zip(*lives, strict=True) for message in step])
        await eventually(lambda: statuses(site), until=bool, seconds=60)
        process.kill()
    async with site.process() as process:
        await eventually(lambda: statuses(site), until=lambda seen: len(seen) >= COUNT // 2, seconds=90)
        process.kill()
    whole = {f"SO-{number}": ["dispatched", "completed", "archived"] for number in range(COUNT)}
    async with site.worker().running():
        assert await eventually(lambda: statuses(site), until=lambda seen: seen == whole, seconds=90)


async def test_a_replay_goes_on_where_a_killed_worker_left_it(site: Site) -> None:  # noqa: F811
    await site.partner("shop", replay_per_second=5)
    await with_order_types(site)
    async with site.process() as process:
        await site.send("shop", asked())
        live = await eventually(lambda: told(site), until=lambda seen: len(seen) == COUNT, seconds=90)
        since = datetime.now(UTC) - timedelta(hours=1)
        await site.send("shop", [event(p.PartnerReplayRequested(since=since), "again", "replay")])
        await eventually(lambda: told(site, "replay"), until=bool, seconds=60)
        process.kill()
    async with site.process():
        await eventually(lambda: told(site), until=lambda seen: _has_ended(seen), seconds=90)
    assert {one.id for one in await told(site, "replay")} == {one.id for one in live}
    (end,) = [one.body for one in await told(site) if isinstance(one.body, p.PartnerReplayEnded)]
    assert (end.message_count, end.is_complete) == (COUNT, True)


def _has_ended(messages: Sequence[Message]) -> bool:
    return any(isinstance(message.body, p.PartnerReplayEnded) for message in messages)
