"""fieldwork on a database of its own, with two work areas and their staff."""

from collections.abc import AsyncIterator

import pytest

from custody.testing import ServiceUnderTest, service_of, staff, work_area
from fieldwork.consumers import SUBSCRIPTIONS
from fieldwork.main import app


@pytest.fixture
async def fieldwork(new_database) -> AsyncIterator[ServiceUnderTest]:
    async with service_of(app, new_database("fieldwork"), SUBSCRIPTIONS) as service:
        await service.receive(
            work_area("north"), work_area("south"), staff("north-1", "north"), staff("south-1", "south")
        )
        yield service
