"""Refuses commands while a restored database catches up.

A database that was restored from a backup knows less than its service has published: that stands on Kafka. Were it to
act on what it knows, it would decide on old versions and publish a second event in the place of the first. So it reads
first. `positions.restored_until` is where a partition ended when the database came back; a database is *behind* while
one position is before that mark, and as long as it is

- nothing is added to the outbox, so no command is committed (`CatchingUp`, 503: ask again),
- the relay publishes nothing, and rows of the outbox that stand on Kafka already are deleted,
- consumers apply events, their own service's among them, and answer no request: its answer may stand further on.

The transaction that reaches the last mark settles what is left without an answer (`Subscription.when_caught_up`).

**The fence** is a trigger on `outbox` that refuses every insert while the database is behind (decision 23). Every
command of every service publishes, so no statement has to remember it. In normal operation the trigger is disabled and
costs nothing. What must stay true: it is enabled whenever a position is behind. A trigger on `positions` ensures that
for every writer: it enables the fence in the transaction that puts a position behind, under a lock that conflicts with
inserts into the outbox. `lower` takes the same lock and looks again before it disables the fence.
"""

from collections.abc import Iterable, Mapping

from chassis.advisory_locks import AdvisoryLock
from chassis.database import CatchingUp, Database, Statements, Transaction, is_transient

IS_BEHIND = "exists (select from positions where next_offset < restored_until)"
"""The condition, for what reads only: the relay."""


def is_passing(error: BaseException) -> bool:
    """Whether the same work can succeed later: what is transient, and `CatchingUp`."""
    return is_transient(error) or isinstance(error, CatchingUp)


async def is_catching_up(statements: Statements, topic: str | None = None) -> bool:
    """Whether something is still to be read: of one topic, or of any."""
    is_behind: bool = await statements.fetchval(
        "select exists (select from positions where next_offset < restored_until and ($1::text is null or topic = $1))",
        topic,
    )
    return is_behind


async def must_read_until(statements: Statements, topic: str, ends: Mapping[int, int]) -> None:
    """Raises the fence until the topic is read up to these offsets, by partition."""
    await statements.execute(
        """insert into positions (topic, partition, next_offset, restored_until)
           select $1, partition, 0, until from unnest($2::int[], $3::bigint[]) as ends (partition, until)
           order by partition
           on conflict (topic, partition) do update
           set restored_until = greatest(positions.restored_until, excluded.restored_until)""",
        topic,
        list(ends),
        list(ends.values()),
    )


async def take_turns(tx: Transaction) -> None:
    """Two workers that each finish their last partition: the second sees what the first has committed."""
    # Workers that know the second lock only may run beside this one during a rolling upgrade.
    await tx.execute(
        "select pg_advisory_xact_lock($1, 0), pg_advisory_xact_lock($2, 0)",
        AdvisoryLock.CAUGHT_UP,
        AdvisoryLock.OUTBOX_KEY,
    )


async def pass_through(tx: Transaction) -> None:
    """Lets this transaction publish past the fence: it settles what the restored database found unanswered."""
    await tx.execute("select set_config('linework.settles_restore', 'on', true)")


async def lower(db: Database) -> None:
    """Disables the fence where the database has caught up; does nothing, and takes no lock, where it is disabled."""
    async with db.statements() as statements:
        await statements.execute("select lower_restore_fence()")


async def forget_published(tx: Transaction, message_ids: Iterable[str]) -> None:
    """Rows of the restored outbox that stand on Kafka already are not sent again."""
    await tx.execute("delete from outbox where headers->>'ce_id' = any($1)", list(message_ids))
