"""What tests of a service with orders need: the stream as the others wrote it, and the service that reads it.

    stream = Stream("o-1").until(Status.PROCESSING)
    async with service_of(app, database_url, SUBSCRIPTIONS) as fieldwork:
        await fieldwork.receive(*stream.messages)
        answer = await fieldwork.act("o-1", "complete", version=3, role="technician", areas=["north"], **COMPLETION)
        assert [message.body for message in await fieldwork.sent()] == [...]

Like `chassis.testing` it is no part of what services run.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from chassis.database import Database, Statements
from chassis.parking import RawRecord
from chassis.sealing import MasterKeys, SealingKey, Wrapped
from chassis.settings import Settings
from chassis.subscribe import Consumer, Subscription
from chassis.testing import MASTER_KEYS, TestIssuer, client_of, settings_for
from contracts import directory as d
from contracts import events as e
from contracts.catalogue import BY_TYPE
from contracts.chain import event_hash
from contracts.codec import decode, encode, new_message
from contracts.lifecycle import Service, Status
from contracts.message import Actor, Message
from contracts.order import WorkOrder, apply
from contracts.requests import WorkOrderCancelRequested, WorkOrderRequest
from contracts.sealing import SEALED, with_texts
from work_orders.sealing import Opening, place_of
from work_orders.sealing_keys import key_place

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
COMPLETION: dict[str, Any] = {
    "staff_ids": ["north-1"],
    "handling": "更换分线盒",
    "is_resolved": True,
    "is_petitioned": False,
    "is_called_back": True,
}
_ROLES = {
    Service.INTAKE: "agent",
    Service.DISPATCH: "dispatcher",
    Service.FIELDWORK: "technician",
    Service.QA: "auditor",
}


def make_created(**overrides: Any) -> e.WorkOrderCreated:
    values: dict[str, Any] = {
        "order_no": "20260302-000001",
        "subscriber_id": "s-1",
        "subscriber_no": "111",
        "device_type": "digital",
        "demand_type": "test",
        "content": "测试",
        "channel": e.Channel.PHONE,
        "zone": e.Zone.URBAN,
    }
    return e.WorkOrderCreated(**(values | overrides))


def make_dispatched(**overrides: Any) -> e.WorkOrderDispatched:
    return e.WorkOrderDispatched(**({"work_area_id": "north", "staff_ids": ("north-1",)} | overrides))


def make_completed(**overrides: Any) -> e.WorkOrderCompleted:
    return e.WorkOrderCompleted(**(COMPLETION | {"staff_ids": ("north-1",)} | overrides))


def make_rejected(**overrides: Any) -> e.WorkOrderRejected:
    return e.WorkOrderRejected(**({"reason": e.RejectionReason.WRONG_TRADE, "explanation": "需要光纤班"} | overrides))


_WAYS: dict[Status, tuple[Callable[[], Any], ...]] = {
    Status.CREATED: (make_created,),
    Status.DISPATCHED: (make_created, make_dispatched),
    Status.PROCESSING: (make_created, make_dispatched, e.WorkOrderStarted),
    Status.REJECTED: (make_created, make_dispatched, make_rejected),
    Status.REDISPATCHING: (make_created, make_dispatched, make_rejected, e.WorkOrderRedispatchRequested),
    Status.COMPLETED: (make_created, make_dispatched, e.WorkOrderStarted, make_completed),
    Status.AUDITING: (make_created, make_dispatched, e.WorkOrderStarted, make_completed, e.WorkOrderAuditRequested),
    Status.ARCHIVED: (make_created, make_dispatched, e.WorkOrderStarted, make_completed, e.WorkOrderArchived),
    Status.CANCELLED: (make_created, lambda: e.WorkOrderCancelled(request_id="r-0", reason="mistake")),
}
"""The shortest way to each status."""


@dataclass
class Stream:
    """The stream of one order, from its beginning: each event by its custodian, a minute after the one before."""

    order_id: str = "o-1"
    messages: list[Message] = field(default_factory=list)
    order: WorkOrder | None = None

    def until(self, status: Status) -> "Stream":
        """Takes a new stream the shortest way to a status."""
        for make in _WAYS[status]:
            self.add(make())
        return self

    def add(self, event: e.WorkOrderEvent, *, sub: str | None = None) -> Message:
        service = (self.order.custodian if self.order else Service.INTAKE) or Service.QA
        events = [message for message in self.messages if message.order_version is not None]
        return self.take(
            new_message(
                event,
                service=service,
                subject=self.order_id,
                actor=Actor(sub or f"{_ROLES[service]}-1", _ROLES[service]),
                occurred_at=self._next_minute(),
                recorded_at=self._next_minute(),
                order_version=len(events) + 1,
                prev_hash=event_hash(events[-1]) if events else None,
            )
        )

    def ask(self, request: WorkOrderRequest | None = None) -> Message:
        """A request from intake; without one, to cancel."""
        return self.take(
            new_message(
                request or WorkOrderCancelRequested(request_id="r-1", reason="用户来电要求"),
                service=Service.INTAKE,
                subject=self.order_id,
                actor=Actor("agent-1", "agent"),
                occurred_at=self._next_minute(),
                recorded_at=self._next_minute(),
            )
        )

    def take(self, message: Message) -> Message:
        """Goes on with what a service has written."""
        self.messages.append(message)
        if message.order_version is not None:
            self.order = apply(self.order, message)
        return message

    def _next_minute(self) -> datetime:
        return BEGIN + timedelta(minutes=len(self.messages))


def make_order(*events: e.WorkOrderEvent, status: Status | None = None, order_id: str = "o-1") -> WorkOrder:
    """An order that has been through these events, or the shortest way to a status and then through them."""
    stream = Stream(order_id)
    if status is not None:
        stream.until(status)
    for event in events:
        stream.add(event)
    assert stream.order is not None
    return stream.order


def defined(entity: d.DirectoryEntity, version: int = 1) -> Message:
    """An entry of the directory as dispatch and intake publish it."""
    is_of_intake = isinstance(entity, d.DeviceTypeDefined | d.DemandTypeDefined)
    return new_message(
        entity,
        service=Service.INTAKE if is_of_intake else Service.DISPATCH,
        subject="directory",
        actor=Actor("operator-1", "operator"),
        occurred_at=BEGIN,
        recorded_at=BEGIN,
        entity_version=version,
    )


def work_area(work_area_id: str, version: int = 1, **more: Any) -> Message:
    names = d.Names(en=work_area_id, zh=f"{work_area_id}工区")
    values: dict[str, Any] = {"work_area_id": work_area_id, "names": names} | more
    return defined(d.WorkAreaDefined(**values), version)


def staff(staff_id: str, work_area_id: str, version: int = 1, **more: Any) -> Message:
    name = f"name of {staff_id}"
    return defined(
        d.StaffDefined(**({"staff_id": staff_id, "name": name, "work_area_id": work_area_id} | more)), version
    )


@dataclass
class ServiceUnderTest:
    """A service's app on a database of its own, with what comes to it and what it sends."""

    app: FastAPI
    client: httpx.AsyncClient
    issuer: TestIssuer
    subscriptions: list[Subscription]
    offset: int = 0
    keys: dict[str, SealingKey] = field(default_factory=dict)
    """The sealing keys that the service has got, by subscriber."""

    @property
    def db(self) -> Database:
        db: Database = self.app.state.db
        return db

    async def receive(self, *messages: Message) -> None:
        """One batch from Kafka, through the service's own consumer of each topic."""
        for subscription in self.subscriptions:
            records = []
            for message in messages:
                if BY_TYPE[message.type].topic is subscription.topic:
                    key, value, headers = encode(message)
                    records.append(RawRecord(subscription.topic.name, 0, self.offset, key, value, tuple(headers)))
                    self.offset += 1
            if records:
                await Consumer(subscription, service=self.app.state.service, db=self.db).apply(records)

    async def sent(self) -> list[Message]:
        """What waits in the outbox, in the order in which it will be published; free texts are opened in `body`."""
        rows = await self.rows("select aggregateid, payload, headers from outbox order by id")
        return [opened(published(row), self.keys) for row in rows]

    async def rows(self, sql: str, *arguments: Any) -> list[Any]:
        async with self.db.statements() as statements:
            return await statements.fetch(sql, *arguments)

    async def row_of(self, order_id: str = "o-1") -> Any:
        """The row as it is stored, with the texts in its body opened."""
        (row,) = await self.rows("select * from work_orders where id = $1", order_id)
        (body,) = await Opening(self.app.state.sealing_keys).objects([(order_id, row["body"])])
        return {**row, "body": body}

    async def get(self, path: str, role: str, areas: list[str] | None = None, **params: Any) -> httpx.Response:
        return await self.client.get(f"/v1{path}", headers=self.issuer.headers(role, areas), params=params)

    async def put(self, path: str, role: str, body: Any, areas: list[str] | None = None) -> httpx.Response:
        return await self.client.put(f"/v1{path}", headers=self.issuer.headers(role, areas), json=body)

    async def act(
        self,
        order_id: str,
        act: str,
        *,
        version: int,
        role: str,
        areas: list[str] | None = None,
        sub: str | None = None,
        key: str | None = None,
        **body: Any,
    ) -> httpx.Response:
        headers = self.issuer.headers(role, areas, sub) | {"if-match": f'"{version}"'}
        headers |= {"idempotency-key": key} if key else {}
        return await self.client.post(f"/v1/work-orders/{order_id}/{act}", json=body, headers=headers)


