"""What carries a request to the custodian of an order."""

from typing import Any

import pytest

from contracts.events import SlaClock
from contracts.requests import (
    WorkOrderAmendRequested,
    WorkOrderCancelRequested,
    WorkOrderExtensionRequested,
    WorkOrderUrgeRequested,
)
from intake.orders.domain.requests import Ask


@pytest.mark.parametrize(
    ("kind", "more", "event"),
    [
        ("cancel", {}, WorkOrderCancelRequested(request_id="request-1", reason="sealed")),
        ("urge", {}, WorkOrderUrgeRequested(request_id="request-1", reason="sealed")),
        (
            "amend",
            {"seen_version": 2, "demand_type": "complaint"},
            WorkOrderAmendRequested(request_id="request-1", reason="sealed", seen_version=2, demand_type="complaint"),
        ),
        (
            "extend",
            {"clock": SlaClock.ARRIVE, "minutes": 30},
            WorkOrderExtensionRequested(request_id="request-1", reason="sealed", clock=SlaClock.ARRIVE, minutes=30),
        ),
    ],
)
def test_a_request_is_carried_by_the_event_of_its_kind(kind: str, more: dict[str, Any], event: object) -> None:
    assert Ask(kind, "sealed", more).event("request-1") == event
