"""What a consumer group has committed, with the broker's error codes looked at.

While a coordinator loads its groups, after every start of a broker, it answers that it is loading, and no offsets.
`AIOKafkaAdminClient.list_consumer_group_offsets` drops that code and returns `{}`, as if nothing had ever been
committed. So the request is sent from here; the private seam is tested in `tests/test_group_offsets.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest

_RETRY_FOR_SECONDS = 30.0
_RETRY_SECONDS = 0.2

T = TypeVar("T")


async def group_offsets(
    admin: AIOKafkaAdminClient, group: str, *, retry_for_seconds: float = _RETRY_FOR_SECONDS
) -> dict[TopicPartition, int]:
    """The offset that a group has committed for each partition; empty only if the broker says that there is none.

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
    coordinator = await admin.find_coordinator(group)
    response = await admin._send_request(OffsetFetchRequest(group, None), coordinator)
    _raise_for(response.error_code, group)
    offsets: dict[TopicPartition, int] = {}
    for topic, partitions in response.topics:
        for partition, offset, _, code in partitions:
            _raise_for(code, f"{group}, {topic}/{partition}")
            offsets[TopicPartition(topic, partition)] = offset
    return offsets


async def _state(admin: AIOKafkaAdminClient, group: str) -> str:
    # One group at a time: the client cannot read an answer about two. A group is error code, name, state, …
    code, _, state, *_ = (await admin.describe_consumer_groups([group]))[0].groups[0]
    _raise_for(code, group)
    return state


def _raise_for(code: int, subject: str) -> None:
    if code:
        raise for_code(code)(subject)
