"""A kill -9 at any moment loses and doubles nothing: processes die while orders live."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from tests.installation import Installation, Json, Refused
from tests.running import Running

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
        except (httpx.TransportError, Refused) as error:
            if isinstance(error, Refused) and error.status not in (404, 500, 502, 503):
                raise
        await asyncio.sleep(0.2)
    raise AssertionError("no answer for forty seconds")


async def _live(installation: Installation, number: int) -> Json:
    """One whole life, each act repeated under one key until it is answered."""

    def key(act: str) -> dict[str, str]:
        return {"idempotency-key": f"{installation.mark}-{number}-{act}"}

    order = await _insisting(lambda: installation.create(content=f"第 {number} 单", headers=key("create")))
    for act in ("dispatch", "start", "complete", "submit-for-audit", "audit", "archive"):
        order = await _insisting(lambda order=order, act=act: installation.act(order, act, headers=key(act)))
    return order


async def test_processes_killed_while_orders_live_lose_and_double_nothing(
    here: Running, installation: Installation
) -> None:
    living = [asyncio.create_task(_live(installation, number)) for number in range(_ORDERS)]
    for victim in _VICTIMS:
        here.kill(victim)
        await asyncio.sleep(0.5)
    orders = await asyncio.gather(*living)
    for order in orders:
        assert (order["status"], order["version"]) == ("archived", 7)
        timeline = await _insisting(
            lambda order=order: installation.supervisor.get(
                "reporting", f"/work-orders/{order['id']}/timeline", at_least=7
            )
        )
        assert [event["order_version"] for event in timeline["items"]] == [1, 2, 3, 4, 5, 6, 7]
    created = await installation.agent.list_of("intake", subscriber_no=installation.subscriber_no)
    assert sorted(order["id"] for order in created) == sorted(order["id"] for order in orders)
