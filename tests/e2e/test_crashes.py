"""A kill -9 at any moment loses and doubles nothing: processes die while orders live."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.e2e.city import Answered, City, Json

_ORDERS = 40
_VICTIMS = (
    "dispatch_worker",
    "fieldwork",
    "fieldwork_worker",
    "qa_worker",
    "dispatch",
    "intake_worker",
    "reporting_worker",
    "qa",
)


async def _insisting(attempt: Callable[[], Awaitable[Any]]) -> Any:
    """What a careful client does: the same command with the same key, until it is answered."""
    for _ in range(200):
        try:
            return await attempt()
        except (httpx.TransportError, Answered) as error:
            if isinstance(error, Answered) and error.status not in (404, 500, 502, 503):
                raise
        await asyncio.sleep(0.2)
    raise AssertionError("no answer for forty seconds")


async def _live(city: City, number: int) -> Json:
    """One whole life, each act repeated under one key until it is answered."""

    async def act(person: str, service: str, order: Json | None, path: str, **body: Any) -> Json:
        headers = {"idempotency-key": f"{city.mark}-{number}-{path}"}
        if order is not None:
            headers["if-match"] = f'"{order["version"]}"'
            path = f"/work-orders/{order['id']}/{path}"
        return await _insisting(lambda: getattr(city, person).post(service, path, body, **headers))

    order = await act(
        "agent",
        "intake",
        None,
        "/work-orders",
        subscriber_no=city.subscriber_no,
        device_type="digital",
        demand_type="test",
        content=f"第 {number} 单",
    )
    staff = [city.staff("north")]
    order = await act("dispatcher", "dispatch", order, "dispatch", work_area_id=city.area("north"), staff_ids=staff)
    order = await act("north", "fieldwork", order, "start")
    done = {"is_resolved": True, "is_petitioned": False, "is_called_back": False}
    order = await act("north", "fieldwork", order, "complete", staff_ids=staff, handling="已修复", **done)
    order = await act("auditor", "qa", order, "submit-for-audit")
    order = await act("auditor", "qa", order, "audit", verdict="passed", remark="好")
    return await act("auditor", "qa", order, "archive")


def _kill(state_folder: Path, victim: str) -> None:
    record = json.loads((state_folder / "run" / f"{victim}.json").read_text())
    os.kill(record["pid"], signal.SIGKILL)


async def test_processes_killed_while_orders_live_lose_and_double_nothing(
    city: City, installation: dict[str, str]
) -> None:
    if "state_folder" not in installation:
        pytest.skip("the installation runs elsewhere; its processes cannot be killed from here")
    living = [asyncio.create_task(_live(city, number)) for number in range(_ORDERS)]
    for victim in _VICTIMS:
        _kill(Path(installation["state_folder"]), victim)
        await asyncio.sleep(0.5)
    orders = await asyncio.gather(*living)
    for order in orders:
        assert (order["status"], order["version"]) == ("archived", 7)
        timeline = await _insisting(
            lambda order=order: city.supervisor.get("reporting", f"/work-orders/{order['id']}/timeline", at_least=7)
        )
        assert [event["order_version"] for event in timeline["items"]] == [1, 2, 3, 4, 5, 6, 7]
    created = await city.agent.list_of("intake", subscriber_no=city.subscriber_no)
    assert sorted(order["id"] for order in created) == sorted(order["id"] for order in orders)
