"""The installation in which the stories happen, for the whole run, and what each story has of its own in it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.installation import Installation
from tests.running import Running

from linework.ports import free_port


@pytest.fixture(scope="session")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One that the environment names, or else one on the servers of this run."""
    if elsewhere := Running.elsewhere():
        yield elsewhere
        return
    settings = {
        "DATABASE_URL": request.getfixturevalue("postgres_server").url,
        "KAFKA_BOOTSTRAP_SERVERS": request.getfixturevalue("kafka_server").bootstrap_servers,
        "TOPIC_PREFIX": f"e2e-{free_port()}.",
        # What must be in no log is to be in none at any level.
        "LOG_LEVEL": "DEBUG",
    }
    with Running.here(tmp_path_factory.mktemp("installation"), **settings).up("--empty") as here:
        yield here


@pytest.fixture
async def installation(running: Running) -> AsyncIterator[Installation]:
    async with Installation(running.addresses, running.database_urls) as installation:
        yield installation


@pytest.fixture
def here(running: Running) -> Running:
    """For stories that look into the installation, or kill its processes."""
    if running.state_folder is None:
        pytest.skip("the installation runs elsewhere")
    return running
