"""A database with orders, and builders of what happens to them."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.commands import CommandHeaders, Idempotency, Reply
from chassis.database import Database
from chassis.entity_tags import NamedVersions
from chassis.sealing import MasterKeys
from chassis.testing import MASTER_KEYS, FixedClock
from chassis.wakeup import Wakeup
from contracts import events as e
from contracts.chain import event_hash
from contracts.codec import new_message
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.order import WorkOrder
from work_orders.clocks_shown import ShownClocks
from work_orders.order_table import StoredOrder, to_json, to_order
from work_orders.replica import Replica
from work_orders.sealing import Opening
from work_orders.sealing_keys import SealingKeys
from work_orders.testing import give_key
from work_orders.time_limits import KnownRuleSets
from work_orders.unit_of_work import OrderCommand, OrderUnitOfWork

INI = Path(__file__).with_name("migrated") / "alembic.ini"
BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
ACTOR = Actor("someone-1", "agent", "Someone")


def make_created(**overrides: Any) -> e.WorkOrderCreated:
    values: dict[str, Any] = {
        "order_no": "20260302-000001",
        "subscriber_id": "subscriber-1",
        "subscriber_no": "111",
        "device_type": "digital",
        "demand_type": "fault_repair",
        "content": "no picture 没有图像",
        "channel": e.Channel.PHONE,
        "zone": e.Zone.URBAN,
    }
    return e.WorkOrderCreated(**{**values, **overrides})


DISPATCHED = e.WorkOrderDispatched(work_area_id="north", staff_ids=("staff-1",))


@dataclass
class Timeline:
    """The stream of one order: each message follows the one before it."""

    order_id: str
    messages: list[Message] = field(default_factory=list)

    def then(self, service: Service, body: Any, *, at: datetime | None = None) -> Message:
        versions = [one for one in self.messages if one.order_version is not None]
        is_event = type(body) in e.WorkOrderEvent.__args__
        moment = at or BEGIN + timedelta(minutes=len(self.messages))
        message = new_message(
            body,
            service=service,
            subject=self.order_id,
            actor=ACTOR,
            occurred_at=moment,
            recorded_at=moment,
            order_version=len(versions) + 1 if is_event else None,
            prev_hash=event_hash(versions[-1]) if versions and is_event else None,
        )
        self.messages.append(message)
        return message


def whole_life(order_id: str, **created: Any) -> Timeline:
    life = Timeline(order_id)
    life.then(Service.INTAKE, make_created(order_no=f"no-{order_id}", **created))
    life.then(Service.DISPATCH, DISPATCHED)
    life.then(Service.FIELDWORK, e.WorkOrderStarted())
    life.then(Service.FIELDWORK, e.WorkOrderNoteAdded(note="on the way"))
    life.then(
        Service.FIELDWORK,
        e.WorkOrderCompleted(
            staff_ids=("staff-1",), handling="mended", is_resolved=True, is_petitioned=False, is_called_back=True
        ),
    )
    life.then(Service.QA, e.WorkOrderArchived())
    return life


async def follow(db: Database, service: Service, messages: list[Message]) -> None:
    async with db.begin() as tx:
        await Replica(service, FixedClock()).follow(messages, tx)


def sealing_keys_of(db: Database) -> SealingKeys:
    return SealingKeys(db, MasterKeys.parse(MASTER_KEYS), Wakeup(db.url), catch_up_seconds=0)


def clocks_in(db: Database) -> ShownClocks:
    return ShownClocks(db, KnownRuleSets(), FixedClock())


def opening_of(db: Database) -> Opening:
    return Opening(sealing_keys_of(db))


async def opened_order(db: Database, order: WorkOrder) -> WorkOrder:
    """The order with its texts in plain."""
    return to_order(await opening_of(db).object(order.id, to_json(order)))


@dataclass(frozen=True, slots=True)
class Act:
    """One command on one order, as a test sends it."""

    order_id: str
    headers: CommandHeaders
    areas: tuple[str, ...] | None
    occurred_at: datetime | None


class Orders:
    """The unit of work of orders in two steps, so that tests can let something happen between reading and writing."""

    def __init__(
        self,
        service: Service,
        db: Database,
        wakeup: Wakeup,
        clock: FixedClock,
        sealing_keys: SealingKeys,
        *,
        catch_up_seconds: float,
    ) -> None:
        self._parts: dict[str, Any] = {
            "service": service,
            "db": db,
            "wakeup": wakeup,
            "clock": clock,
            "sealing_keys": sealing_keys,
            "time_limits": KnownRuleSets(),
            "catch_up_seconds": catch_up_seconds,
        }

    def _of(self, act: Act) -> OrderUnitOfWork:
        return OrderUnitOfWork(
            **self._parts, actor=ACTOR, headers=act.headers, areas=act.areas, occurred_at=act.occurred_at
        )

    async def get_for(self, act: Act) -> StoredOrder:
        return await self._of(act)._get_order(act.order_id)

    async def record(self, stored: StoredOrder, event: e.WorkOrderEvent, act: Act, *, name: str) -> Reply:
        command = OrderCommand(stored)
        command.record(event, name=name)
        await self._of(act)._commit(command, stored)
        return command.reply

    async def create(self, event: e.WorkOrderCreated, act: Act, *, name: str) -> Reply:
        async with self._of(act).new_order(act.order_id) as command:
            command.record(event, name=name)
        return command.reply


def act_on(
    order_id: str,
    expected: int | None = None,
    *,
    key: str | None = None,
    body: str = "",
    areas: tuple[str, ...] | None = None,
    role: str = ACTOR.role,
    occurred_at: datetime | None = None,
) -> Act:
    remembered = None
    if key is not None:
        fingerprint = hashlib.sha256(body.encode()).hexdigest()
        remembered = Idempotency(
            caller=ACTOR.sub, route="POST /x", key=key, fingerprint=fingerprint, role=role, areas=areas
        )
    headers = CommandHeaders(
        idempotency=remembered,
        if_match=NamedVersions(frozenset({expected})) if expected else None,
        correlation_id=None,
        traceparent=None,
    )
    return Act(order_id, headers, areas, occurred_at)


@pytest.fixture
async def db(new_database: Any) -> AsyncIterator[Database]:
    db = Database(new_database(INI), pool_size=12)
    async with db.statements() as statements:
        await give_key(statements, "subscriber-1")
    yield db
    await db.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(BEGIN + timedelta(hours=1))


@pytest.fixture
def orders(db: Database, clock: FixedClock) -> Orders:
    """Fieldwork's orders."""
    return Orders(Service.FIELDWORK, db, Wakeup(db.url), clock, sealing_keys_of(db), catch_up_seconds=0)


async def tracked_in(db: Database, order_id: str) -> StoredOrder | None:
    from work_orders.commit import find_stored_order

    async with db.statements() as statements:
        return await find_stored_order(statements, order_id)


async def count_of(db: Database, table: str) -> int:
    async with db.statements() as statements:
        return await statements.fetchval(f"select count(*) from {table}")
