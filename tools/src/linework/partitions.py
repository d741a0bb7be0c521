"""`linework partitions`: adds partitions to a topic and preserves the order of every key.

A different partition count moves most keys to another partition. A consumer that reads a key's later records in the
new partition before the earlier ones in the old would detect a gap and park the key. So all relays are paused and all
consumers have caught up when the topic grows; afterwards each relay starts a producer that knows the partition count.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linework.kafka_security import security_of_environment
from linework.ports import SERVICES
from linework.runtime.commands import StateFolder
from linework.stopped import Stopped

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer
    from aiokafka.admin import AIOKafkaAdminClient

_REST_SECONDS = 120
_LOOK_SECONDS = 0.5

Say = Callable[[str], None]
LetRest = Callable[[str, int], Awaitable[int]]
"""Pauses the publishing of a service for these seconds, 0 to resume; returns how many relays are still publishing."""


def partitions(
    topic: Annotated[str, typer.Argument(help="work-orders, calls, …")],
    count: Annotated[int, typer.Argument(min=2, help="Number of partitions; must be larger than at present.")],
    wait: Annotated[float, typer.Option("--wait", help="Seconds to wait for all consumers to catch up.")] = 300,
    state_folder: StateFolder = None,
) -> None:
    """Add partitions to a topic without downtime and without breaking the order of any key.

    Publishing is paused meanwhile, for seconds if no consumer is behind; commands succeed and wait in the outboxes.
    If this Kafka user may not change topics, the command prints when a user with that permission has to do so.
    """
    asyncio.run(_partitions(topic, count, wait, state_folder))


async def _partitions(topic: str, count: int, wait: float, state_folder: Path | None) -> None:
    from aiokafka.errors import KafkaError

    from contracts.topics import TOPICS
    from linework.client import OPERATOR, NotReached, Patience, Refused, ServiceClients, find_addresses

    known = {one.name: one for one in TOPICS}
    if topic not in known:
        raise Stopped(f"There is no topic {topic}; there are {', '.join(known)}.")
    addresses = find_addresses(state_folder)
    if not addresses.bootstrap_servers:
        raise Stopped("The address of Kafka is missing: set KAFKA_BOOTSTRAP_SERVERS.")
    try:
        async with (
            ServiceClients(addresses, patience=Patience(seconds=20)) as city,
            kafka_at(addresses.bootstrap_servers) as kafka,
        ):

            async def let_rest(service: str, seconds: int) -> int:
                body = {"rest_seconds": seconds}
                answer = await city.services[service].call_json("PUT", "/v1/publishing", body, by=OPERATOR)
                return answer["relays_at_work"]

            growth = Growth(kafka, addresses.topic_prefix, topic, count, let_rest, typer.echo)
            await growth.run([service.value for service in known[topic].writers], wait)
    except (KafkaError, NotReached, Refused) as error:
        raise Stopped(f"{topic} was not changed, or not completely: {error}; run the command again.") from error


@contextlib.asynccontextmanager
async def kafka_at(bootstrap_servers: str) -> "AsyncIterator[tuple[AIOKafkaAdminClient, AIOKafkaConsumer]]":
    """As the user or with the certificate of the `KAFKA_…` variables, if they are set."""
    from aiokafka import AIOKafkaConsumer
    from aiokafka.admin import AIOKafkaAdminClient

    security = security_of_environment()
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers, **security)
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, enable_auto_commit=False, **security)
    try:
        await admin.start()
        await reader.start()
        yield admin, reader
    finally:
        await reader.stop()
        await admin.close()


class Growth:
    """One topic that gets more partitions."""

    def __init__(
        self,
        kafka: "tuple[AIOKafkaAdminClient, AIOKafkaConsumer]",
        prefix: str,
        topic: str,
        count: int,
        let_rest: LetRest,
        say: Say,
    ) -> None:
        self._admin, self._reader = kafka
        self._prefix = prefix
        self._topic = topic
        self._count = count
        self._let_rest = let_rest
        self._say = say
        self._reported = ""

    async def run(self, writers: Sequence[str], wait_seconds: float) -> None:
        """Raises `Stopped` if not everything was read in time; then nothing is changed."""
        present = await self._number()
        if present >= self._count:
            raise Stopped(f"{self._topic} has {present} partitions; the number can only grow.")
        loop = asyncio.get_running_loop()
        give_up_at, is_asked_for = loop.time() + wait_seconds, False
        try:
            self._report(f"publishing is paused in {', '.join(writers)}")
            while await self._number() < self._count:
                if loop.time() > give_up_at:
                    raise Stopped(f"{self._topic} has {present} partitions, unchanged. {self._reported}")
                reason = await self._restless(writers)
                if reason:
                    self._report(reason)
                elif not is_asked_for:
                    is_asked_for = not await self._grow()
                await asyncio.sleep(_LOOK_SECONDS)
            self._report(f"{self._topic} has {self._count} partitions; publishing is resumed")
        finally:
            for writer in writers:
                await self._let_rest(writer, 0)

    def _report(self, text: str) -> None:
        if text != self._reported:
            self._reported = text
            self._say(text)

    async def _restless(self, writers: Sequence[str]) -> str | None:
        """Why the topic still grows or is not read to its end; keeps publishing paused."""
        from chassis.recovery.restored_backup import ends_of

        at_work = [writer for writer in writers if await self._let_rest(writer, _REST_SECONDS)]
        if at_work:
            return f"waiting until {', '.join(at_work)} have published what they began"
        ends = await ends_of(self._reader, self._prefix + self._topic)
        for service in SERVICES:
            offsets = await self._offsets_of(service)
            behind = sum(max(0, end - offsets.get(partition, 0)) for partition, end in ends.items())
            if offsets and behind:
                return f"waiting until {service} has read {self._topic} to its end"
        return None

    async def _offsets_of(self, service: str) -> dict[int, int]:
        """Offsets that a service has committed to Kafka, after its database; empty if it does not read the topic."""
        from chassis.group_offsets import group_offsets

        name = self._prefix + self._topic
        offsets = await group_offsets(self._admin, f"{self._prefix}{service}.{self._topic}")
        return {place.partition: offset for place, offset in offsets.items() if place.topic == name}

    async def _grow(self) -> bool:
        """False if this Kafka user may not do it."""
        from aiokafka.admin import NewPartitions
        from aiokafka.errors import ClusterAuthorizationFailedError, TopicAuthorizationFailedError

        try:
            await self._admin.create_partitions({self._prefix + self._topic: NewPartitions(self._count)})
        except (ClusterAuthorizationFailedError, TopicAuthorizationFailedError):
            self._report(
                f"everything is read: set {self._count} partitions in the KafkaTopic of {self._topic}; waiting"
            )
            return False
        return True

    async def _number(self) -> int:
        found = (await self._admin.describe_topics([self._prefix + self._topic]))[0]
        if found["error_code"]:
            raise Stopped(f"There is no topic {self._prefix}{self._topic}.")
        return len(found["partitions"])
