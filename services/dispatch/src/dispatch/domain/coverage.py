"""Which work areas an order can be offered to. A dispatcher may know better: nothing is refused by it."""

from collections.abc import Iterable

from contracts.directory import WorkAreaDefined
from contracts.order import WorkOrder


def can_take(area: WorkAreaDefined, order: WorkOrder) -> bool:
    """Open, covering the place, and taking this demand and device.

    An empty list of an area means all; an order whose territory nobody knows can be anywhere.
    """
    return (
        area.is_open
        and (order.territory is None or _includes(area.territories, order.territory))
        and _includes(area.demand_types, order.demand_type)
        and _includes(area.device_types, order.device_type)
    )


def _includes(listed: Iterable[str], wanted: str) -> bool:
    return not listed or wanted in listed
