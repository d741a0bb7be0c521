"""Recall, supervision and reopening are asked at intake, like a cancellation, and answered by the custodian."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from services.intake.tests.service import Intake

from contracts import requests as r

TOMORROW = (datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)).isoformat()


@pytest.mark.parametrize(
    ("path", "role", "more", "kind", "request_type"),
    [
        ("recall-requests", "dispatcher", {}, "recall", r.WorkOrderRecallRequested),
        ("supervision-requests", "supervisor", {"reply_by": TOMORROW}, "supervise", r.WorkOrderSupervisionRequested),
        ("reopen-requests", "agent", {}, "reopen", r.WorkOrderReopenRequested),
    ],
)
async def test_a_request_is_kept_as_pending_and_published(
    intake: Intake, path: str, role: str, more: dict[str, Any], kind: str, request_type: type
) -> None:
    order_id = (await intake.order())["id"]
    answer = await intake.post(f"/work-orders/{order_id}/{path}", {"reason": "用户来电", **more}, role)
    assert (answer.status_code, answer.json()["kind"], answer.json()["state"]) == (202, kind, "pending"), answer.text
    message = (await intake.outbox())[-1]
    assert (type(message.body), message.body.request_id) == (request_type, answer.json()["id"])
    assert (await intake.get(f"/requests/{answer.json()['id']}", role)).json()["kind"] == kind


@pytest.mark.parametrize(
    ("path", "role", "more", "status", "code"),
    [
        ("recall-requests", "agent", {}, 403, "role_not_allowed"),
        ("supervision-requests", "dispatcher", {"reply_by": TOMORROW}, 403, "role_not_allowed"),
        ("supervision-requests", "supervisor", {}, 422, "invalid_request"),
        ("supervision-requests", "supervisor", {"reply_by": "2026-01-01T00:00:00Z"}, 422, "reply_by_not_ahead"),
        ("supervision-requests", "supervisor", {"reply_by": "2026-01-01T00:00:00"}, 422, "invalid_request"),
        ("reopen-requests", "technician", {}, 403, "role_not_allowed"),
        ("reopen-requests", "agent", {"reason": ""}, 422, "invalid_request"),
    ],
)
async def test_a_wrong_request_is_refused_and_nothing_is_kept(
    intake: Intake, path: str, role: str, more: dict[str, Any], status: int, code: str
) -> None:
    order_id = (await intake.order())["id"]
    answer = await intake.post(f"/work-orders/{order_id}/{path}", {"reason": "x", **more}, role)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await intake.count("requests") == 0
