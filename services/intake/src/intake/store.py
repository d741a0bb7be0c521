"""Rows of intake besides the orders themselves: subscribers, order types, history, requests."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec

from chassis.database import Statements, Transaction
from contracts.events import Zone
from contracts.message import Message
from contracts.requests import WorkOrderRequestRefused
from intake.domain.creation import Circumstances, CreateWorkOrder, DemandTypeUnknown, SubscriberNotFound
from intake.domain.privacy import Subscriber
from work_orders.sealing_keys import SealingKeys

DEVICE, DEMAND = "device", "demand"


async def circumstances(
    statements: Statements, command: CreateWorkOrder, keys: SealingKeys | None = None, *, now: datetime
) -> Circumstances:
    """What creation needs to know, and a new order number, in one round trip; raises `SubscriberNotFound`.

    With `keys`, it brings the subscriber's sealing key along for them.
    """
    row = await statements.fetchrow(
        """select id, subscriber_no, zone, territory, master_key_id, wrapped, entity_version,
               nextval('order_numbers') as number,
               exists (select from order_types where kind = 'device' and code = $2 and is_active) as device,
               exists (select from order_types where kind = 'demand' and code = $3 and is_active) as demand
           from subscribers left join sealing_keys on subscriber_id = id
           where subscriber_no = $1 or plain_reference(subscriber_no) = $1 order by subscriber_no <> $1 limit 1""",
        command.subscriber_no,
        command.device_type,
        command.demand_type,
    )
    if row is None:
        raise SubscriberNotFound(subscriber_no=command.subscriber_no)
    if keys is not None and row["entity_version"] is not None:
        keys.learn(row["id"], row["master_key_id"], row["wrapped"])
    return Circumstances(
        order_no=f"{now:%Y%m%d}-{row['number']:06d}",
        subscriber_id=row["id"],
        subscriber_no=row["subscriber_no"],
        zone=Zone(row["zone"]),
        territory=row["territory"],
        is_device_type_used=row["device"],
        is_demand_type_used=row["demand"],
    )


_SUBSCRIBER = "id, version, subscriber_no, name, phones, address, kind, zone, territory, notes"


def to_subscriber(row: Any) -> Subscriber:
    return Subscriber(**{**dict(row), "phones": tuple(row["phones"])})


async def find_subscriber(statements: Statements, subscriber_id: str) -> Subscriber | None:
    row = await statements.fetchrow(f"select {_SUBSCRIBER} from subscribers where id = $1", subscriber_id)
    return to_subscriber(row) if row else None


async def subscriber_numbers(statements: Statements, subscriber_no: str) -> list[str]:
    """The number as it is stored: also where it was stored before numbers had one spelling."""
    rows = await statements.fetch(
        """select subscriber_no from subscribers where subscriber_no = $1 or plain_reference(subscriber_no) = $1
           order by subscriber_no""",
        subscriber_no,
    )
    return [row["subscriber_no"] for row in rows]


async def similar_numbers(statements: Statements, subscriber_no: str) -> list[str]:
    """Some numbers of other subscribers that look like this one."""
    rows = await statements.fetch(
        """select subscriber_no from subscribers where look_alike(subscriber_no) = look_alike($1)
               and subscriber_no <> $1 order by subscriber_no limit 10""",
        subscriber_no,
    )
    return [row["subscriber_no"] for row in rows]


async def insert_subscriber(tx: Transaction, subscriber: Subscriber, *, now: datetime) -> bool:
    """Whether it was inserted; False when the number belongs to another subscriber."""
    done = await tx.execute(
        f"""insert into subscribers ({_SUBSCRIBER}, created_at, changed_at)
            select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11
            where not exists (select from subscribers where plain_reference(subscriber_no) = $3)
            on conflict (subscriber_no) do nothing""",
        *_values(subscriber),
        now,
    )
    return done == "INSERT 0 1"


async def update_subscriber(tx: Transaction, subscriber: Subscriber, *, now: datetime) -> bool:
    """Whether it was changed; False when the version before was not the one that the change was made on."""
    done = await tx.execute(
        """update subscribers set version = $2, name = $4, phones = $5, address = $6, kind = $7, zone = $8,
               territory = $9, notes = $10, changed_at = $11
           where id = $1 and subscriber_no = $3 and version = $2 - 1""",
        *_values(subscriber),
        now,
    )
    return done == "UPDATE 1"


def _values(subscriber: Subscriber) -> list[Any]:
    values = asdict(subscriber)
    values.pop("is_masked")
    return [*values.values()]


@dataclass(frozen=True, slots=True)
class OrderType:
    """A device type or a demand type, from the lists that operators edit."""

    code: str
    name_en: str
    name_zh: str
    is_active: bool
    version: int = 0


async def put_order_type(tx: Transaction, kind: str, order_type: OrderType) -> OrderType:
    """Defines or redefines it; the version grows by one."""
    version = await tx.fetchval(
        """insert into order_types (kind, code, version, name_en, name_zh, is_active) values ($1, $2, 1, $3, $4, $5)
           on conflict (kind, code) do update set version = order_types.version + 1, name_en = excluded.name_en,
               name_zh = excluded.name_zh, is_active = excluded.is_active
           returning version""",
        kind,
        order_type.code,
        order_type.name_en,
        order_type.name_zh,
        order_type.is_active,
    )
    return OrderType(order_type.code, order_type.name_en, order_type.name_zh, order_type.is_active, version)


async def demand_types(statements: Statements, codes: Iterable[str | None]) -> frozenset[str]:
    """Those of the codes that are demand types in use."""
    wanted = sorted({code for code in codes if code is not None})
    if not wanted:
        return frozenset()
    rows = await statements.fetch(
        "select code from order_types where kind = $1 and is_active and code = any($2)", DEMAND, wanted
    )
    return frozenset(row["code"] for row in rows)


async def require_demand_type(statements: Statements, code: str | None) -> None:
    """Raises `DemandTypeUnknown`."""
    if code is not None and not await demand_types(statements, [code]):
        raise DemandTypeUnknown(demand_type=code)


async def add_history(tx: Transaction, messages: Sequence[Message]) -> None:
    """Keeps what happened; a message that is delivered again changes nothing."""
    rows = [
        (
            message.id,
            message.subject,
            message.order_version,
            message.type,
            message.occurred_at,
            message.recorded_at,
            message.service,
            message.actor.sub,
            message.actor.role,
            message.actor.name,
            message.data.decode(),
        )
        for message in messages
    ]
    await tx.execute(
        """insert into order_history (message_id, order_id, order_version, type, occurred_at, recorded_at, service,
                                      actor_sub, actor_role, actor_name, data)
           select * from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                                $7::text[], $8::text[], $9::text[], $10::text[], $11::json[])
           on conflict (message_id) do nothing""",
        *(list(column) for column in zip(*rows, strict=True)),
    )


async def settle_requests(tx: Transaction, messages: Sequence[Message]) -> None:
    """Writes the answers among the messages to the requests they answer."""
    for message in messages:
        is_refusal = isinstance(message.body, WorkOrderRequestRefused)
        is_grant = message.order_version is not None and hasattr(message.body, "request_id")
        if is_refusal or is_grant:
            await tx.execute(
                """update requests set state = $2, answered_at = $3, refusal = $4
                   where id = $1 and state = 'pending'""",
                message.body.request_id,
                "refused" if is_refusal else "granted",
                message.recorded_at,
                msgspec.json.encode(message.body).decode() if is_refusal else None,
            )
