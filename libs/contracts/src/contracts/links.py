"""Links between two orders, or an order and an outage: notices on the order's stream, which do not change it.

A link destroys nothing and can be undone; the latest message about a `link_id` counts.
"""

from dataclasses import dataclass
from enum import StrEnum


class LinkKind(StrEnum):
    DUPLICATE = "duplicate"
    SAME_OUTAGE = "same_outage"
    FOLLOW_UP = "follow_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderLinked:
    """The subject is the order that was linked to another order or to an outage."""

    link_id: str
    kind: LinkKind
    other_order_id: str | None = None
    outage_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderUnlinked:
    link_id: str
