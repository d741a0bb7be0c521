"""A database that loses its last commits in a crash, while the worker lives, loses nothing of the topic.

A failover to a standby that is behind, and a commit that did not wait for the disk, take back the last batches together
with their positions. Whoever goes on from what it remembers would step over them.
"""

from collections.abc import Sequence

import pytest

from chassis.database import Database
from chassis.one_statement import Part
from chassis.subscribe import Subscription
from chassis.subscription import OneStatement
from chassis.testing import eventually
from chassis.worker import Worker
from contracts.message import Message
from contracts.topics import WORK_ORDERS

from .conftest import Toy
from .test_consuming import until_applied
from .toy import follow, note, toy_settings

_EFFECTS = "insert into effects (key, version, note) select * from unnest($1::text[], $2::int[], $3::text[])"


def _write(messages: Sequence[Message], read: object) -> list[Part]:
    columns = zip(*((one.subject, one.order_version, one.body.note) for one in messages), strict=True)
    return [Part(_EFFECTS, [list(column) for column in columns])]


IN_A_TRANSACTION = Subscription(WORK_ORDERS, follow)
AT_ONCE = Subscription(WORK_ORDERS, follow, OneStatement(lambda messages: [], _write))


async def _take_back(db: Database, version: int) -> None:
    """As the database was after this version of the only order."""
    async with db.begin() as tx:
        await tx.execute("delete from effects where version > $1", version)
        await tx.execute("update followed set version = $1", version)
        await tx.execute("update positions set next_offset = $1 where next_offset > $1", version)


@pytest.mark.parametrize("subscription", [IN_A_TRANSACTION, AT_ONCE], ids=["in_a_transaction", "at_once"])
async def test_what_a_crash_took_back_is_read_again(toy: Toy, subscription: Subscription) -> None:
    worker = Worker("toy", toy_settings(toy.url, toy.bootstrap_servers, toy.prefix), [subscription])
    async with worker.running():
        for version in (1, 2, 3):
            await toy.send(note("order-1", version))
            await until_applied(toy.db, {"order-1": list(range(1, version + 1))})
        (listener,) = worker._listeners
        await eventually(lambda: 3 in listener._next_offsets.values())
        await _take_back(toy.db, 1)
        await toy.send(note("order-1", 4))
        await until_applied(toy.db, {"order-1": [1, 2, 3, 4]})
    async with toy.db.statements() as statements:
        assert await statements.fetchval("select count(*) from parked") == 0


async def test_offsets_that_give_nothing_to_apply_are_not_passed_over_a_gap(toy: Toy) -> None:
    worker = toy.worker()
    async with worker.running():
        await toy.send(note("order-1", 1))
        await until_applied(toy.db, {"order-1": [1]})
        (listener,) = worker._listeners
        await eventually(lambda: 1 in listener._next_offsets.values())
        (partition,) = (number for number, offset in listener._next_offsets.items() if offset == 1)
        await _take_back(toy.db, 0)
        with pytest.raises(Exception, match="has lost its last positions"):
            await listener._consumer.pass_over({partition: 1}, {partition: 2})
        await until_applied(toy.db, {"order-1": [1]})
