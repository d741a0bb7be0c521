"""An installation for each test that looks inside, or repairs something."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.operators.in_process import InProcess


@pytest.fixture
async def installation(databases: Any, kafka_server: Any, topic_prefix: str) -> AsyncIterator[InProcess]:
    async with InProcess(databases, kafka_server.bootstrap_servers, topic_prefix) as installation:
        yield installation
