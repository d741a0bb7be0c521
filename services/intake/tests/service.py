"""Intake's app on a database of its own, and a follower that reads what the other services publish."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chassis.database import Database
from chassis.testing import TestIssuer, client_of, settings_for
from contracts.chain import event_hash
from contracts.codec import new_message
from contracts.events import WorkOrderEvent
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from intake.consumers import on_work_orders
from intake.main import app
from work_orders.testing import keys_in, opened, published

DISPATCHER = Actor("dispatcher-1", "dispatcher", "Dispatcher")


@dataclass
class Intake:
    """Intake over HTTP, its database, and the stream as it would be in Kafka."""

    client: httpx.AsyncClient
    db: Database
    issuer: TestIssuer
    last: dict[str, Message]
    app: FastAPI

    def as_(self, role: str, areas: list[str] | None = None, **more: str) -> dict[str, str]:
        return {**self.issuer.headers(role, areas), **more}

    async def get(self, path: str, role: str = "agent", areas: list[str] | None = None, **options: Any) -> Any:
        return await self.client.get(f"/v1{path}", headers=self.as_(role, areas), **options)

    async def post(self, path: str, body: Any, role: str = "agent", **headers: str) -> httpx.Response:
        return await self.client.post(f"/v1{path}", json=body, headers=self.as_(role, **headers))

    async def subscriber(self, number: str = "111", **overrides: Any) -> dict[str, Any]:
        body = {"subscriber_no": number, "name": "王小明", "address": "Chengdong Road 12, flat 3", **overrides}
        answer = await self.post("/subscribers", body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def order(self, **overrides: Any) -> dict[str, Any]:
        answer = await self.post("/work-orders", make_order(**overrides))
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def outbox(self) -> list[Message]:
        """What is to be published but for sealing keys; free texts are opened in `body`."""
        async with self.db.statements() as statements:
            keys = await keys_in(statements)
            rows = await statements.fetch(
                "select aggregateid, payload, headers from outbox where aggregatetype <> 'sealing-keys' order by id"
            )
        return [opened(published(row), keys) for row in rows]

    async def count(self, table: str) -> int:
        async with self.db.statements() as statements:
            return await statements.fetchval(f"select count(*) from {table}")

    async def deliver(self, *messages: Message) -> None:
        """As the worker would, from the stream."""
        async with self.db.begin() as tx:
            await on_work_orders(messages, tx)

    async def deliver_own(self, order_id: str) -> list[Message]:
        """What intake itself published of an order comes back to it."""
        own = [message for message in await self.outbox() if message.subject == order_id]
        await self.deliver(*own)
        self.last[order_id] = [message for message in own if message.order_version][-1]
        return own

    async def happens(self, order_id: str, service: Service, body: Any) -> Message:
        """Another service's event or answer arrives."""
        before, now = self.last[order_id], datetime.now(UTC)
        is_event = type(body) in WorkOrderEvent.__args__
        message = new_message(
            body,
            service=service,
            subject=order_id,
            actor=DISPATCHER,
            occurred_at=now,
            recorded_at=now,
            order_version=(before.order_version or 0) + 1 if is_event else None,
            prev_hash=event_hash(before) if is_event else None,
        )
        if is_event:
            self.last[order_id] = message
        await self.deliver(message)
        return message


def make_order(**overrides: Any) -> dict[str, Any]:
    body = {"subscriber_no": "111", "device_type": "digital", "demand_type": "test", "content": "no picture 没有图像"}
    return {name: value for name, value in {**body, **overrides}.items() if value is not ...}


@pytest.fixture
async def intake(restored_database: Any) -> AsyncIterator[Intake]:
    """With device type `digital`, demand type `test` and subscriber 111."""
    issuer = TestIssuer()
    service = app(settings_for(restored_database("intake")))
    async with client_of(service, issuer) as client:
        intake = Intake(client, service.state.db, issuer, {}, service)
        async with intake.db.statements() as statements:
            await statements.execute(
                """insert into order_types (kind, code, version, name_en, name_zh, is_active) values
                   ('device', 'digital', 1, 'digital', '数字', true), ('demand', 'test', 1, 'test', '测试', true),
                   ('device', 'valve', 1, 'valve', '电子管', false)"""
            )
        await intake.subscriber(phones=["+86 138-0000-0042"], notes="key under the mat")
        yield intake
