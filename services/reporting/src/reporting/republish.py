"""Refills a lost topic from the record: every message that reporting has consumed, in the order of arrival.

    python -m reporting.republish TOPIC [--replace] [--partitions NUMBER]

With the environment of reporting, and a user of Kafka who may write, create and delete the topic; while every
service's worker is stopped. Keys, values and headers are as they were, each message stands there once, and each key
in its order. Killed in the middle, it goes on where it was when it is run again: what a partition holds is always
the beginning of what it shall hold. Workers that are started meanwhile wait for its end.
"""

import argparse
import asyncio
import contextlib
import hashlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from chassis.database import TRANSIENT, Database
from chassis.group_offsets import commit_offsets, committed_offsets, group_state
from chassis.kafka import admin_of, client_security, create_missing_topics, reader_of
from chassis.kafka_internals import client_of
from chassis.recovery.lost_topic import REFILLING, note_read_to_end
from chassis.recovery.restored_backup import ends_of
from chassis.settings import Settings
from chassis.topic_ids import agreed_topic_identity
from contracts.codec import encode
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.topics import CALLS, DEADLINES, QUALITY, WORK_ORDERS, Topic
from reporting.record import event_store

_ROWS = 2_000
_WAIT_SECONDS = 30.0
_LOOK_SECONDS = 0.5
REFILLED = (WORK_ORDERS, CALLS, QUALITY, DEADLINES)
"""The topics that reporting has a record of, from which they can be filled again."""
_SERVICE = Service.REPORTING.value
_STOP = "stop the workers of all services, and run it with --replace"
_PARTITION_OF = DefaultPartitioner()

Say = Callable[[str], None]


class CannotRepublish(Exception):
    """Why nothing was written, or not all."""


@dataclass(slots=True)
class _Partition:
    """What a partition holds: how many messages, and a digest of their ids in their order."""

    count: int = 0
    digest: bytes = b""

    def add(self, message_id: str) -> None:
        self.count += 1
        self.digest = hashlib.blake2b(self.digest + message_id.encode(), digest_size=16).digest()


@dataclass(slots=True)
class _Work:
    """One run."""

    settings: Settings
    topic: Topic
    db: Database
    say: Say
    partitions: list[_Partition] = field(default_factory=list)
    committed_before: dict[Service, int] = field(default_factory=dict)
    """The committed offset of the first partition before workers were fenced off."""

    @property
    def name(self) -> str:
        return self.settings.topic_prefix + self.topic.name

    def partition_of(self, message: Message) -> int:
        """As every producer of the topic decides it."""
        numbers = list(range(len(self.partitions)))
        return _PARTITION_OF(message.subject.encode(), numbers, numbers)

    async def record(self) -> AsyncIterator[list[Message]]:
        """The messages of the topic, in the order in which they are to stand there."""
        place = 0
        while True:
            async with self.db.statements() as statements:
                rows = await event_store.messages_after(statements, place, topic=self.topic.name, limit=_ROWS)
            if not rows:
                return
            place = rows[-1].place
            yield [row.message for row in rows]


async def republish(
    settings: Settings, topic: Topic, *, replaces: bool = False, partitions: int | None = None, say: Say = print
) -> int:
    """Fills the topic; how many messages it then holds. Raises `CannotRepublish`, and `KafkaError` to be run again."""
    db = Database(settings.database_url, pool_size=2, application_name="linework republish")
    work = _Work(settings, topic, db, say)
    try:
        async with admin_of(settings) as admin:
            await _workers_stopped(work, admin)
            await _create(work, admin, partitions)
            await _close_door(work)
            if not await _is_beginning(work):
                await _may_replace(work, replaces)
                await _replace(work, admin)
            await _fill(work)
        await _open_door(work)
        return sum(partition.count for partition in work.partitions)
    finally:
        await db.close()


async def _until_right(look: Callable[[], Awaitable[str | None]]) -> None:
    """Polls until there is no fault; raises `CannotRepublish` with the fault after the time limit."""
    give_up_at = asyncio.get_running_loop().time() + _WAIT_SECONDS
    while (wrong := await look()) is not None:
        if asyncio.get_running_loop().time() > give_up_at:
            raise CannotRepublish(wrong)
        await asyncio.sleep(_LOOK_SECONDS)


