"""A client that knows only the gateway's address: versions, pages and refusals are right through it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.operators.behind_nginx import NGINX, BehindNginx

pytestmark = pytest.mark.skipif(NGINX is None, reason="there is no nginx: apt-get install nginx-light")


@pytest.fixture
async def behind(databases: Any, kafka_server: Any, topic_prefix: str, tmp_path: Path) -> AsyncIterator[BehindNginx]:
    async with (
        BehindNginx(databases, kafka_server.bootstrap_servers, topic_prefix) as installation,
        installation.served(tmp_path),
    ):
        yield installation


async def test_an_order_is_created_read_dispatched_and_listed_through_a_gateway_that_compresses(
    behind: BehindNginx,
) -> None:
    async with behind.started("intake", "dispatch"):
        order = await behind.create()
        path = f"/work-orders/{order['id']}"
        read = await behind.agent.ask("GET", "intake", path)
        tag = read.headers["etag"]
        assert (read.headers["content-encoding"], tag) == ("gzip", 'W/"1"'), "the gateway changed the tag"
        known = await behind.agent.ask("GET", "intake", path, headers={"if-none-match": tag})
        assert (known.status_code, known.content) == (304, b"")

        body = {"work_area_id": behind.area("north"), "staff_ids": [behind.staff("north")]}

        async def dispatch(**headers: str) -> Any:
            given = {"if-match": tag} | {name.replace("_", "-"): value for name, value in headers.items()}
            return await behind.dispatcher.ask("POST", "dispatch", f"{path}/dispatch", json=body, headers=given)

        act = await dispatch(idempotency_key='"once"')
        assert (act.status_code, act.json()["version"], act.headers["etag"]) == (200, 2, 'W/"2"')
        again = await dispatch(idempotency_key="once")
        assert (again.status_code, again.content) == (200, act.content)
        stale = await dispatch()
        assert (stale.status_code, stale.json()["present_version"]) == (412, 2)


async def test_a_list_is_read_to_its_end_by_links_that_lead_through_the_gateway(behind: BehindNginx) -> None:
    for _ in range(3):
        await behind.create()
    found, address = [], "/intake/v1/work-orders?limit=1"
    headers = {"authorization": f"Bearer {behind.agent.token}"}
    while address:
        page = await behind.client.get(f"{behind.gateway}{address}", headers=headers)
        assert page.status_code == 200, page.text
        found += [item["id"] for item in page.json()["items"]]
        address = page.links["next"]["url"] if "next" in page.links else ""
    assert len(set(found)) == len(found) == 3


async def test_a_refusal_leads_to_its_page_through_the_gateway_and_to_its_request(behind: BehindNginx) -> None:
    refused = await behind.agent.ask("GET", "intake", "/work-orders?status=lost", headers={"x-request-id": "gw-1"})
    problem = refused.json()
    assert (refused.status_code, refused.headers["x-request-id"]) == (422, "gw-1")
    assert problem["instance"] == "/intake/v1/work-orders#gw-1"
    page = await behind.client.get(f"{behind.gateway}{problem['type']}")
    assert (page.status_code, f'id="{problem["code"]}"' in page.text) == (200, True)
    assert (await behind.client.get(f"{behind.gateway}/intake/metrics")).status_code == 404
