"""What a broker would not take of a writer, and gives all the same once it stands on its disk."""

import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiokafka.record.util import calc_crc32c

from chassis import parking
from chassis.record_batches import split
from chassis.testing import eventually
from linework.embedded import EmbeddedKafka
from linework.verify.stream import TopicSource

from .batches import batch, produce_raw
from .conftest import Toy
from .test_consuming import until_applied
from .test_undecodable import packed
from .toy import note


def with_right_checksum(data: bytearray) -> None:
    struct.pack_into(">I", data, 17, calc_crc32c(bytes(data[21:])))


def flip_a_bit(data: bytearray) -> None:
    data[-3] ^= 1


def be_of_tomorrow(data: bytearray) -> None:
    data[16] = 3


def name_an_unknown_codec(data: bytearray) -> None:
    data[22] |= 6
    with_right_checksum(data)


def claim_a_longer_record(data: bytearray) -> None:
    data[61:63] = b"\xfe\x7f"
    with_right_checksum(data)


DAMAGES: Mapping[int, tuple[Callable[[bytearray], None], str]] = {
    0: (flip_a_bit, "the checksum of the batch does not fit"),
    1: (be_of_tomorrow, "the batch has format 3; 2 is read"),
    2: (name_an_unknown_codec, "compression codec 6 is unknown"),
    3: (claim_a_longer_record, "a record of the batch is longer than the batch"),
}


def damage(log: Path, how: Callable[[bytearray], None]) -> None:
    """Changes the second batch of a segment."""
    whole = bytearray(log.read_bytes())
    first, second, *_ = split(bytes(whole))
    begin = len(first.data)
    wrong = bytearray(second.data)
    how(wrong)
    whole[begin : begin + len(wrong)] = wrong
    log.write_bytes(whole)


async def test_damage_on_the_brokers_disk_takes_its_own_batch_and_nothing_else(
    toy: Toy, kafka_server: EmbeddedKafka
) -> None:
    for partition in DAMAGES:
        name = f"p{partition}"
        for messages in ([note(name, 1)], [note("lost-" + name, 1), note("lost-" + name, 2)], [note(name, 2)]):
            records = [packed(place, message) for place, message in enumerate(messages)]
            await produce_raw(toy.bootstrap_servers, toy.topic, batch(records), partition)
    kafka_server.stop()
    for partition, (how, _) in DAMAGES.items():
        damage(kafka_server.folder / "data" / f"{toy.topic}-{partition}" / f"{0:020}.log", how)
    kafka_server.start()
    async with toy.worker().running():
        await until_applied(toy.db, {f"p{partition}": [1, 2] for partition in DAMAGES})
        rows = await eventually(lambda: parked(toy), until=lambda rows: len(rows) == len(DAMAGES))
    assert {row["partition"]: (row["offset"], row["last_offset"], row["reason"]) for row in rows} == {
        partition: (1, 2, reason) for partition, (_, reason) in DAMAGES.items()
    }
    assert all(len(row["value_sha256"]) == 64 and row["is_excerpt"] for row in rows)
    assert sorted(await unreadable(toy)) == [
        f"work-orders, partition {partition}, offset 1: {reason}; through offset 2"
        for partition, (_, reason) in DAMAGES.items()
    ]


async def parked(toy: Toy) -> list[dict[str, Any]]:
    return await parking.parked_records(toy.db, topic=None, key=None)


async def unreadable(toy: Toy) -> list[str]:
    """What `linework verify` says of the topics: it reads them by itself."""

    class Taking:
        def take(self, message: Any, *, is_counted: bool = True) -> None: ...

        take_notice = take

        def rest(self) -> None: ...

    topic: Any = TopicSource(toy.bootstrap_servers, toy.prefix)
    found = []
    topic.left.note_unreadable = lambda where, error: found.append(f"{where}: {error}")
    await topic.read_on(Taking(), Taking())
    return found
