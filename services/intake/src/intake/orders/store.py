"""Rows of intake about orders besides the orders themselves: what creation needs to know, history, requests."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from chassis.database import Statements, Transaction, columns_of, unnest_of
from chassis.one_statement import Part
from contracts.events import Zone
from contracts.message import Message
from contracts.requests import WorkOrderRequestRefused
from intake.orders.domain.creation import CreateWorkOrder, CreationContext
from intake.orders.domain.requests import CustodianRequest
from intake.subscribers.domain import SubscriberNotFound
from intake.tables import ORDER_HISTORY
from work_orders.commit import find_stored_order
from work_orders.order_table import StoredOrder, stored_order_of
from work_orders.sealing_keys import SealingKeys


async def circumstances(
    statements: Statements, command: CreateWorkOrder, keys: SealingKeys | None = None, *, now: datetime
) -> CreationContext:
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
    return CreationContext(
        order_no=f"{now:%Y%m%d}-{row['number']:06d}",
        subscriber_id=row["id"],
        subscriber_no=row["subscriber_no"],
        zone=Zone(row["zone"]),
        territory=row["territory"],
        is_device_type_used=row["device"],
        is_demand_type_used=row["demand"],
    )


_HISTORY = [column for column in ORDER_HISTORY.c if column.identity is None]
_ADD_HISTORY = f"""insert into order_history ({columns_of(_HISTORY)})
    select * from {unnest_of(_HISTORY)} on conflict (message_id) do nothing"""


def history_of(messages: Sequence[Message]) -> Part:
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
    return Part(_ADD_HISTORY, [list(column) for column in zip(*rows, strict=True)])


async def add_request(tx: Transaction, request: CustodianRequest) -> None:
    """Keeps a request that is pending; one that is known already stays as it is."""
    await tx.execute(
        """insert into requests (id, order_id, kind, reason, state, asked_by, asked_at)
           values ($1, $2, $3, $4, $5, $6, $7) on conflict (id) do nothing""",
        request.id,
        request.order_id,
        request.kind,
        request.reason,
        request.state,
        request.asked_by,
        request.asked_at,
    )


_SETTLE = """
update requests set state = answer.state, answered_at = answer.at, refusal = answer.refusal
from unnest($1::text[], $2::text[], $3::timestamp with time zone[], $4::json[]) as answer (id, state, at, refusal)
where requests.id = answer.id and requests.state = 'pending'"""


def settled_by(messages: Sequence[Message]) -> list[Part]:
    """Writes the answers among the messages to the requests they answer; the first one counts."""
    answers: dict[str, tuple[str, str, datetime, str | None]] = {}
    for message in messages:
        is_refusal = isinstance(message.body, WorkOrderRequestRefused)
        is_grant = message.order_version is not None and getattr(message.body, "request_id", None)
        if is_refusal or is_grant:
            request_id = message.body.request_id
            refusal = msgspec.json.encode(message.body).decode() if is_refusal else None
            answer = request_id, "refused" if is_refusal else "granted", message.recorded_at, refusal
            answers.setdefault(request_id, answer)
    rows = sorted(answers.values())
    return [Part(_SETTLE, [list(column) for column in zip(*rows, strict=True)])] if rows else []


async def lock_request(tx: Transaction, request_id: str) -> CustodianRequest | None:
    row = await tx.fetchrow(
        """select id, order_id, kind, reason, state, asked_by, asked_at, answered_at, refusal from requests
           where id = $1 for update""",
        request_id,
    )
    if row is None:
        return None
    return CustodianRequest(**{**row, "refusal": msgspec.json.decode(row["refusal"]) if row["refusal"] else None})


async def lock_orders(tx: Transaction, order_ids: Iterable[str]) -> dict[str, StoredOrder]:
    """The orders that are there, locked in the order of their ids, by id."""
    rows = await tx.fetch(
        "select id, body, stream_version, last_hash from work_orders where id = any($1) order by id for update",
        sorted(order_ids),
    )
    return {row["id"]: stored_order_of(row) for row in rows}


async def lock_order(tx: Transaction, order_id: str) -> StoredOrder | None:
    await tx.execute("select from work_orders where id = $1 for update", order_id)
    return await find_stored_order(tx, order_id)
