"""Rows of what partners are told: their orders, the requests that wait for an answer, and the messages themselves."""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from chassis.database import Statements, Transaction, columns_of, unnest_of
from chassis.one_statement import Part
from contracts.codec import decode, headers_of
from contracts.message import Message
from intake.partner_tables import PARTNER_MESSAGES, PARTNER_ORDERS
from intake.partners.outgoing import Outgoing, PartnerOrder

# A call that is waiting for its reply has one promise; an order can have come of several calls.
_REPLY_BY = """(select max(reply_by) from settlements join cases using (call_id)
                where settlements.order_id = asked.order_id and replied_at is null)"""
_ORDERS = f"""select asked.order_id, partner_id, asked.subject, is_active, body, {_REPLY_BY}
    from partner_orders as asked join partners on partners.id = partner_id join work_orders on work_orders.id = order_id
    where order_id = any($1::text[])"""
_REQUESTS = """select request_id, asked.event_id, kind from partner_requests as asked
    join requests on requests.id = request_id where request_id = any($1::text[]) and state = 'pending'"""
_ACTIVE = "select id, is_active from partners where id = any($1::text[])"


def orders_of_partners(order_ids: Collection[str]) -> Part:
    """Those of the orders that partners asked for, with what a message about one needs."""
    return Part(_ORDERS, [sorted(order_ids)])


def waiting_requests(request_ids: Collection[str]) -> Part:
    """Those of the requests that partners made and that have no answer yet."""
    return Part(_REQUESTS, [sorted(request_ids)])


def are_active(partner_ids: Collection[str]) -> Part:
    return Part(_ACTIVE, [sorted(partner_ids)])


_ADD_ORDERS = f"""insert into partner_orders ({columns_of(PARTNER_ORDERS.c)})
    select * from {unnest_of(PARTNER_ORDERS.c)} on conflict do nothing"""


def added_orders(orders: Iterable[PartnerOrder]) -> Part:
    """Lists orders as those of partners; one that is listed stays as it is."""
    rows = [(order.order_id, order.partner_id, order.reference, order.subject) for order in orders]
    return Part(_ADD_ORDERS, [list(column) for column in zip(*rows, strict=True)])


_WRITTEN = [column for column in PARTNER_MESSAGES.c if column.identity is None]
_ADD_MESSAGES = f"""insert into partner_messages ({columns_of(_WRITTEN)})
    select * from {unnest_of(_WRITTEN)} on conflict (message_id) do nothing"""


def added_messages(outgoing: Sequence[Outgoing], *, is_owed: bool) -> Part:
    """Keeps what partners are told, for a replay; a message that is there stays as it is."""
    rows = [_row(one, is_owed=is_owed and one.is_active) for one in outgoing]
    return Part(_ADD_MESSAGES, [list(column) for column in zip(*rows, strict=True)])


def _row(one: Outgoing, *, is_owed: bool) -> tuple[Any, ...]:
    message, headers = one.message, json.dumps(headers_of(one.message))
    text = message.data.decode()
    return message.id, one.partner_id, message.recorded_at, one.order_id, message.subject, text, headers, is_owed


def message_of(row: Any) -> Message:
    """The message of a row, as it was sent."""
    headers = json.loads(row["headers"])
    pairs = [(name, text.encode()) for name, text in headers.items()]
    return decode(row["subject"].encode(), row["payload"].encode(), pairs)


async def take_owed(tx: Transaction, limit: int) -> list[tuple[str, Message]]:
    """Some of the messages that are owed, oldest first, with their partners; from then on they are not owed."""
    rows = await tx.fetch(
        """with taken as (
               update partner_messages set is_owed = false where message_id in (
                   select message_id from partner_messages where is_owed order by place limit $1) returning *
           ) select partner_id, subject, payload, headers from taken order by place""",
        limit,
    )
    return [(row["partner_id"], message_of(row)) for row in rows]


async def own_orders(statements: Statements, partner_id: str, references: Collection[str]) -> dict[str, str]:
    """The ids of the partner's orders, by its own numbers as they are stored; others are left out."""
    rows = await statements.fetch(
        "select reference, order_id from partner_orders where partner_id = $1 and reference = any($2)",
        partner_id,
        sorted(references),
    )
    return {row["reference"]: row["order_id"] for row in rows}


async def add_request(tx: Transaction, request_id: str, partner_id: str, event_id: str, subject: str) -> None:
    """Notes which event of a partner waits for the answer to a request."""
    await tx.execute(
        """insert into partner_requests (request_id, partner_id, event_id, subject) values ($1, $2, $3, $4)
           on conflict do nothing""",
        request_id,
        partner_id,
        event_id,
        subject,
    )


_NOTE_CODES = """update partner_events set code = refused.code
    from unnest($1::text[], $2::text[], $3::text[]) as refused (partner, event, code)
    where partner_id = refused.partner and event_id = refused.event"""


def noted_codes(refused: Sequence[tuple[str, str, str]]) -> Part:
    """Notes why events were refused: partner, event and code."""
    return Part(_NOTE_CODES, [list(column) for column in zip(*refused, strict=True)])
