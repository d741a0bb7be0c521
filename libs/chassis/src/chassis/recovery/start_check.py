"""The check of a worker at startup, before it consumes or publishes: that its database and Kafka belong together."""

import contextlib
import logging
from collections.abc import Mapping, Sequence

from aiokafka.errors import UnknownTopicOrPartitionError

from chassis.database import Database
from chassis.group_offsets import committed_offsets
from chassis.kafka import reader_of
from chassis.offsets import Position, stored_offsets
from chassis.recovery.lost_topic import check_not_refilling
from chassis.recovery.recreated_topic import reset_if_recreated
from chassis.recovery.restored_backup import mark_restored
from chassis.settings import Settings
from chassis.subscription import Subscription
from contracts.topics import TOPICS

log = logging.getLogger(__name__)


async def check_before_start(
    settings: Settings, service: str, subscriptions: Sequence[Subscription], db: Database
) -> None:
    """Goes back to the beginning of recreated topics, and raises the fence on a restored database without marks.

    Raises `TopicIsBeingRefilled`; `KafkaError` while the brokers do not answer; what the database raises.
    """
    if not await _is_older_than_kafka(settings, service, subscriptions, db):
        return
    behind = await mark_restored(settings, subscriptions)
    log.error(
        "the database is behind the offsets committed to Kafka: was it restored from a backup? It accepts no commands"
        " until it has caught up; run python -m chassis.restored %s next time",
        service,
        extra={"behind": behind},
    )


async def _is_older_than_kafka(
    settings: Settings, service: str, subscriptions: Sequence[Subscription], db: Database
) -> bool:
    """Offsets are committed to Kafka after the database, never before: a whole database is never behind them."""
    topics = {*(topic.name for topic in TOPICS), *(subscription.topic.name for subscription in subscriptions)}
    committed = await committed_offsets(settings, service, sorted(topics))
    check_not_refilling(committed)
    is_older = False
    async with reader_of(settings) as reader:
        for topic in (subscription.topic.name for subscription in subscriptions):
            # A topic that is missing at the moment is checked when its partitions are assigned.
            with contextlib.suppress(UnknownTopicOrPartitionError):
                await reset_if_recreated(reader, settings.topic_prefix, topic, db)
            is_older |= _is_behind(await stored_offsets(db, topic), committed[topic])
    return is_older


def _is_behind(stored: Mapping[int, Position], committed: Mapping[int, int]) -> bool:
    return any(
        offset > (stored[partition].next_offset if partition in stored else 0)
        for partition, offset in committed.items()
    )
