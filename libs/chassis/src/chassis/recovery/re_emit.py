"""To be run when a topic was lost that a service publishes from tables of its own, and was made anew.

    python -m chassis.say_again SERVICE TOPIC

With the environment of the service. Puts every entity as it is into the outbox, at the version that it has: the
service's worker publishes it, and whoever has it already takes it for a repeat. Repeating it does no harm.
"""

import argparse
import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from chassis import outbox
from chassis.clock import SystemClock
from chassis.database import TRANSIENT, Database, Transaction
from chassis.settings import Settings
from contracts.message import Actor, Message

OPERATOR = Actor("say_again", "service")

Page = Callable[[Transaction, str, datetime], Awaitable[tuple[Sequence[Message], str]]]
"""Given where the last page ended, `""` at first: the messages of the next and where it ends. It locks what they are
of, so that they stand in the outbox in the order of their versions. No messages: that was all."""


async def say_again(db: Database, page: Page) -> int:
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
    parser = argparse.ArgumentParser(prog="python -m chassis.say_again", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("service", choices=("intake", "dispatch"))
    parser.add_argument("topic", help="directory; of intake also sealing-keys")
    options = parser.parse_args()
    pages: Mapping[str, Page] = importlib.import_module(f"{options.service}.saying").PAGES
    if options.topic not in pages:
        sys.exit(f"{options.service} publishes {' and '.join(pages)} from tables of its own, not {options.topic}")
    try:
        count = asyncio.run(_run(pages[options.topic]))
    except (*TRANSIENT, outbox.CatchingUp) as error:
        sys.exit(f"not everything was said; run it again: {type(error).__name__}: {error}")
    print(f"{options.topic}: {count} messages are in the outbox of {options.service}")


async def _run(page: Page) -> int:
    db = Database(Settings.from_environment().database_url, pool_size=1, application_name="linework say again")
    try:
        return await say_again(db, page)
    finally:
        await db.close()


if __name__ == "__main__":
    main()
