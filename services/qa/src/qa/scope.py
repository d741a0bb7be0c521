"""Orders of other areas are left out of what quality shows to a token that names areas.

A follow-up of an outage covers orders of many areas, a call can lead to several, and the order that was opened for a
finding goes wherever it is dispatched: such a thing is shown where one of its orders is of the caller's areas, and
then names only those.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from fastapi import Request, Response

from chassis.commands import Reply
from chassis.database import Database, Statements
from chassis.request_context import RequestContext
from qa.store import orders_in_areas
from work_orders.http import opened_again

_ORDER, _ORDERS, _THING = "order_id", "order_ids", "thing"


async def narrowed(statements: Statements, bodies: Sequence[str], areas: Sequence[str] | None) -> list[str]:
    """Things as JSON, naming only orders whose present work area is one of `areas`; None leaves all as they are."""
    if areas is None or not bodies:
        return list(bodies)
    documents = [msgspec.json.decode(body) for body in bodies]
    named = {order_id for document in documents for order_id in _named(document)}
    hidden = named - await orders_in_areas(statements, named, areas)
    if not hidden:
        return list(bodies)
    return [msgspec.json.encode(_without(hidden, document)).decode() for document in documents]


async def narrowed_object(db: Database, body: bytes, areas: Sequence[str] | None) -> bytes:
    """The same of one thing."""
    if areas is None:
        return body
    async with db.statements() as statements:
        (found,) = await narrowed(statements, [body.decode()], areas)
    return found.encode()


async def again(answer: Reply, request: Request) -> Reply:
    """An answer to an act, or one that was remembered, as the present token may see it."""
    opened, desk = await opened_again(answer, request), RequestContext(request)
    return Reply(opened.status, await narrowed_object(desk.db, opened.body, desk.caller.areas), opened.etag)


async def answered(answer: Reply, request: Request) -> Response:
    """An act's answer with its texts opened, and without orders of other areas."""
    return (await again(answer, request)).response()


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _named(one)
    elif isinstance(value, dict):
        yield from value.get(_ORDERS) or ()
        if isinstance(order_id := value.get(_ORDER), str):
            yield order_id
        for one in value.values():
            yield from _named(one)


def _without(hidden: set[str], value: Any) -> Any:
    if isinstance(value, list):
        return [_without(hidden, one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _without(hidden, one) for name, one in value.items()}
    if _ORDERS in found:
        found[_ORDERS] = [one for one in found[_ORDERS] or () if one not in hidden]
    if found.get(_ORDER) in hidden:
        found[_ORDER] = None
    # What a follow-up is about is named by its cause and the order that it began with.
    if isinstance(thing := found.get(_THING), str) and thing.rpartition(":")[2] in hidden:
        found[_THING] = thing.rpartition(":")[0]
    return found
