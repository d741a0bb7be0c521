"""fieldwork on a database of its own, with two work areas and their staff."""

from collections.abc import AsyncIterator, Callable

import pytest

from fieldwork.consumers import SUBSCRIPTIONS
from fieldwork.main import app
from work_orders.testing import ServiceUnderTest, service_of, staff, work_area


@pytest.fixture
async def fieldwork(restored_database: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_of(app, restored_database("fieldwork"), SUBSCRIPTIONS) as service:
        await service.receive(
            work_area("north"), work_area("south"), staff("north-1", "north"), staff("south-1", "south")
        )
        yield service
