"""qa on a database of its own, with two work areas and their staff."""

from collections.abc import AsyncIterator

import pytest

from chassis.testing import Databases
from custody.testing import ServiceUnderTest, service_of, staff, work_area
from qa.consumers import SUBSCRIPTIONS
from qa.main import app


@pytest.fixture(scope="session")
def qa_database(databases: Databases) -> str:
    return databases.create("qa")


@pytest.fixture
async def qa(qa_database: str) -> AsyncIterator[ServiceUnderTest]:
    async with service_of(app, qa_database, SUBSCRIPTIONS) as service:
        await service.receive(
            work_area("north"), work_area("south"), staff("north-1", "north"), staff("south-1", "south")
        )
        yield service
