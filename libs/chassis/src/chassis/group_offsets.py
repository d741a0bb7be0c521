"""Reads the committed offsets of a consumer group, checking the broker's error codes, and writes them.

While a coordinator loads its groups, after every start of a broker, it answers with an error code and no offsets.
`AIOKafkaAdminClient.list_consumer_group_offsets` drops that code and returns `{}`, as if nothing had ever been
committed. So `kafka_internals` sends the request, and the codes are checked here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, for_code

from chassis.kafka import admin_of, client_security
from chassis.kafka_internals import fetch_group_offsets
from chassis.settings import Settings

_RETRY_FOR_SECONDS = 30.0
_RETRY_SECONDS = 0.2

T = TypeVar("T")

CommittedOffsets = Mapping[str, Mapping[int, int]]
"""By topic and partition, the offset at which a group goes on."""


async def committed_offsets(settings: Settings, service: str, topics: Iterable[str]) -> CommittedOffsets:
    """What the groups of a service have committed.

    Raises `KafkaError` where the broker does not answer: a missing answer does not mean "nothing".
    """
    prefix = settings.topic_prefix
    async with admin_of(settings) as admin:
        committed = {topic: await group_offsets(admin, f"{prefix}{service}.{topic}") for topic in topics}
    return {
        topic: {place.partition: offset for place, offset in offsets.items() if place.topic == prefix + topic}
        for topic, offsets in committed.items()
    }


async def commit_offsets(settings: Settings, service: str, topic: str, offsets: Mapping[int, int]) -> None:
    """Sets the offsets of a service's group, by partition; raises `KafkaError` while one of its workers runs."""
    client = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=f"{settings.topic_prefix}{service}.{topic}",
        enable_auto_commit=False,
        **client_security(settings),
    )
    await client.start()
    try:
        places = {TopicPartition(settings.topic_prefix + topic, number): offset for number, offset in offsets.items()}
        client.assign(list(places))
        await client.commit(places)
    finally:
        await client.stop()


async def group_offsets(
    admin: AIOKafkaAdminClient, group: str, *, retry_for_seconds: float = _RETRY_FOR_SECONDS
) -> dict[TopicPartition, int]:
    """The offset that a group has committed for each partition; empty only if the broker reports that there is none.

    Waits while the coordinator loads, moves or is not available. Raises `GroupAuthorizationFailedError` with the
    right that is missing, and the `KafkaError` that has not passed in time.
    """
    return await _retried(_offsets, admin, group, retry_for_seconds)


async def group_state(admin: AIOKafkaAdminClient, group: str, *, retry_for_seconds: float = _RETRY_FOR_SECONDS) -> str:
    """The state of a group as the broker names it, such as `Stable`, `Empty` or `Dead`. Raises as `group_offsets`."""
    return await _retried(_state, admin, group, retry_for_seconds)


async def _retried(
    ask: Callable[[AIOKafkaAdminClient, str], Awaitable[T]], admin: AIOKafkaAdminClient, group: str, seconds: float
) -> T:
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + seconds
    while True:
        try:
            return await ask(admin, group)
        except GroupAuthorizationFailedError as error:
            raise GroupAuthorizationFailedError(f"the right to Describe group {group} is missing") from error
        except KafkaError as error:
            if not error.retriable or loop.time() > give_up_at:
                raise
            await asyncio.sleep(_RETRY_SECONDS)


async def _offsets(admin: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    response = await fetch_group_offsets(admin, group)
    _raise_for(response.error_code, group)
    offsets: dict[TopicPartition, int] = {}
    for topic, partitions in response.topics:
        for partition, offset, _, code in partitions:
            _raise_for(code, f"{group}, {topic}/{partition}")
            offsets[TopicPartition(topic, partition)] = offset
    return offsets


async def _state(admin: AIOKafkaAdminClient, group: str) -> str:
    # One group at a time: the client cannot read an answer about two. A group is error code, name, state, …
    state: str
    code, _, state, *_ = (await admin.describe_consumer_groups([group]))[0].groups[0]
    _raise_for(code, group)
    return state


def _raise_for(code: int, subject: str) -> None:
    if code:
        raise for_code(code)(subject)