async def _workers_stopped(work: _Work, admin: AIOKafkaAdminClient) -> None:
    """A worker that was stopped without notice is a member of its groups until its session has run out."""
    groups = [
        f"{work.settings.topic_prefix}{service.value}.{topic}"
        for service in Service
        for topic in sorted({work.topic.name, WORK_ORDERS.name})
    ]

    async def look() -> str | None:
        states = {group: await group_state(admin, group) for group in groups}
        busy = [group for group, state in states.items() if state not in ("Dead", "Empty", "")]
        return f"stop the workers of all services first; these still read: {', '.join(busy)}" if busy else None

    await _until_right(look)


async def _create(work: _Work, admin: AIOKafkaAdminClient, partitions: int | None) -> None:
    settings = work.settings
    topic = replace(work.topic, partitions=partitions or work.topic.partitions)
    await create_missing_topics(
        settings.kafka_bootstrap_servers, settings.topic_prefix, [topic], client_security(settings)
    )

    async def look() -> str | None:
        found = (await admin.describe_topics([work.name]))[0]
        is_led = not found["error_code"] and all(one["leader"] >= 0 for one in found["partitions"])
        work.partitions = [_Partition() for _ in found["partitions"]]
        return None if is_led else f"{work.name} has partitions without a leader"

    await _until_right(look)


async def _close_door(work: _Work) -> None:
    """Workers that start from here on wait; raises `KafkaError` when a worker was quicker."""
    for service in Service:
        committed = await committed_offsets(work.settings, service.value, [work.topic.name])
        work.committed_before[service] = committed[work.topic.name].get(0, 0)
        await commit_offsets(work.settings, service.value, work.topic.name, {0: REFILLING})


async def _open_door(work: _Work) -> None:
    """Reporting stands at the end of what it has written. The others see by the topic's id whether they have read
    some of it; 0 is committed to Kafka, and the right offsets as soon as they run."""
    offsets = {number: partition.count for number, partition in enumerate(work.partitions)}
    async with admin_of(work.settings) as admin:
        identity = await agreed_topic_identity(client_of(admin), work.name)
    async with work.db.begin() as tx:
        await note_read_to_end(tx, work.topic.name, identity.topic_id, offsets)
    await commit_offsets(work.settings, _SERVICE, work.topic.name, offsets)
    for service in Service:
        if service is not Service.REPORTING:
            await commit_offsets(work.settings, service.value, work.topic.name, dict.fromkeys(offsets, 0))


async def _is_beginning(work: _Work) -> bool:
    """Whether each partition holds the beginning of what it shall hold, as an earlier run has left it, or nothing."""
    present = await _present(work)
    expected = [_Partition() for _ in present]
    async for messages in _as_long_as(work.record(), lambda: _is_short(expected, present)):
        for message in messages:
            number = work.partition_of(message)
            if expected[number].count < present[number].count:
                expected[number].add(message.id)
    work.partitions = present
    return expected == present


def _is_short(expected: list[_Partition], present: list[_Partition]) -> bool:
    return any(mine.count < theirs.count for mine, theirs in zip(expected, present, strict=True))


async def _as_long_as(
    batches: AsyncIterator[list[Message]], is_wanted: Callable[[], bool]
) -> AsyncIterator[list[Message]]:
    if is_wanted():
        async for batch in batches:
            yield batch
            if not is_wanted():
                return


async def _present(work: _Work) -> list[_Partition]:
    found = [_Partition() for _ in work.partitions]
    async for partition, headers in _records(work):
        found[partition].add(headers.get("ce_id", ""))
    return found


async def _records(work: _Work) -> AsyncIterator[tuple[int, Mapping[str, str]]]:
    """Partition and headers of everything that stands in the topic."""
    async with reader_of(work.settings) as reader:
        ends = await ends_of(reader, work.name)
        places = [TopicPartition(work.name, number) for number in ends]
        reader.assign(places)
        if places:
            await reader.seek_to_beginning(*places)
        while any([await reader.position(place) < ends[place.partition] for place in places]):
            for place, records in (await reader.getmany(timeout_ms=200)).items():
                for record in records:
                    headers = {name: value.decode(errors="replace") for name, value in record.headers if value}
                    yield place.partition, headers


