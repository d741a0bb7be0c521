"""Pauses publishing for an operator while topics must not change, as when partitions are added.

What must stay true: while no relay is at work, nothing of this service is on its way to Kafka, and a relay that begins
again does so with a new producer. So a relay first takes its presence lock and then checks for a pause; a request for a
pause is first written and then the relays are counted. A pause ends by itself: an operator's command that dies stops
no relay for good. Commands are taken meanwhile and wait in the outbox.
"""

from datetime import datetime

import asyncpg

from chassis.advisory_locks import AdvisoryLock
from chassis.database import Statements

RESTS = "exists (select from publishing_rests where until > clock_timestamp())"
RELAYS = f"""select count(*) from pg_locks
    where locktype = 'advisory' and classid = {AdvisoryLock.RELAY_PRESENCE} and granted
        and database = (select oid from pg_database where datname = current_database())"""


class PublishingPaused(Exception):
    """Publishing is paused; no relay may be at work."""


async def begin_work(connection: asyncpg.Connection) -> None:
    """Marks a relay as at work as long as the connection lives; raises `PublishingPaused`."""
    await connection.execute("select pg_advisory_lock_shared($1, 0)", AdvisoryLock.RELAY_PRESENCE)
    if await connection.fetchval(f"select {RESTS}"):
        raise PublishingPaused


async def count_relays(connection: asyncpg.Connection) -> int:
    """How many relays of this database are at work; raises `PublishingPaused`."""
    relays: int
    relays, rests = await connection.fetchrow(f"select ({RELAYS}), {RESTS}")
    if rests:
        raise PublishingPaused
    return relays


async def pause(statements: Statements, seconds: int, *, by: str) -> None:
    """Pauses publishing for so many seconds from the present moment; with 0 it goes on."""
    await statements.execute(
        """insert into publishing_rests (until, asked_by) values (clock_timestamp() + make_interval(secs => $1), $2)
           on conflict (is_only) do update set until = excluded.until, asked_by = excluded.asked_by""",
        seconds,
        by,
    )


async def pause_state(statements: Statements) -> tuple[datetime | None, int]:
    """Until when publishing is paused, if it is, and how many relays are at work."""
    row = await statements.fetchrow(
        f"select (select until from publishing_rests where until > clock_timestamp()), ({RELAYS})"
    )
    return (row[0], row[1]) if row else (None, 0)
