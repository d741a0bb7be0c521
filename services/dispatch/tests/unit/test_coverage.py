"""Which work areas the form offers for an order."""

from typing import Any

import pytest

from contracts.directory import Names, WorkAreaDefined
from dispatch.domain.coverage import can_take


class Order:
    """What coverage looks at."""

    def __init__(self, territory: str | None) -> None:
        self.territory = territory
        self.demand_type = "fault"
        self.device_type = "digital"


ALL = ()


@pytest.mark.parametrize(
    ("territory", "restrictions", "is_offered"),
    [
        ("east", {}, True),
        (None, {}, True),
        ("east", {"is_open": False}, False),
        ("east", {"territories": ("east", "west")}, True),
        ("east", {"territories": ("west",)}, False),
        (None, {"territories": ("west",)}, True),
        ("east", {"demand_types": ("fault", "complaint")}, True),
        ("east", {"demand_types": ("complaint",)}, False),
        ("east", {"device_types": ("digital",)}, True),
        ("east", {"device_types": ("analogue",)}, False),
        ("east", {"territories": ("east",), "demand_types": ("fault",), "device_types": ("digital",)}, True),
        ("east", {"territories": ("east",), "demand_types": ("fault",), "device_types": ("analogue",)}, False),
        ("east", {"territories": ALL, "demand_types": ALL, "device_types": ALL}, True),
    ],
)
def test_an_area_is_offered_that_is_open_covers_the_place_and_takes_the_work(
    territory: str | None, restrictions: dict[str, Any], is_offered: bool
) -> None:
    area = WorkAreaDefined(work_area_id="a", names=Names(en="A", zh="甲"), **restrictions)
    assert can_take(area, Order(territory)) is is_offered
