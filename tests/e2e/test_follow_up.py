"""A follow-up, from the completed order to the work order that its finding leads to."""

import uuid
from datetime import UTC, datetime, timedelta

from tests.e2e.city import City, Json

from chassis.testing import eventually

NAMES = {"en": "How content are you?", "zh": "您满意吗？"}
CONTENT = {"question": "content", "names": NAMES, "kind": "scale", "highest": 5, "is_satisfaction": True}


async def _project(city: City) -> str:
    """A follow-up project of this story's own work area."""
    name, now = f"after-{city.mark}", datetime.now(UTC)
    await city.supervisor.put("qa", f"/calendars/{name}", {"time_zone": "Asia/Shanghai"})
    questions = [CONTENT | {"opens": "dissatisfaction", "opens_up_to": 2}]
    await city.supervisor.post("qa", f"/questionnaires/{name}/versions", {"names": NAMES, "questions": questions})
    project = {
        "name": name,
        "start": (now - timedelta(days=1)).isoformat(),
        "end": (now + timedelta(days=30)).isoformat(),
        "cause": "completion",
        "questionnaire": f"{name}:1",
        "calendar": name,
        "calls_from": "00:00",
        "calls_until": "23:59:59.999999",
        "work_area_ids": [city.area("north")],
    }
    await city.supervisor.put("qa", f"/follow-up-projects/{name}", project)
    return name


async def _act(city: City, path: str, thing: Json, **body: object) -> Json:
    headers = {"if-match": f'"{thing["version"]}"', "idempotency-key": str(uuid.uuid4())}
    return await city.agent.post("qa", path, body, **headers)


async def test_a_dissatisfied_subscriber_gets_another_order(city: City) -> None:
    project = await _project(city)
    order = await city.completed()

    async def waiting() -> list[Json]:
        return (await city.supervisor.get("qa", "/follow-ups", project_id=project))["items"]

    (planned,) = await eventually(waiting)
    assert planned["order_ids"] == [order["id"]]
    taken = await city.agent.post("qa", f"/follow-up-projects/{project}/take", {})
    contact = await city.agent.get("qa", f"/follow-ups/{taken['id']}/contact")
    assert (contact["name"], contact["phones"]) == ("王小明", [city.phone])
    replies = [{"question": "content", "scale": 1}]
    done = await _act(
        city, f"/follow-ups/{taken['id']}/complete", taken, subscriber_no=city.subscriber_no, replies=replies
    )
    assert (done["end"], done["satisfaction"]) == ("completed", 1)
    (finding,) = (await city.agent.get("qa", "/findings", project_id=project))["items"]
    wanted = {"device_type": "digital", "demand_type": "test", "content": "回访不满意"}
    closed = await _act(city, f"/findings/{finding['id']}/open-order", finding, **wanted)
    opened = await city.agent.get("intake", f"/work-orders/{closed['order_id']}")
    assert (opened["subscriber_no"], opened["content"]) == (city.subscriber_no, "回访不满意")
    summary = await city.supervisor.get("qa", f"/follow-up-projects/{project}/summary")
    assert (summary["completed_count"], summary["order_count"], summary["satisfaction_sum"]) == (1, 1, 1)
