"""What lists filter and count orders by, beside the columns that each have an index: `work_orders.facets`.

One object of JSON, so that any filters together are one containment (`facets @> '{"zone": "rural"}'`), and counts of
all of them one pass.
"""

from typing import Any

import msgspec

from contracts.order import WorkOrder


def facets_of(order: WorkOrder) -> dict[str, Any]:
    last = order.completions[-1] if order.completions else None
    return {
        "channel": order.channel.value,
        "zone": order.zone.value,
        "urgency": order.urgency.value,
        "staff_id": list(order.assignment.staff_ids) if order.assignment else [],
        "has_appointment": order.appointment is not None,
        "is_urged": bool(order.urges),
        "is_suspended": order.suspension is not None,
        "is_unresolved": last is not None and not last.is_resolved,
        "is_petitioned": last is not None and last.is_petitioned,
    }


def facets_json(order: WorkOrder) -> str:
    return msgspec.json.encode(facets_of(order)).decode()