async def give_key(statements: Statements, subscriber_id: str) -> SealingKey:
    """A sealing key in the service's database, as if intake had issued it."""
    key, wrapped = MasterKeys.parse(MASTER_KEYS).new_key(place=key_place(subscriber_id))
    await statements.execute(
        "insert into sealing_keys (subscriber_id, entity_version, master_key_id, wrapped) values ($1, 1, $2, $3)",
        subscriber_id,
        wrapped.master_key_id,
        wrapped.text,
    )
    return key


async def keys_in(statements: Statements) -> dict[str, SealingKey]:
    """The sealing keys that a database has, by subscriber."""
    rows = await statements.fetch("select subscriber_id, master_key_id, wrapped from sealing_keys")
    masters = MasterKeys.parse(MASTER_KEYS)
    return {
        row["subscriber_id"]: masters.unwrap(
            Wrapped(row["master_key_id"], row["wrapped"]), place=key_place(row["subscriber_id"])
        )
        for row in rows
        if row["wrapped"] is not None
    }


def published(row: Any) -> Message:
    """The message of an outbox row."""
    headers = [(name, text.encode()) for name, text in json.loads(row["headers"]).items()]
    return decode(row["aggregateid"].encode(), row["payload"], headers)


def opened(message: Message, keys: Mapping[str, SealingKey]) -> Message:
    """The message with the sealed texts of its body opened; older events and requests have plain ones."""

    def text_of(text: str) -> str:
        match = SEALED.fullmatch(text)
        return keys[match[1]].open(match[2], place=place_of(message.subject)) if match else text

    return replace(message, body=with_texts(message.body, text_of))


@contextlib.asynccontextmanager
async def service_of(
    app: Callable[[Settings], FastAPI], database_url: str, subscriptions: list[Subscription], **settings: Any
) -> AsyncIterator[ServiceUnderTest]:
    """The service on a database in which there is nothing, such as `restored_database` gives."""
    issuer, made = TestIssuer(), app(settings_for(database_url, **settings))
    async with client_of(made, issuer) as client:
        service = ServiceUnderTest(made, client, issuer, subscriptions)
        async with service.db.statements() as statements:
            service.keys = {"s-1": await give_key(statements, "s-1")}
        yield service
