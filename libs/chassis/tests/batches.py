"""Record batches written by hand, so that they can be wrong, and sent to a broker as they are."""

import gzip
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import cramjam
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.codec import lz4_encode, snappy_encode
from aiokafka.errors import NotLeaderForPartitionError, for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c

from chassis.testing import eventually

Header = tuple[bytes, bytes | None]

COMPRESS: Mapping[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: gzip.compress,
    2: snappy_encode,
    3: lz4_encode,
    4: lambda data: bytes(cramjam.zstd.compress(data)),
}
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def varint(number: int) -> bytes:
    raw, out = ((number << 1) ^ (number >> 63)) & 0xFFFF_FFFF_FFFF_FFFF, bytearray()
    while raw > 0x7F:
        out.append(raw & 0x7F | 0x80)
        raw >>= 7
    return bytes([*out, raw])


def sized(data: bytes | None) -> bytes:
    return varint(-1) if data is None else varint(len(data)) + data


def record(
    offset: int, key: bytes | None = b"key", value: bytes | None = b"{}", headers: Iterable[Header] = (), time: int = 0
) -> bytes:
    """One record with its length before it; `offset` and `time` count from the batch's."""
    pairs = list(headers)
    named = b"".join(sized(name) + sized(text) for name, text in pairs)
    return sized(b"\x00" + varint(time) + varint(offset) + sized(key) + sized(value) + varint(len(pairs)) + named)


def batch(
    records: Sequence[bytes],
    *,
    base: int = 0,
    codec: int = 0,
    attributes: int = 0,
    count: int | None = None,
    last: int | None = None,
    body: bytes | None = None,
    magic: int = 2,
    crc: int | None = None,
    first_time: int = 1_767_225_600_000,
    max_time: int | None = None,
    producer: tuple[int, int, int] = (-1, -1, -1),
) -> bytes:
    """A batch of format 2; what is given replaces what would be right."""
    number = len(records) if count is None else count
    if body is None:
        body = COMPRESS[codec](b"".join(records))
    checked = (
        struct.pack(
            ">hiqqqhii",
            attributes | codec,
            len(records) - 1 if last is None else last,
            first_time,
            first_time if max_time is None else max_time,
            *producer,
            number,
        )
        + body
    )
    checksum = calc_crc32c(checked) if crc is None else crc
    return struct.pack(">qiibI", base, len(checked) + 9, -1, magic, checksum) + checked


def headers_of(headers: Iterable[tuple[str, bytes]]) -> list[Header]:
    return [(name.encode(), value) for name, value in headers]


async def produce_raw(bootstrap_servers: str, topic: str, data: bytes, partition: int = 0) -> int:
    """Gives the broker a batch as it is; returns its offset, or raises what the broker says to it."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers)
    await client.bootstrap()

    async def produce() -> tuple[int, int]:
        await client.add_topic(topic)
        await client.force_metadata_update()
        node = client.cluster.leader_for_partition(TopicPartition(topic, partition))
        answer: Any = await client.send(node, ProduceRequest(None, -1, 10_000, [(topic, [(partition, data)])]))
        ((_, ((_, code, offset, *_),)),) = answer.topics
        return code, offset

    try:
        # The broker that leads a new topic may not know it yet.
        code, offset = await eventually(produce, until=lambda answer: answer[0] != NotLeaderForPartitionError.errno)
        if code:
            raise for_code(code)()
        return offset
    finally:
        await client.close()
