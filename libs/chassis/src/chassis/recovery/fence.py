"""A database that was restored from a backup knows less than its service has said.

What it published since the backup stands on Kafka; what it knows of it is gone. Were it to act now, it would
decide on old versions and publish a second event in the place of the first. So it reads first: `restored_until`
of a position is where the topic ended when the database came back, and as long as one position is before it

- no act is recorded and nothing is added to the outbox (`CatchingUp`, 503: ask again),
- the relay publishes nothing, and rows of the outbox that stand on Kafka are taken out of it,
- consumers apply events, their own among them, and answer no request: the answer may come further on.

When the last position is there, the same transaction settles what nobody has answered (`when_caught_up`).
"""

from collections.abc import Iterable, Mapping

from chassis.advisory_locks import AdvisoryLock
from chassis.database import Statements, Transaction, is_transient
from contracts.refusals import Unavailable


class CatchingUp(Unavailable):
    """The database was restored and is reading what it missed; ask again with the same Idempotency-Key."""

    zh = "数据库刚刚恢复，正在补读错过的消息；请使用相同的 Idempotency-Key 稍后重试。"


IS_CATCHING_UP = "exists (select from positions where next_offset < restored_until)"
"""A condition for any statement that must not run meanwhile."""

RESTORED_UNTIL_V1 = "alter table positions add column restored_until bigint;\n"


def is_passing(error: BaseException) -> bool:
    """Whether the same work can succeed later: what is transient, and `CatchingUp`."""
    return is_transient(error) or isinstance(error, CatchingUp)


async def is_catching_up(statements: Statements, topic: str | None = None) -> bool:
    """Whether something is still to be read: of one topic, or of any."""
    return await statements.fetchval(
        "select exists (select from positions where next_offset < restored_until and ($1::text is null or topic = $1))",
        topic,
    )


async def must_read_until(statements: Statements, topic: str, ends: Mapping[int, int]) -> None:
    """Nothing is done until the topic is read up to these offsets, by partition."""
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


async def forget_published(tx: Transaction, message_ids: Iterable[str]) -> None:
    """Rows of the restored outbox that stand on Kafka already are not sent again."""
    await tx.execute("delete from outbox where headers->>'ce_id' = any($1)", list(message_ids))
