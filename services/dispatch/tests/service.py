"""Dispatch as its tests see it: its app over HTTP, its database, and the stream that it follows."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chassis.database import Database
from chassis.parking import RawRecord
from chassis.sealing import SealingKey
from chassis.subscribe import Consumer, Subscription
from chassis.testing import TestIssuer, client_of, settings_for
from contracts import events as e
from contracts.chain import event_hash
from contracts.codec import encode, new_message
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.topics import DIRECTORY, Topic
from dispatch.consumers import SUBSCRIPTIONS
from dispatch.main import app as dispatch_app
from work_orders.testing import give_key, opened, published

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
INTAKE = "http://intake.test"
_OFFSETS = count()


def make_created(**overrides: Any) -> e.WorkOrderCreated:
    facts = {"order_no": "20260302-000001", "subscriber_id": "s-1", "subscriber_no": "111", "content": "测试"}
    facts |= {"device_type": "digital", "demand_type": "test", "channel": e.Channel.PHONE, "zone": e.Zone.URBAN}
    return e.WorkOrderCreated(**facts | overrides)


def make_rejected(**overrides: Any) -> e.WorkOrderRejected:
    return e.WorkOrderRejected(**{"reason": e.RejectionReason.OUTSIDE_AREA, "explanation": "not ours"} | overrides)


@dataclass
class Stream:
    """One order's stream, as the services write it: versions without gaps, each event with the hash before."""

    order_id: str
    version: int = 0
    last_hash: str | None = None

    def write(self, body: Any, service: Service, **overrides: Any) -> Message:
        at = BEGIN + timedelta(minutes=self.version)
        facts = {"actor": Actor("u-1", "agent", "张三"), "occurred_at": at, "recorded_at": at}
        facts |= {"order_version": self.version + 1, "prev_hash": self.last_hash}
        message = new_message(body, service=service, subject=self.order_id, **facts | overrides)
        if message.order_version is not None:
            self.follow(message)
        return message

    def follow(self, message: Message) -> None:
        self.version, self.last_hash = message.order_version, event_hash(message)


@dataclass
class Desk:
    """The service under test."""

    client: httpx.AsyncClient
    app: FastAPI
    issuer: TestIssuer
    keys: dict[str, SealingKey]
    """The sealing keys that dispatch has got, by subscriber."""
    streams: dict[str, Stream] = field(default_factory=dict)

    @property
    def db(self) -> Database:
        return self.app.state.db

    async def hear(self, *messages: Message) -> None:
        """What the worker does with a batch from Kafka."""
        await self._hear(SUBSCRIPTIONS[0], messages)

    async def hear_of(self, *entities: Message) -> None:
        """The same for a batch of the directory."""
        await self._hear(next(one for one in SUBSCRIPTIONS if one.topic is DIRECTORY), entities)

    async def _hear(self, subscription: Subscription, messages: Sequence[Message]) -> None:
        consumer = Consumer(subscription, service="dispatch", db=self.db)
        await consumer.apply([_record(message, subscription.topic) for message in messages])

    async def create(self, order_id: str = "o-1", **overrides: Any) -> Stream:
        """An order that intake created and dispatch has heard of."""
        stream = self.streams[order_id] = Stream(order_id)
        await self.hear(stream.write(make_created(**overrides), Service.INTAKE))
        return stream

    async def reject(self, stream: Stream, **overrides: Any) -> None:
        """Fieldwork sends back what dispatch has dispatched."""
        for message in await self.outbox(stream.order_id):
            if (message.order_version or 0) > stream.version:
                stream.follow(message)
        await self.hear(stream.write(make_rejected(**overrides), Service.FIELDWORK))

    async def outbox(self, key: str | None = None) -> list[Message]:
        """What waits to be published, in order; free texts are opened in `body`."""
        async with self.db.statements() as statements:
            rows = await statements.fetch(
                "select aggregateid, payload, headers from outbox where $1::text is null or aggregateid = $1"
                " order by id",
                key,
            )
        return [opened(published(row), self.keys) for row in rows]

    async def act(
        self, order_id: str, name: str, version: int | None, role: str = "dispatcher", areas: Any = None, **body: Any
    ) -> httpx.Response:
        headers = self.issuer.headers(role, areas)
        if version is not None:
            headers["if-match"] = f'"{version}"'
        # Not `json=`: it cannot send the escaped surrogates that a careless client can.
        headers["content-type"] = "application/json"
        return await self.client.post(f"/v1/work-orders/{order_id}/{name}", content=json.dumps(body), headers=headers)

    async def dispatch(self, order_id: str = "o-1", version: int = 1, **more: Any) -> httpx.Response:
        """A dispatch to `north` and its `wang`, unless said otherwise."""
        body = {"work_area_id": "north", "staff_ids": ["wang"]}
        return await self.act(order_id, "dispatch", version, **body | more)

    async def rule(self, order_id: str = "o-1", version: int = 3, **more: Any) -> httpx.Response:
        body = {"is_misdispatch_valid": True, "remark": "确认误派"}
        return await self.act(order_id, "send-to-redispatch", version, **body | more)

    async def get(self, path: str, role: str = "dispatcher", areas: Any = None, **parameters: Any) -> httpx.Response:
        return await self.client.get(path, params=parameters, headers=self.issuer.headers(role, areas))

    async def put(self, path: str, role: str = "operator", **body: Any) -> httpx.Response:
        return await self.client.put(path, json=body, headers=self.issuer.headers(role))

    async def put_area(self, work_area_id: str, **body: Any) -> httpx.Response:
        names = {"name_en": work_area_id.title(), "name_zh": "工区"}
        return await self.put(f"/v1/work-areas/{work_area_id}", **names | body)

    async def put_staff(self, staff_id: str, **body: Any) -> httpx.Response:
        return await self.put(f"/v1/staff/{staff_id}", **{"name": staff_id.title(), "work_area_id": "north"} | body)

    async def open_north_and_south(self) -> None:
        """`north` with `wang` and `li`, `south` with `zhao`."""
        for area in ("north", "south"):
            assert (await self.put_area(area)).status_code == 200
        for staff_id, area in (("wang", "north"), ("li", "north"), ("zhao", "south")):
            assert (await self.put_staff(staff_id, work_area_id=area)).status_code == 200

    def answer_as_intake(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        """From here on intake answers this way."""
        self.app.state.http = httpx.AsyncClient(transport=httpx.MockTransport(answer))


def _record(message: Message, topic: Topic) -> RawRecord:
    key, value, headers = encode(message)
    return RawRecord(topic.name, 0, next(_OFFSETS), key, value, tuple(headers))


@pytest.fixture
async def desk(restored_database: Callable[[str], str]) -> AsyncIterator[Desk]:
    issuer = TestIssuer()
    app = dispatch_app(settings_for(restored_database("dispatch"), intake_url=INTAKE))
    async with client_of(app, issuer) as client:
        async with app.state.db.statements() as statements:
            keys = {"s-1": await give_key(statements, "s-1")}
        yield Desk(client, app, issuer, keys)


@pytest.fixture
async def staffed_desk(desk: Desk) -> Desk:
    """With `north` (`wang`, `li`) and `south` (`zhao`), all heard by everybody: an empty outbox."""
    await desk.open_north_and_south()
    async with desk.db.statements() as statements:
        await statements.execute("delete from outbox")
    return desk
