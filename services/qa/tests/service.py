"""qa on a database of its own, with two work areas and their staff."""

from collections.abc import AsyncIterator, Callable

import pytest

from chassis.testing import FixedClock
from qa.consumers import SUBSCRIPTIONS
from qa.main import app
from work_orders.testing import ServiceUnderTest, service_of, staff, work_area


@pytest.fixture
async def qa(restored_database: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_of(app, restored_database("qa"), SUBSCRIPTIONS) as service:
        await service.receive(
            work_area("north"), work_area("south"), staff("north-1", "north"), staff("south-1", "south")
        )
        yield service


@pytest.fixture
def clock(qa: ServiceUnderTest) -> FixedClock:
    """qa's clock, standing at 2026-03-02 08:00 UTC until it is moved."""
    qa.app.state.clock = FixedClock()
    return qa.app.state.clock
