"""A town for each test that looks inside, or repairs something."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.operators.town import Town, open_town


@pytest.fixture
async def town(databases: Any, kafka_server: Any, topic_prefix: str) -> AsyncIterator[Town]:
    async with open_town(databases, kafka_server.bootstrap_servers, topic_prefix) as opened:
        yield opened
