"""Re-emits a lost topic from a service's own tables: every entity is published again in its present state.

    python -m chassis.say_again SERVICE TOPIC

With the environment of the service. Puts each entity into the outbox at the version that it has; the service's worker
publishes it, and a reader that has it already takes it for a repeat. Running it again does no harm.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import entry_points

from chassis import outbox
from chassis.clock import SystemClock
from chassis.database import TRANSIENT, CatchingUp, Database, Transaction
from chassis.settings import Settings
from contracts.message import Actor, Message

OPERATOR = Actor("say_again", "service")

Page = Callable[[Transaction, str, datetime], Awaitable[tuple[Sequence[Message], str]]]
"""Given where the last page ended, `""` at first: the messages of the next page, and where it ends. It locks the rows
that the messages are made from, so that they enter the outbox in the order of their versions. No messages: the end."""

PAGES = "linework.re_emitted"
"""The entry points by which a service names its pages by topic: a `Mapping[str, Page]`."""


async def re_emit(db: Database, page: Page) -> int:
    """How many messages were put into the outbox; raises `CatchingUp` while a restored database reads."""
    count, after = 0, ""
    while True:
        async with db.begin() as tx:
            messages, after = await page(tx, after, SystemClock().now())
            await outbox.add(tx, messages)
        if not messages:
            return count
        count += len(messages)


def main() -> None:
    services = {entry.name: entry for entry in entry_points(group=PAGES)}
    parser = argparse.ArgumentParser(prog="python -m chassis.say_again", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("service", choices=sorted(services))
    parser.add_argument("topic", help="a topic that the service publishes from its own tables, such as directory")
    options = parser.parse_args()
    pages: Mapping[str, Page] = services[options.service].load()
    if options.topic not in pages:
        sys.exit(f"{options.service} publishes {' and '.join(pages)} from tables of its own, not {options.topic}")
    try:
        count = asyncio.run(_run(pages[options.topic]))
    except (*TRANSIENT, CatchingUp) as error:
        sys.exit(f"not everything was re-emitted; run it again: {type(error).__name__}: {error}")
    print(f"{options.topic}: {count} messages are in the outbox of {options.service}")


async def _run(page: Page) -> int:
    db = Database(Settings.from_environment().database_url, pool_size=1, application_name="linework say again")
    try:
        return await re_emit(db, page)
    finally:
        await db.close()
