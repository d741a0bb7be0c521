"""reporting on a database of its own, and streams of orders with times that tests choose."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from chassis.database import Database
from chassis.testing import TestIssuer, client_of, settings_for
from contracts.lifecycle import Status
from custody.testing import BEGIN, ServiceUnderTest, Stream
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
    """`make_stream("o-1", status, at=…, step=timedelta(…))`: an order on its shortest way to a status."""

    def make(
        order_id: str = "o-1", status: Status = Status.CREATED, *, at: datetime = BEGIN, step: float = 60
    ) -> TimedStream:
        shortest = Stream(order_id).until(status)
        stream = TimedStream(order_id, at=at)
        for message in shortest.messages:
            stream.add(message.body)
            stream.after(seconds=step)
        return stream

    return make


@pytest.fixture
async def reporting(new_database) -> AsyncIterator[ServiceUnderTest]:
    issuer, made = TestIssuer(), app(settings_for(new_database("reporting")))
    async with client_of(made, issuer) as client:
        yield ServiceUnderTest(made, client, issuer, SUBSCRIPTIONS)


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
