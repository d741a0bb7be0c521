"""Reads of the record: the timeline of an order, its proof, and the record itself page by page."""

from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any

import msgspec

from chassis.database import Database
from chassis.paging import follow_by
from chassis.wait_for_version import NotCaughtUp, caught_up
from chassis.wakeup import Wakeup
from contracts.chain import time_text
from contracts.message import Message
from reporting.record import event_store, visibility
from reporting.record.event_store import Stored
from work_orders.commit import WorkOrderNotFound
from work_orders.sealing import Opening

PROOF_FORMAT = "linework-timeline-proof-v1"


async def timeline(
    db: Database,
    order_id: str,
    *,
    areas: tuple[str, ...] | None,
    at_least: int | None,
    wakeup: Wakeup,
    seconds: float,
) -> list[Stored]:
    """Every message of an order, oldest first, once version `at_least` is among them.

    A caller limited to some work areas gets the events in `scope`: repair staff who rejected an order still see
    the rejection, but not what followed. Raises `WorkOrderNotFound` or `NotCaughtUp`.
    """

    async def read() -> list[Stored]:
        async with db.statements() as statements:
            found = await event_store.timeline(statements, order_id)
            return await visibility.timeline_shown(statements, found, areas)

    def has_come(found: Sequence[Stored]) -> bool:
        return at_least is None or any((one.message.order_version or 0) >= at_least for one in found)

    found = await caught_up(read, has_come, wakeup=wakeup, seconds=seconds, key=order_id)
    if not any(one.message.order_version for one in found):
        raise WorkOrderNotFound(order_id=order_id)
    if not has_come(found):
        raise NotCaughtUp(subject=order_id, expected=at_least)
    return found


async def recorded_until(
    db: Database, order_id: str, moment: datetime, *, areas: tuple[str, ...] | None
) -> list[Message]:
    """The events of an order that were recorded by a moment, oldest first, up to the first that was not; of those
    what a caller of these areas sees."""
    async with db.statements() as statements:
        found = await event_store.timeline(statements, order_id)
    events = (one.message for one in found if one.message.order_version is not None)
    return visibility.events_shown(list(takewhile(lambda message: message.recorded_at <= moment, events)), areas)


async def timeline_json(order_id: str, found: Sequence[Stored], opening: Opening, *, waits: bool) -> bytes:
    """Who did what when; `data` as JSON, to be read by people: with its sealed texts opened."""
    opened = await opening.texts([(order_id, one.message.data.decode()) for one in found], waits=waits)
    entries = [
        {
            "id": one.message.id,
            "type": one.message.type,
            "service": one.message.service,
            "order_version": one.message.order_version,
            "occurred_at": time_text(one.message.occurred_at),
            "recorded_at": time_text(one.message.recorded_at),
            "actor": one.message.actor,
            "prev_hash": one.message.prev_hash,
            "hash": one.event_hash,
            "correlation_id": one.message.correlation_id,
            "causation_id": one.message.causation_id,
            "data": msgspec.Raw(data.encode()),
            "sealed_text": why,
        }
        for one, (data, why) in zip(found, opened, strict=True)
    ]
    return msgspec.json.encode({"order_id": order_id, "items": entries})


def proof_json(order_id: str, found: Sequence[Stored], *, exported_at: datetime) -> bytes:
    """The events with every attribute that the chain covers, and `data` as the very text that travelled."""
    events = [one for one in found if one.message.order_version is not None]
    proof = {
        "format": PROOF_FORMAT,
        "order_id": order_id,
        "exported_at": time_text(exported_at),
        "events": [_covered(one.message) for one in events],
        "final_hash": events[-1].event_hash,
    }
    return msgspec.json.format(msgspec.json.encode(proof), indent=2)


def _covered(message: Message) -> dict[str, Any]:
    """What `contracts.chain` hashes, in its order, with the data itself in place of its hash."""
    return {
        "prev_hash": message.prev_hash,
        "id": message.id,
        "type": message.type,
        "source": message.source,
        "subject": message.subject,
        "order_version": message.order_version,
        "time": time_text(message.occurred_at),
        "recorded_time": time_text(message.recorded_at),
        "actor": message.actor.sub,
        "actor_role": message.actor.role,
        "actor_name": message.actor.name,
        "data": message.data.decode(),
    }


async def record_page(db: Database, *, after: int, topic: str | None, limit: int) -> bytes:
    """The record behind a place; `next_after` is where the next page begins, also when this one is empty."""
    async with db.statements() as statements:
        found = await event_store.messages_after(statements, after, topic=topic, limit=limit)
    items = [
        {
            "place": one.place,
            "hash": one.event_hash,
            "correlation_id": one.message.correlation_id,
            "causation_id": one.message.causation_id,
            "traceparent": one.message.traceparent,
            "entity_version": one.message.entity_version,
            **_covered(one.message),
        }
        for one in found
    ]
    if found:
        follow_by("after", str(found[-1].place))
    return msgspec.json.encode({"items": items, "next_after": found[-1].place if found else after})
