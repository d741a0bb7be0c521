"""reporting on a database of its own, and streams of orders with times that tests choose."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from chassis.database import Database
from chassis.testing import Databases, TestIssuer, client_of, settings_for
from contracts.lifecycle import Status
from custody.testing import BEGIN, ServiceUnderTest, Stream, make_created
from reporting.consumers import SUBSCRIPTIONS
from reporting.main import app


@dataclass
class TimedStream(Stream):
    """The stream of one order; each event happens at `at`, which `after` moves on."""

    at: datetime = BEGIN

    def _next_minute(self) -> datetime:
        return self.at

    def after(self, **step: float) -> "TimedStream":
        self.at += timedelta(**step)
        return self


MakeStream = Callable[..., TimedStream]


@pytest.fixture
def make_stream() -> MakeStream:
    """`make_stream("o-1", status, at=…, step=seconds, zone=…)`: an order on its shortest way to a status."""

    def make(
        order_id: str = "o-1",
        status: Status = Status.CREATED,
        *,
        at: datetime = BEGIN,
        step: float = 60,
        **created: Any,
    ) -> TimedStream:
        stream = TimedStream(order_id, at=at)
        for message in Stream(order_id).until(status).messages:
            stream.add(make_created(**created) if message.order_version == 1 else message.body)
            stream.after(seconds=step)
        return stream

    return make


@pytest.fixture(scope="session")
def reporting_database(databases: Databases) -> str:
    return databases.create("reporting")


@pytest.fixture
async def reporting(reporting_database: str) -> AsyncIterator[ServiceUnderTest]:
    """The service with nothing in its database: one database serves a whole run, one test after another."""
    issuer, made = TestIssuer(), app(settings_for(reporting_database))
    async with client_of(made, issuer) as client:
        service = ServiceUnderTest(made, client, issuer, SUBSCRIPTIONS)
        await service.rows(
            "truncate messages, stream_state, rebuilds, order_facts_a, order_facts_b, status_intervals_a,"
            " status_intervals_b, positions, parked, outbox, idempotency_keys restart identity"
        )
        await service.rows("insert into stream_state default values")
        yield service


@pytest.fixture
def second_connection(reporting: ServiceUnderTest):
    """Another process of reporting on the same database."""

    @contextlib.asynccontextmanager
    async def connect() -> AsyncIterator[Database]:
        db = Database(reporting.db.url)
        try:
            yield db
        finally:
            await db.close()

    return connect
