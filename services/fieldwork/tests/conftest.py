"""fieldwork on a database of its own, with two work areas and their staff."""

from collections.abc import AsyncIterator

import pytest

from chassis.testing import Databases
from fieldwork.consumers import SUBSCRIPTIONS
from fieldwork.main import app
from work_orders.testing import ServiceUnderTest, service_of, staff, work_area


@pytest.fixture(scope="session")
def fieldwork_database(databases: Databases) -> str:
    return databases.create("fieldwork")


@pytest.fixture
async def fieldwork(fieldwork_database: str) -> AsyncIterator[ServiceUnderTest]:
    async with service_of(app, fieldwork_database, SUBSCRIPTIONS) as service:
        await service.receive(
            work_area("north"), work_area("south"), staff("north-1", "north"), staff("south-1", "south")
        )
        yield service
