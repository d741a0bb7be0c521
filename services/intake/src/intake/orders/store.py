"""Rows of intake about orders besides the orders themselves: what creation needs to know, history, requests."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from chassis.database import Statements, Transaction, columns_of, unnest_of
from chassis.one_statement import Part
from contracts.amendment import TypesInUse
from contracts.events import OrderDetails, Zone
from contracts.message import Message
from contracts.requests import WorkOrderRequestRefused
from intake.orders.domain.creation import CreateWorkOrder, CreationContext
from intake.orders.domain.requests import KINDS, PENDING, CustodianRequest
from intake.subscribers.domain import SubscriberNotFound
from intake.tables import ORDER_HISTORY, REQUESTS
from work_orders.handling_rules import NEWEST_RULES, rules_of
from work_orders.order_table import StoredOrder, stored_order_of
from work_orders.sealing_keys import SealingKeys


async def circumstances(
    statements: Statements, command: CreateWorkOrder, keys: SealingKeys | None = None, *, now: datetime
) -> CreationContext:
    """What creation needs to know, and a new order number, in one round trip; raises `SubscriberNotFound`.

    With `keys`, it brings the subscriber's sealing key along for them.
    """
    row = await statements.fetchrow(
        f"""select id, subscriber_no, zone, territory, master_key_id, wrapped, entity_version,
               nextval('order_numbers') as number, ({NEWEST_RULES}) as rules,
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
        types=TypesInUse(row["device"], row["demand"]),
        rules=rules_of(row["rules"]),
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
_ADD_ASKED = f"""insert into requests ({columns_of(REQUESTS.c)})
    select * from {unnest_of(REQUESTS.c)} on conflict (id) do nothing"""


def requests_of(messages: Sequence[Message]) -> list[Part]:
    """Keeps the requests among the messages, from any service, and writes the answers to those they answer.

    Of several answers the first one counts; a request that is known already, or was forwarded, stays as it is.
    """
    answers = _answers(messages)
    asked: dict[str, tuple[Any, ...]] = {}
    for message in messages:
        if (kind := KINDS.get(type(message.body))) is not None:
            request_id = message.body.request_id
            # A statement does not see what it inserts itself: an answer of the same batch comes with the request.
            state, at, refusal = answers.get(request_id, (PENDING, None, None))
            said = kind, message.body.reason, state, message.actor.sub, message.occurred_at, at, refusal
            asked.setdefault(request_id, (request_id, message.subject, *said))
    parts = [_part(_ADD_ASKED, [asked[one] for one in sorted(asked)])] if asked else []
    settled = [(request_id, *answers[request_id]) for request_id in sorted(answers)]
    return [*parts, _part(_SETTLE, settled)] if settled else parts


def _part(sql: str, rows: Sequence[tuple[Any, ...]]) -> Part:
    return Part(sql, [list(column) for column in zip(*rows, strict=True)])


def _answers(messages: Sequence[Message]) -> dict[str, tuple[str, datetime, str | None]]:
    """State, time and refusal of each request that is answered here, by its id."""
    answers: dict[str, tuple[str, datetime, str | None]] = {}
    for message in messages:
        is_refusal = isinstance(message.body, WorkOrderRequestRefused)
        is_grant = message.order_version is not None and getattr(message.body, "request_id", None) is not None
        if is_refusal or is_grant:
            refusal = msgspec.json.encode(message.body).decode() if is_refusal else None
            answer = "refused" if is_refusal else "granted", message.recorded_at, refusal
            answers.setdefault(message.body.request_id, answer)
    return answers


async def check_types(statements: Statements, details: OrderDetails) -> None:
    """Raises `DeviceTypeUnknown` or `DemandTypeUnknown` for a type that is given and not in use."""
    row = await statements.fetchrow(
        """select exists (select from order_types where kind = 'device' and code = $1 and is_active) as device,
               exists (select from order_types where kind = 'demand' and code = $2 and is_active) as demand""",
        details.device_type,
        details.demand_type,
    )
    assert row is not None
    TypesInUse(row["device"], row["demand"]).check(details.device_type, details.demand_type)


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
    """The orders that are there, by id; locked in the order of their ids, so that two who lock the same queue."""
    rows = await tx.fetch(
        "select id, body, stream_version, last_hash from work_orders where id = any($1) order by id for update",
        sorted(order_ids),
    )
    return {row["id"]: stored_order_of(row) for row in rows}
