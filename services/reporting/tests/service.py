"""reporting on a database of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from chassis.database import Database
from chassis.testing import TestIssuer, client_of, settings_for
from reporting.consumers import SUBSCRIPTIONS
from reporting.main import app
from work_orders.testing import ServiceUnderTest


@pytest.fixture
def reporting_database(restored_database: Callable[[str], str]) -> str:
    return restored_database("reporting")


@pytest.fixture
async def reporting(reporting_database: str) -> AsyncIterator[ServiceUnderTest]:
    issuer, made = TestIssuer(), app(settings_for(reporting_database))
    async with client_of(made, issuer) as client:
        service = ServiceUnderTest(made, client, issuer, SUBSCRIPTIONS)
        yield service


@pytest.fixture
def empty(reporting: ServiceUnderTest, restored_database: Callable[[str], str]) -> Callable[[], Any]:
    """`await empty()`: as the service was at the beginning of the test, for the next example of a property."""
    return lambda: asyncio.to_thread(restored_database, "reporting")


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