async def _may_replace(work: _Work, replaces: bool) -> None:
    """Raises `CannotRepublish`, changing nothing, where the topic is to stay or has messages that the record lacks."""
    unread = await _unread(work) if replaces else []
    if replaces and not unread:
        return
    for service, offset in work.committed_before.items():
        await commit_offsets(work.settings, service.value, work.topic.name, {0: offset})
    if not replaces:
        raise CannotRepublish(
            f"{work.name} holds something else than the beginning of the record; with --replace it is deleted and"
            " created again, if reporting has read all of it"
        )
    raise CannotRepublish(
        f"{len(unread)} messages of {work.name} are not in the record, the first is {unread[0]}: start reporting's"
        " worker until it has read them, and look at what it has parked"
    )


async def _replace(work: _Work, admin: AIOKafkaAdminClient) -> None:
    """Deletes the topic and creates it again."""
    count = len(work.partitions)
    work.say(f"{work.name} is deleted and created again with {count} partitions")
    await admin.delete_topics([work.name])

    async def look() -> str | None:
        return f"{work.name} is still there after it was deleted" if work.name in await admin.list_topics() else None

    await _until_right(look)
    await _create(work, admin, count)
    await _close_door(work)
    if any(partition.count for partition in await _present(work)):
        raise CannotRepublish(f"{work.name} was written to meanwhile; {_STOP}")


async def _unread(work: _Work) -> list[str]:
    """The ids of the messages in the topic that the record has not."""
    unread: list[str] = []
    asked: list[tuple[str, str]] = []
    async with work.db.statements() as statements:
        async for _, headers in _records(work):
            asked.append((headers.get("ce_subject", ""), headers.get("ce_id", "")))
            if len(asked) == _ROWS:
                unread += await event_store.unknown_among(statements, asked)
                asked.clear()
        return unread + await event_store.unknown_among(statements, asked)


async def _fill(work: _Work) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=work.settings.kafka_bootstrap_servers,
        enable_idempotence=True,
        compression_type="lz4",
        linger_ms=5,
        max_batch_size=262_144,
        **client_security(work.settings),
    )
    await producer.start()
    try:
        seen = [0] * len(work.partitions)
        async for messages in work.record():
            await _send(work, producer, messages, seen)
    finally:
        with contextlib.suppress(KafkaError):
            await producer.stop()


async def _send(work: _Work, producer: AIOKafkaProducer, messages: list[Message], seen: list[int]) -> None:
    sent = []
    for message in messages:
        number = work.partition_of(message)
        seen[number] += 1
        if seen[number] <= work.partitions[number].count:
            continue
        key, value, headers = encode(message)
        recorded = int(message.recorded_at.timestamp() * 1000)
        sent.append(
            await producer.send(work.name, value, key=key, partition=number, headers=headers, timestamp_ms=recorded)
        )
        work.partitions[number].count += 1
    for sent_to in await asyncio.gather(*sent):
        if sent_to.offset >= work.partitions[sent_to.partition].count:
            raise CannotRepublish(f"{work.name} was written to meanwhile; {_STOP}")
    work.say(f"{sum(partition.count for partition in work.partitions)} messages")


def main() -> None:
    topics = {topic.name: topic for topic in REFILLED}
    parser = argparse.ArgumentParser(prog="python -m reporting.republish", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("topic", choices=sorted(topics))
    parser.add_argument(
        "--replace", action="store_true", help="delete the topic's present records, if the record contains all of them"
    )
    parser.add_argument(
        "--partitions", type=int, metavar="NUMBER", help="number of partitions of a missing topic; default 12"
    )
    options = parser.parse_args()
    try:
        count = asyncio.run(
            republish(
                Settings.from_environment(),
                topics[options.topic],
                replaces=options.replace,
                partitions=options.partitions,
            )
        )
    except CannotRepublish as reason:
        sys.exit(f"{options.topic} was not filled: {reason}")
    except (*TRANSIENT, KafkaError) as error:
        sys.exit(f"{options.topic} is not whole, run it again: {type(error).__name__}: {error}")
    print(f"{options.topic} holds {count} messages; start the workers")


if __name__ == "__main__":
    main()
