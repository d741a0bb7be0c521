"""How much of an order's past is shown to a token that names work areas.

The area that has an order works from all of its past: why another area sent it back, what was done before, what an
audit found. An area that had it sees it up to the moment at which it was dispatched elsewhere, and nothing of what the
other area then does. What is shown is a beginning of the timeline, so its chain of hashes verifies like the whole.

An order that another one is linked to is named only to whom it is shown as well.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from chassis.database import Statements
from contracts.events import WorkOrderDispatched
from contracts.links import WorkOrderLinked, WorkOrderUnlinked
from contracts.message import Message
from reporting.record import event_store
from reporting.record.event_store import Stored

NEVER, FOR_EVER = 0, 2**62
Dispatches = Sequence[tuple[int, str]]
"""Where in a stream, counted from 1, an order was dispatched to which work area; in the stream's order."""


def shown_before(dispatches: Iterable[tuple[int, str]], areas: Collection[str]) -> int:
    """The place from which on an order is not shown to a caller of these areas."""
    before = NEVER
    for place, work_area_id in dispatches:
        if work_area_id in areas:
            before = FOR_EVER
        elif before == FOR_EVER:
            before = place
    return before


def events_shown(events: Sequence[Message], areas: tuple[str, ...] | None) -> list[Message]:
    """The first events of an order that a caller of these areas sees, of all that are given; None sees every area."""
    if areas is None:
        return list(events)
    dispatches = [
        (place, event.body.work_area_id)
        for place, event in enumerate(events, start=1)
        if isinstance(event.body, WorkOrderDispatched)
    ]
    return list(events[: max(0, shown_before(dispatches, areas) - 1)])


async def timeline_shown(
    statements: Statements, found: Sequence[Stored], areas: tuple[str, ...] | None
) -> list[Stored]:
    """What a caller of these areas sees of an order's messages."""
    if areas is None:
        return list(found)
    dispatches = [
        (one.place, one.message.body.work_area_id) for one in found if isinstance(one.message.body, WorkOrderDispatched)
    ]
    before = shown_before(dispatches, areas)
    shown = [one for one in found if one.place < before]
    hidden = await _links_to_hidden(statements, shown, areas)
    return [one for one in shown if _link_of(one.message) not in hidden]


async def _links_to_hidden(statements: Statements, shown: Sequence[Stored], areas: Collection[str]) -> set[str]:
    """The links to orders that are not shown to these areas."""
    links = [one.message.body for one in shown if isinstance(one.message.body, WorkOrderLinked)]
    others = {link.other_order_id for link in links if link.other_order_id is not None}
    hidden = others - await shown_among(statements, others, areas)
    return {link.link_id for link in links if link.other_order_id in hidden}


def _link_of(message: Message) -> str | None:
    return message.body.link_id if isinstance(message.body, WorkOrderLinked | WorkOrderUnlinked) else None


async def shown_among(statements: Statements, order_ids: Collection[str], areas: Collection[str]) -> set[str]:
    """Those of the orders of which a caller of these areas sees anything."""
    found = await ends_of(statements, order_ids, areas)
    return {order_id for order_id, before in found.items() if before != NEVER}


async def ends_of(statements: Statements, order_ids: Collection[str], areas: Collection[str]) -> Mapping[str, int]:
    """By order, the place in the record from which on it is not shown to these areas."""
    if not order_ids:
        return {}
    dispatches = await event_store.dispatches_of(statements, sorted(order_ids))
    return {order_id: shown_before(dispatches.get(order_id, ()), areas) for order_id in order_ids}
