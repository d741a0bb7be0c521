"""A service as small as one can be: it counts a version up per key, and follows what others counted.

`counted` is the writers' side: one row a key, its version drawn under the row's lock, an outbox row with it.
`followed` and `effects` are the readers' side: the version that was applied last, and a row for each time that
something was applied. `effects` has no unique key on purpose: whatever is applied twice is there twice.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from fastapi import APIRouter

from chassis import outbox
from chassis.database import Database, Transaction
from chassis.guard import rows_of
from chassis.settings import Settings
from chassis.subscribe import Gap, Subscription
from chassis.testing import settings_for
from chassis.worker import Worker
from contracts.access import AccessTable
from contracts.codec import new_message
from contracts.events import WorkOrderNoteAdded
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.topics import WORK_ORDERS

INI = Path(__file__).with_name("alembic.ini")
TOPIC = WORK_ORDERS.name
WRITER = Actor("technician-1", "technician")
REFUSED_BY_HANDLER = "the handler refuses this"
REFUSED_BY_DATABASE = "the database refuses this"


def all_public(router: APIRouter) -> AccessTable:
    """An access table by which everybody may use the routes, for tests that are about something else."""
    return {row: None for route in router.routes for row in rows_of(route).values()}


def note(key: str, version: int, text: str = "seen") -> Message:
    now = datetime.now(UTC)
    return new_message(
        WorkOrderNoteAdded(note=text),
        service=Service.FIELDWORK,
        subject=key,
        actor=WRITER,
        occurred_at=now,
        recorded_at=now,
        order_version=version,
        prev_hash="0" * 64,
    )


async def count(db: Database, key: str, text: str = "seen") -> int:
    """Counts a key up by one, and publishes that."""
    async with db.begin() as tx:
        version = await tx.fetchval(
            """insert into counted (key, version) values ($1, 1)
               on conflict (key) do update set version = counted.version + 1 returning version""",
            key,
        )
        await outbox.add(tx, [note(key, version, text)])
    return version


async def follow(messages: Sequence[Message], tx: Transaction) -> None:
    """Version n+1 onto n; a repeat changes nothing; a gap is poison."""
    # Deliberately without a lock of its own: the chassis lets nobody else apply the same partition meanwhile.
    rows = await tx.fetch("select key, version from followed where key = any($1)", [one.subject for one in messages])
    versions = {row["key"]: row["version"] for row in rows}
    effects = []
    for message in messages:
        present = versions.get(message.subject, 0)
        if message.order_version <= present:
            continue
        if message.order_version > present + 1:
            raise Gap(message, f"a gap: {message.order_version} after {present}")
        if message.body.note == REFUSED_BY_HANDLER:
            raise ValueError(REFUSED_BY_HANDLER)
        versions[message.subject] = message.order_version
        effects.append((message.subject, message.order_version, message.body.note))
    await tx.copy("effects", ["key", "version", "note"], effects)
    await tx.execute(
        """insert into followed (key, version) select * from unnest($1::text[], $2::int[])
           on conflict (key) do update set version = excluded.version""",
        list(versions),
        list(versions.values()),
    )


SUBSCRIPTIONS = [Subscription(WORK_ORDERS, follow)]


def toy_settings(url: str, bootstrap_servers: str, prefix: str, worker_id: str = "0") -> Settings:
    return settings_for(url, bootstrap_servers, prefix, worker_id=worker_id)


def toy_worker(url: str, bootstrap_servers: str, prefix: str, worker_id: str = "0") -> Worker:
    return Worker("toy", toy_settings(url, bootstrap_servers, prefix, worker_id), SUBSCRIPTIONS)


async def effects_of(db: Database) -> dict[str, list[int]]:
    """By key, the versions in the order in which they were applied."""
    async with db.statements() as statements:
        rows = await statements.fetch("select key, version from effects order by place")
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row["key"], []).append(row["version"])
    return found
