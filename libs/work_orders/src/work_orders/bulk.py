"""Bulk acts: one act on many orders, each a command of its own with its own version, transaction and answer.

A row gets a key of its own from the request's `Idempotency-Key`. After a crash in the middle the same request goes on:
rows that were carried out are answered as they were, and the others are carried out.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, TypeVar

import msgspec
from pydantic import BaseModel, Field

from chassis.any_route import ANY
from chassis.commands import AlreadyReplied, Idempotency, IdempotencyKeyBroken, Reply
from chassis.database import DatabaseUnavailable, is_transient
from chassis.entity_tags import NamedVersions
from chassis.field_types import Body
from chassis.problems import language_for, problem, zone_of
from contracts.refusals import Invalid, Refusal, Unavailable
from work_orders.routes import ActBody, OrderContext
from work_orders.unit_of_work import OrderUnitOfWork

MOST_ROWS = 200
_LONGEST_SECONDS = 20.0

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$", description="The order's id.")]
BULK_ROWS = Field(min_length=1, max_length=MOST_ROWS, description=f"1 to {MOST_ROWS}, each of another order.")


class OrdersRepeated(Invalid):
    """Each order stands once in a bulk act; {order_ids} stand more often."""

    zh = "批量操作中每张工单只能出现一次；{order_ids} 重复。"


class BulkTookTooLong(Unavailable):
    """The bulk act took longer than {seconds} s and this row was not tried; repeat it with the same Idempotency-Key."""

    zh = "批量操作超过 {seconds} 秒，此行尚未执行；请使用相同的 Idempotency-Key 重试。"


BULK_REFUSALS = (*ANY, IdempotencyKeyBroken, OrdersRepeated)


class BulkOrder(ActBody):
    """One order of a bulk act."""

    order_id: Id


class BulkRow(BulkOrder):
    """One order of a bulk act, and the version that the act is based on."""

    version: int = Field(ge=1, le=1_000_000, description="The order's version that the caller has seen.", examples=[3])


class BulkAct(Body):
    rows: list[BulkRow] = BULK_ROWS


class BulkRowAnswer(BaseModel):
    order_id: str
    is_done: bool
    version: int | None = None
    """The order's version after the act."""
    request_id: str | None = None
    """Of a request to the order's custodian: where its answer will be."""
    problem: dict[str, Any] | None = None
    """Why it was refused: the problem document that the act alone would get."""


class BulkAnswer(BaseModel):
    done: int
    refused: int
    rows: list[BulkRowAnswer]
    """In the order of the request."""


class _Told(msgspec.Struct):
    """What is needed of an act's reply: an order, or a request."""

    id: str
    version: int | None = None


R = TypeVar("R", bound=BulkOrder)


async def carry_out(
    context: OrderContext, rows: Sequence[R], act: Callable[[R, OrderUnitOfWork], Awaitable[Reply]]
) -> BulkAnswer:
    """Carries the act out on each order in turn; raises `OrdersRepeated`, and then none was touched."""
    counted = Counter(row.order_id for row in rows)
    if repeated := sorted(order_id for order_id, count in counted.items() if count > 1):
        raise OrdersRepeated(order_ids=repeated[:20])
    until = time.monotonic() + _LONGEST_SECONDS
    answers = [await _carried_out(context, row, act, until) for row in rows]
    done = sum(answer.is_done for answer in answers)
    return BulkAnswer(done=done, refused=len(answers) - done, rows=answers)


async def _carried_out(
    context: OrderContext, row: R, act: Callable[[R, OrderUnitOfWork], Awaitable[Reply]], until: float
) -> BulkRowAnswer:
    order_id = row.order_id
    try:
        if time.monotonic() > until:
            raise BulkTookTooLong(seconds=int(_LONGEST_SECONDS))
        reply = await act(row, _unit_of_work(context, row))
    except AlreadyReplied as first:
        reply = first.reply
    except Refusal as refusal:
        return BulkRowAnswer(order_id=order_id, is_done=False, problem=_problem(context, refusal))
    except Exception as error:
        if not is_transient(error):
            raise
        return BulkRowAnswer(order_id=order_id, is_done=False, problem=_problem(context, DatabaseUnavailable()))
    told = msgspec.json.decode(reply.body, type=_Told)
    request_id = None if told.id == order_id else told.id
    return BulkRowAnswer(order_id=order_id, is_done=True, version=told.version, request_id=request_id)


def _unit_of_work(context: OrderContext, row: BulkOrder) -> OrderUnitOfWork:
    """That of one row. It waits for nothing: many rows that wait would hold the request for minutes."""
    version = row.version if isinstance(row, BulkRow) else None
    headers = replace(
        context.headers,
        idempotency=_key_of(context.headers.idempotency, row),
        if_match=NamedVersions(frozenset({version})) if version is not None else None,
    )
    return replace(context.uow, headers=headers, catch_up_seconds=0, occurred_at=row.occurred_at)


def _key_of(given: Idempotency | None, row: BulkOrder) -> Idempotency | None:
    if given is None:
        return None
    fingerprint = hashlib.sha256(row.model_dump_json().encode()).hexdigest()
    return replace(given, key=f"{given.key} {row.order_id}", fingerprint=fingerprint)


def _problem(context: OrderContext, refusal: Refusal) -> dict[str, Any]:
    request = context.request
    document = problem(refusal, request.scope, language=language_for(request), zone=zone_of(request))
    said: dict[str, Any] = json.loads(bytes(document.body))
    return said
