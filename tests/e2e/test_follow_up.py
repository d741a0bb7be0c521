"""A follow-up, from the completed order to the work order that its finding leads to."""

import uuid

from tests.e2e.follow_ups import opened_project
from tests.installation import Installation, Json

from chassis.testing import eventually


async def _act(installation: Installation, path: str, thing: Json, **body: object) -> Json:
    headers = {"if-match": f'"{thing["version"]}"', "idempotency-key": str(uuid.uuid4())}
    return await installation.agent.post("qa", path, body, **headers)


async def test_a_dissatisfied_subscriber_gets_another_order(installation: Installation) -> None:
    project = await opened_project(installation, "north")
    order = await installation.completed()

    async def waiting() -> list[Json]:
        return (await installation.supervisor.get("qa", "/follow-ups", project_id=project))["items"]

    (planned,) = await eventually(waiting)
    assert planned["order_ids"] == [order["id"]]
    taken = await installation.agent.post("qa", f"/follow-up-projects/{project}/take", {})
    contact = await installation.agent.get("qa", f"/follow-ups/{taken['id']}/contact")
    assert (contact["name"], contact["phones"]) == ("王小明", [installation.phone])
    replies = [{"question": "content", "scale": 1}]
    done = await _act(
        installation,
        f"/follow-ups/{taken['id']}/complete",
        taken,
        subscriber_no=installation.subscriber_no,
        replies=replies,
    )
    assert (done["end"], done["satisfaction"]) == ("completed", 1)
    (finding,) = (await installation.agent.get("qa", "/findings", project_id=project))["items"]
    wanted = {"device_type": "digital", "demand_type": "test", "content": "回访不满意"}
    closed = await _act(installation, f"/findings/{finding['id']}/open-order", finding, **wanted)
    opened = await installation.agent.get("intake", f"/work-orders/{closed['order_id']}")
    assert (opened["subscriber_no"], opened["content"]) == (installation.subscriber_no, "回访不满意")
    summary = await installation.supervisor.get("qa", f"/follow-up-projects/{project}/summary")
    assert (summary["completed_count"], summary["order_count"], summary["satisfaction_sum"]) == (1, 1, 1)
