"""What orders need besides `chassis.recovery`: requests of before a restore, and entities that are emitted again.

A restored database reads again what it missed, and requests that were its service's to answer stand there too. It may
have answered them before; then the answer stands further on in the stream. So it answers none of them at first and
keeps each as *owed* (`requests_seen.owed`). What comes further on settles it; what nothing settles is answered in the
transaction that reaches the end (`Replica.settle_restore`).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from chassis.recovery.re_emit import OPERATOR
from contracts.codec import decode, headers_of, new_message
from contracts.lifecycle import Service
from contracts.message import Message
from contracts.requests import WorkOrderRequest
from work_orders.order_table import StoredOrder
from work_orders.request_handling import RequestState, answer, forward
from work_orders.sla_clocks import RuleSets


def note_owed(message: Message, stored: StoredOrder, seen: RequestState, *, service: Service, now: datetime) -> None:
    """Notes that the request is ours to answer, which this service may have done before its database was restored.

    What comes further on in the stream settles it; what nothing settles is answered by `owed_answer`.
    """
    request: WorkOrderRequest = message.body
    if request.hop - 1 > seen.settled_hop:
        seen.settled_hop, seen.is_changed = request.hop - 1, True
    if answer(message, stored, replace(seen), service=service, now=now) is not None:
        seen.owed, seen.is_changed = message, True


def owed_answer(
    seen: RequestState,
    stored: StoredOrder,
    *,
    service: Service,
    now: datetime,
    limits: RuleSets = RuleSets(),
) -> Message | None:
    """What is still to be sent about a request that is owed, once the whole stream has been read."""
    request, seen.owed, seen.is_changed = seen.owed, None, True
    if request is None or seen.is_answered or seen.settled_hop >= request.body.hop:
        return None
    # Where it stands the order was ours. Is it no more, then the hand-over stands behind it, and nobody else answers.
    given = answer(request, stored, seen, service=service, now=now, limits=limits)
    return given or forward(request, seen, service=service, now=now)


def kept_of(owed: Message | None) -> str | None:
    """The column `owed` of a request."""
    if owed is None:
        return None
    return msgspec.json.encode({"headers": headers_of(owed), "value": owed.data.decode()}).decode()


def owed_of(order_id: str, kept: str | None) -> Message | None:
    """The request from the column `owed`."""
    if kept is None:
        return None
    parts = msgspec.json.decode(kept)
    pairs = [(name, text.encode()) for name, text in parts["headers"].items()]
    return decode(order_id.encode(), parts["value"].encode(), pairs)


def re_emitted(entities: Iterable[tuple[str, Any, int]], *, service: Service, now: datetime) -> list[Message]:
    """The messages that define these entities again, each given as its key, the entity and its version."""
    return [
        new_message(
            entity,
            service=service,
            subject=subject,
            actor=OPERATOR,
            occurred_at=now,
            recorded_at=now,
            entity_version=version,
        )
        for subject, entity, version in entities
    ]
