"""Creates the databases and topics that services need before they start.

    python -m linework.runtime.preparation

creates missing databases on the PostgreSQL of SERVER_URL and missing topics on the Kafka of KAFKA_BOOTSTRAP_SERVERS;
it waits for servers that are still starting.
"""

import asyncio
import contextlib
import os
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from linework.ports import SERVICES
from linework.stopped import Stopped

SERVERS_SECONDS = 120


def database_urls(server_url: str) -> dict[str, str]:
    """Each service's own database on one server. `postgresql+driver` loses its driver: the URL is neutral."""
    parts = urlsplit(_readable(server_url))
    return {service: parts._replace(path=f"/linework_{service}").geturl() for service in SERVICES}


def _readable(server_url: str) -> str:
    from chassis.database import UnreadableUrl, driver_url

    try:
        return driver_url(server_url)
    except UnreadableUrl as error:
        # Never with what it says: there is a password in it.
        raise Stopped(f"The address of PostgreSQL, DATABASE_URL or SERVER_URL, cannot be read: {error}.") from error


def create_databases(server_url: str) -> None:
    """Create the services' databases that are missing; one that is there is left alone."""
    import asyncpg

    server_url = _readable(server_url)
    try:
        asyncio.run(_create_databases(server_url))
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
        parts = urlsplit(server_url)
        raise Stopped(f"PostgreSQL at {parts.hostname}:{parts.port or 5432} cannot be used: {error}") from error


async def _create_databases(server_url: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(server_url, timeout=10)
    try:
        present = {row["datname"] for row in await connection.fetch("select datname from pg_database")}
        for service in SERVICES:
            if f"linework_{service}" not in present:
                await connection.execute(f'create database "linework_{service}"')
    finally:
        await connection.close()


def create_topics(bootstrap_servers: str, prefix: str) -> None:
    """Create the topics that are missing; one that is there is left as its operator set it."""
    from aiokafka.errors import KafkaError

    from chassis.kafka import create_missing_topics
    from contracts.topics import TOPICS

    with _quiet_aiokafka():
        try:
            asyncio.run(create_missing_topics(bootstrap_servers, prefix, TOPICS))
        except (OSError, KafkaError) as error:
            raise Stopped(f"Kafka at {bootstrap_servers} cannot be used: {error}") from error


@contextlib.contextmanager
def _quiet_aiokafka() -> Any:
    import logging

    logger = logging.getLogger("aiokafka")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def main() -> None:
    give_up_at = time.monotonic() + SERVERS_SECONDS
    while True:
        try:
            create_databases(os.environ["SERVER_URL"])
            create_topics(os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ.get("TOPIC_PREFIX", ""))
            return
        except Stopped as sentence:
            if time.monotonic() > give_up_at:
                sys.exit(str(sentence))
            print(f"waiting: {sentence}", flush=True)
            time.sleep(2)


if __name__ == "__main__":
    main()
