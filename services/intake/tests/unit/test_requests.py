"""What carries a request to the custodian of an order."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.events import SlaClock
from contracts.requests import WorkOrderCancelRequested, WorkOrderExtensionRequested, WorkOrderUrgeRequested
from intake.orders.domain.requests import CustodianRequest


@pytest.mark.parametrize(
    ("kind", "more", "event"),
    [
        ("cancel", {}, WorkOrderCancelRequested(request_id="request-1", reason="sealed")),
        ("urge", {}, WorkOrderUrgeRequested(request_id="request-1", reason="sealed")),
        (
            "extend",
            {"clock": SlaClock.ARRIVE, "minutes": 30},
            WorkOrderExtensionRequested(request_id="request-1", reason="sealed", clock=SlaClock.ARRIVE, minutes=30),
        ),
    ],
)
def test_a_request_is_carried_by_the_event_of_its_kind(kind: str, more: dict[str, Any], event: object) -> None:
    asked_at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    request = CustodianRequest("request-1", "order-1", kind, "sealed", "pending", "agent-1", asked_at)
    assert request.event(more) == event
