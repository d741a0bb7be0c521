"""Publishing rests for a while when an operator needs the topics to stand still, as when one gets more partitions.

What must stay true: when nobody is at work, nothing of this service is on its way to Kafka, and whoever begins again
does so with a new producer. A relay therefore first says that it is at work (its presence lock) and then looks
whether it is to rest; who asks for rest first writes that down and then counts the relays. A rest ends by itself:
an operator's command that dies stops nobody for good. Acts are taken all the while, and wait in the outbox.
"""

from datetime import datetime

import asyncpg

from chassis.advisory_locks import AdvisoryLock
from chassis.database import Statements

PUBLISHING_RESTS_V1 = """
create table publishing_rests (
    is_only boolean primary key default true check (is_only),
    until timestamptz not null,
    asked_by text not null
);
"""

RESTS = "exists (select from publishing_rests where until > clock_timestamp())"
RELAYS = f"""select count(*) from pg_locks
    where locktype = 'advisory' and classid = {AdvisoryLock.RELAY_PRESENCE} and granted
        and database = (select oid from pg_database where datname = current_database())"""


class Resting(Exception):
    """Publishing is to rest."""


async def begin_work(connection: asyncpg.Connection) -> None:
    """Says that a relay is at work as long as the connection lives; raises `Resting`."""
    await connection.execute("select pg_advisory_lock_shared($1, 0)", AdvisoryLock.RELAY_PRESENCE)
    if await connection.fetchval(f"select {RESTS}"):
        raise Resting


async def count_relays(connection: asyncpg.Connection) -> int:
    """How many relays of this database are at work; raises `Resting`."""
    relays, rests = await connection.fetchrow(f"select ({RELAYS}), {RESTS}")
    if rests:
        raise Resting
    return relays


async def rest(statements: Statements, seconds: int, *, by: str) -> None:
    """Publishing rests for so many seconds from now; with 0 it goes on."""
    await statements.execute(
        """insert into publishing_rests (until, asked_by) values (clock_timestamp() + make_interval(secs => $1), $2)
           on conflict (is_only) do update set until = excluded.until, asked_by = excluded.asked_by""",
        seconds,
        by,
    )


async def standing(statements: Statements) -> tuple[datetime | None, int]:
    """Until when publishing rests, if it does, and how many relays are at work."""
    row = await statements.fetchrow(
        f"select (select until from publishing_rests where until > clock_timestamp()), ({RELAYS})"
    )
    return (row[0], row[1]) if row else (None, 0)
