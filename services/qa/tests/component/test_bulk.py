"""Bulk acts over HTTP: each row its own command, answered row by row, repeated without harm."""

from typing import Any

import pytest

from contracts.lifecycle import Status
from work_orders import bulk
from work_orders.testing import ServiceUnderTest, Stream

IDS = [f"o-{number}" for number in range(4)]
ROWS = [{"order_id": order_id, "version": 4} for order_id in IDS]


@pytest.fixture
async def completed(qa: ServiceUnderTest) -> ServiceUnderTest:
    """Four completed orders."""
    for order_id in IDS:
        await qa.receive(*Stream(order_id).until(Status.COMPLETED).messages)
    return qa


async def _archive(
    qa: ServiceUnderTest, rows: Any, *, key: str | None = None, areas: list[str] | None = None, role: str = "auditor"
) -> Any:
    headers = qa.issuer.headers(role, areas) | ({"idempotency-key": key} if key else {})
    return await qa.client.post("/v1/bulk/archive", json={"rows": rows}, headers=headers)


async def test_each_row_is_answered_with_its_version_or_its_problem(completed: ServiceUnderTest) -> None:
    rows = [ROWS[0], {**ROWS[1], "version": 3}, {"order_id": "o-9", "version": 4}, ROWS[3]]
    answer = (await _archive(completed, rows)).json()
    assert (answer["done"], answer["refused"]) == (2, 2)
    assert [row["order_id"] for row in answer["rows"]] == ["o-0", "o-1", "o-9", "o-3"]
    assert [row["version"] for row in answer["rows"]] == [5, None, None, 5]
    problems = [row["problem"] and (row["problem"]["status"], row["problem"]["code"]) for row in answer["rows"]]
    assert problems == [None, (412, "stale_version"), (404, "work_order_not_found"), None]
    assert [message.subject for message in await completed.sent()] == ["o-0", "o-3"]


async def test_a_repeat_answers_the_same_and_carries_out_what_was_left(completed: ServiceUnderTest) -> None:
    half = (await _archive(completed, ROWS[:2], key="k-1")).json()
    whole = (await _archive(completed, ROWS, key="k-1")).json()
    assert whole["rows"][:2] == half["rows"]
    assert (whole["done"], whole["refused"]) == (4, 0)
    assert (await _archive(completed, ROWS, key="k-1")).json() == whole
    assert len(await completed.sent()) == 4


async def test_a_key_that_named_another_row_is_refused_for_that_row(completed: ServiceUnderTest) -> None:
    await _archive(completed, ROWS[:1], key="k-1")
    answer = (await _archive(completed, [{**ROWS[0], "version": 5}, ROWS[1]], key="k-1")).json()
    assert answer["rows"][0]["problem"]["code"] == "idempotency_key_reused"
    assert answer["rows"][1]["is_done"]


async def test_an_order_of_another_area_is_no_order(completed: ServiceUnderTest) -> None:
    answer = (await _archive(completed, ROWS, areas=["south"])).json()
    assert {row["problem"]["code"] for row in answer["rows"]} == {"work_order_not_found"}
    assert await completed.sent() == []


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "invalid_request"),
        ([{"order_id": f"o-{number}", "version": 4} for number in range(201)], "invalid_request"),
        ([{"order_id": f"o-{number}", "version": 4} for number in range(10_000)], "invalid_request"),
        ([ROWS[0], ROWS[1], ROWS[0]], "orders_repeated"),
        ([ROWS[0], {"order_id": "o-1"}], "invalid_request"),
        ([ROWS[0], {"order_id": "../x", "version": 1}], "invalid_request"),
    ],
)
async def test_a_bulk_act_that_cannot_be_touches_nothing(completed: ServiceUnderTest, rows: Any, code: str) -> None:
    answer = await _archive(completed, rows)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await completed.sent() == []


async def test_rows_for_which_no_time_is_left_are_told_to_come_again(
    completed: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_LONGEST_SECONDS", -1.0)
    answer = (await _archive(completed, ROWS, key="k-1")).json()
    assert {row["problem"]["code"] for row in answer["rows"]} == {"bulk_took_too_long"}
    monkeypatch.undo()
    assert (await _archive(completed, ROWS, key="k-1")).json()["done"] == 4


async def test_orders_are_submitted_for_audit_together(completed: ServiceUnderTest) -> None:
    headers = completed.issuer.headers("auditor")
    answer = await completed.client.post("/v1/bulk/submit-for-audit", json={"rows": ROWS}, headers=headers)
    assert answer.json()["done"] == 4
    assert (await completed.get("/work-orders/counts", "auditor")).json()["status"] == {"auditing": 4}


async def test_who_may_not_archive_one_may_not_archive_many(completed: ServiceUnderTest) -> None:
    answer = await _archive(completed, ROWS, role="agent")
    assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")
