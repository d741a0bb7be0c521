"""The row that a service keeps of an order.

`body` is the whole order as JSON, the state folded from its events, ready to be sent to a client. The
other columns repeat what lists filter and sort by and what the guard needs:

- `version`: the version of the state in this row.
- `stream_version`: the version up to which this service has read the order's stream. It is behind
  `version` while the service's own event is on its way through Kafka.
- `last_hash`: the hash of the event that made `version`; the next event carries it.
- `urgency`: where it stands among others, the lowest first (`rank_of`); with `due_at` it makes the order of every list.
- `facets`: what else lists filter by, and `created_at`; both of the version in `faceted_version`.
- `next_due_at`: when the earliest limit of a running clock is over, or was; null while none runs. `rules_version` is
  the newest set of limits that was known then (`work_orders.rows_by_limits`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from chassis.database import columns_of
from contracts.events import Urgency
from contracts.order import WorkOrder
from work_orders.facets import facets_json
from work_orders.sla_clocks import RuleSets, next_due_at
from work_orders.tables import WORK_ORDERS

_ORDER = msgspec.json.Decoder(WorkOrder)


def to_json(order: WorkOrder) -> bytes:
    return msgspec.json.encode(order)


def to_order(body: str | bytes) -> WorkOrder:
    return _ORDER.decode(body)


@dataclass(slots=True)
class StoredOrder:
    """An order as this service has it, and how far it has read the order's stream."""

    order: WorkOrder
    stream_version: int
    last_hash: str

    @property
    def has_read_own_events(self) -> bool:
        return self.stream_version >= self.order.version


COLUMNS = columns_of(WORK_ORDERS.c)
BODY = list(WORK_ORDERS.c.keys()).index("body")
"""Its place among the columns."""


def due_at(order: WorkOrder) -> datetime:
    """When the subscriber waits for it: the start of the appointment, or since creation."""
    return order.appointment.start if order.appointment else order.created.at


_LEVELS = {Urgency.NORMAL: 0, Urgency.URGENT: 1, Urgency.EMERGENCY: 2}
RANKS = range(-4, 2)
"""Of every order; 0 and 1 are the normal ones, as they were before orders had an urgency."""


def rank_of(order: WorkOrder) -> int:
    """The more urgent first, and of these the urged ones."""
    return (0 if order.urges else 1) - 2 * _LEVELS[order.urgency]


def values_of(stored: StoredOrder, sets: RuleSets) -> tuple[Any, ...]:
    """The values of `COLUMNS`, by the sets of limits that are known."""
    order = stored.order
    return (
        order.id,
        order.version,
        stored.stream_version,
        order.status.value,
        order.custodian.value if order.custodian else None,
        order.work_area_id,
        order.order_no,
        order.external_reference,
        order.subscriber_no,
        order.device_type,
        order.demand_type,
        rank_of(order),
        due_at(order),
        order.changed.at,
        stored.last_hash,
        to_json(order).decode(),
        next_due_at(order, sets),
        sets.newest.version,
        facets_json(order),
        order.created.at,
        order.version,
    )


def stored_order_of(row: Any) -> StoredOrder:
    return StoredOrder(to_order(row["body"]), row["stream_version"], row["last_hash"])
