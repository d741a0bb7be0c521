"""qa on a database of its own, with two work areas and their staff."""

from collections.abc import AsyncIterator

import pytest

from chassis.testing import Databases, FixedClock
from qa.consumers import SUBSCRIPTIONS
from qa.main import app
from work_orders.testing import ServiceUnderTest, service_of, staff, work_area

# Deleting a few rows is quicker than truncating thirty tables. The kit has given the subscriber a key already.
_EMPTIED = """
do $$ declare name text; begin
    for name in select tablename from pg_tables where schemaname = 'public' 
        and tablename not in ('alembic_version', 'sealing_keys') loop
        execute format('delete from %I', name);
    end loop;
    insert into quality_rules default values;
end $$
"""


@pytest.fixture(scope="session")
def qa_database(databases: Databases) -> str:
    return databases.create("qa")


@pytest.fixture
async def qa(qa_database: str) -> AsyncIterator[ServiceUnderTest]:
    async with service_of(app, qa_database, SUBSCRIPTIONS) as service:
        await service.rows(_EMPTIED)
        await service.receive(
            work_area("north"), work_area("south"), staff("north-1", "north"), staff("south-1", "south")
        )
        yield service


@pytest.fixture
def clock(qa: ServiceUnderTest) -> FixedClock:
    """qa's clock, standing at 2026-03-02 08:00 UTC until it is moved."""
    qa.app.state.clock = FixedClock()
    return qa.app.state.clock
