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
from typing import Any

import httpx
from fastapi import FastAPI

from chassis.database import Database, Statements
from chassis.parking import RawRecord
from chassis.sealing import MasterKeys, SealingKey, Wrapped
from chassis.settings import Settings
from chassis.subscribe import Consumer, Subscription
from chassis.testing import MASTER_KEYS, TestIssuer, client_of, settings_for
from contracts.catalogue import BY_TYPE
from contracts.codec import decode, encode
from contracts.message import Message
from contracts.sealing import SEALED, with_texts
from work_orders.sealing import Opening, place_of
from work_orders.sealing_keys import key_place
from work_orders.testing_streams import (  # noqa: F401
    BEGIN,
    COMPLETION,
    Stream,
    defined,
    make_completed,
    make_created,
    make_dispatched,
    make_order,
    make_rejected,
    staff,
    work_area,
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
