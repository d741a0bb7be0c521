"""A token that names areas learns nothing of orders elsewhere, also where one thing of quality is about several."""

from typing import Any

import httpx
from services.qa.tests.centre import Call, Person, agent, auditor, supervisor
from services.qa.tests.component.test_follow_up import HAPPY, Intake, _project, completed, same_outage

from chassis.testing import FixedClock
from contracts import calls as c
from work_orders.testing import BEGIN, ServiceUnderTest

SECRET = "south-secret"
NORTH = ["north"]


async def text_of(person: Person, method: str, path: str, body: Any = None, **more: Any) -> str:
    answer = await person.ask(method, path, body, **more)
    assert answer.is_success, answer.text
    return answer.text


async def _of_an_outage(qa: ServiceUnderTest, clock: FixedClock) -> None:
    """One follow-up for an order of the north and one of the south, that of the south first."""
    await _project(qa)
    for order_id, area in (("o-1", "north"), (SECRET, "south")):
        await qa.receive(*completed(order_id, area=area).messages, same_outage(order_id))
    clock.advance(hours=1)


async def test_a_follow_up_of_an_outage_names_orders_of_the_callers_areas_only(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    await _of_an_outage(qa, clock)
    north, everywhere = Person(qa, "supervisor", areas=NORTH), supervisor(qa)
    (one,) = (await everywhere.get("/follow-ups"))["items"]
    assert sorted(one["order_ids"]) == ["o-1", SECRET]
    path = f"/follow-ups/{one['id']}"
    assert (await north.get(path))["order_ids"] == ["o-1"]
    assert (await north.get("/follow-ups", order_id=SECRET))["items"] == []
    shown = [
        await text_of(north, "GET", "/follow-ups"),
        await text_of(north, "GET", "/follow-ups", order_id="o-1"),
        await text_of(north, "POST", "/follow-up-projects/p-1/take", {}, key="take"),
        await text_of(north, "POST", "/follow-up-projects/p-1/take", {}, key="take"),
        await text_of(north, "POST", f"{path}/release", version=3, key="release"),
        await text_of(north, "POST", f"{path}/release", version=3, key="release"),
        await text_of(north, "POST", "/follow-up-projects/p-1/take"),
    ]
    replies = {"subscriber_no": "111", "replies": [{"question": "content", "scale": 1}, HAPPY[1]]}
    shown.append(await text_of(north, "POST", f"{path}/complete", replies, version=5, key="complete"))
    shown.append(await text_of(north, "GET", "/findings"))
    finding = (await north.get("/findings"))["items"][0]
    assert finding["order_ids"] == ["o-1"]
    shown.append(await text_of(north, "POST", f"/findings/{finding['id']}/close", {"remark": "ok"}, version=1))
    assert [text for text in shown if SECRET in text] == []
    assert SECRET in (await everywhere.ask("GET", "/findings")).text


async def test_the_order_that_was_opened_for_a_finding_is_not_named_once_it_is_elsewhere(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    await _of_an_outage(qa, clock)
    replies = [{"question": "content", "scale": 1}, HAPPY[1]]
    taken = await agent(qa).post("/follow-up-projects/p-1/take")
    body = {"subscriber_no": "111", "replies": replies}
    await agent(qa).post(f"/follow-ups/{taken['id']}/complete", body, version=3)
    finding = (await supervisor(qa).get("/findings"))["items"][0]
    Intake(qa, (201, {"id": SECRET}))
    wanted = {"device_type": "digital", "demand_type": "complaint", "content": "x"}
    await supervisor(qa).post(f"/findings/{finding['id']}/open-order", wanted, version=1)
    (shown,) = (await Person(qa, "supervisor", areas=NORTH).get("/findings"))["items"]
    assert (shown["state"], shown["order_id"]) == ("closed", None)
    assert (await supervisor(qa).get("/findings"))["items"][0]["order_id"] == SECRET


async def _recorded(qa: ServiceUnderTest) -> None:
    """One call that led to an order of the north and one of the south, and one that led to the south only."""
    for order_id, area in (("o-1", "north"), (SECRET, "south")):
        await qa.receive(*completed(order_id, area=area).messages)
    for number, order_ids in ((1, ("o-1", SECRET)), (2, (SECRET,))):
        call = Call(f"call-{number}")
        await qa.receive(
            call.says(c.CallAnswered, wait_milliseconds=1),
            call.says(c.RecordingAvailable, recording_id=f"rec-{number}", length_milliseconds=9, started_at=BEGIN),
            *(call.says(c.CallSettled, outcome=c.CallOutcome.WORK_ORDER, order_id=one) for one in order_ids),
        )


async def test_a_recording_names_orders_of_the_callers_areas_only(qa: ServiceUnderTest) -> None:
    await _recorded(qa)
    north = Person(qa, "auditor", areas=NORTH)
    assert (await auditor(qa).get("/recordings/rec-1"))["order_ids"] == ["o-1", SECRET]
    assert (await north.get("/recordings/rec-1"))["order_ids"] == ["o-1"]
    (one,) = (await north.get("/recordings"))["items"]
    assert (one["id"], one["order_ids"]) == ("rec-1", ["o-1"])


async def test_typical_cases_keep_to_the_recordings_of_the_callers_areas(qa: ServiceUnderTest) -> None:
    await _recorded(qa)
    for recording_id in ("rec-1", "rec-2"):
        case = {"recording_id": recording_id, "kind": "exemplary", "title": f"of {recording_id}", "lesson": "x"}
        await supervisor(qa).post("/typical-cases", case)
    shown = (await Person(qa, "agent", areas=NORTH).get("/typical-cases"))["items"]
    assert [one["recording_id"] for one in shown] == ["rec-1"]
    assert len((await agent(qa).get("/typical-cases"))["items"]) == 2


async def again(qa: ServiceUnderTest, path: str, body: Any, *, key: str, **token: Any) -> tuple[int, str]:
    answer: httpx.Response = await Person(qa, **token).ask("POST", path, body, version=1, key=key)
    return answer.status_code, answer.json().get("code", "given again")


async def test_a_remembered_answer_of_quality_is_not_given_to_other_areas_or_another_role(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    await _recorded(qa)
    path, body = "/recordings/rec-2/open", {"purpose": "complaint"}
    first = {"role": "supervisor", "sub": "s-1"}
    assert await again(qa, path, body, key="k", **first) == (201, "given again")
    assert await again(qa, path, body, key="k", **first) == (201, "given again")
    assert await again(qa, path, body, key="k", **first, areas=NORTH) == (404, "recording_not_found")
    assert await again(qa, path, body, key="k", **first, areas=["south"]) == (422, "idempotency_key_reused")
    assert await again(qa, path, body, key="k", role="auditor", sub="s-1") == (422, "idempotency_key_reused")
    assert await again(qa, path, body, key="k", role="agent", sub="s-1") == (404, "recording_not_found")
    assert await again(qa, path, body, key="k", role="technician", sub="s-1") == (403, "role_not_allowed")
    assert len((await supervisor(qa).get("/recordings/rec-2/openings"))["items"]) == 1


async def test_a_remembered_answer_is_not_given_again_once_the_order_has_left_the_area(qa: ServiceUnderTest) -> None:
    await _recorded(qa)
    path, body = "/recordings/rec-2/open", {"purpose": "complaint"}
    south = {"role": "auditor", "areas": ["south"]}
    assert await again(qa, path, body, key="k", **south) == (201, "given again")
    await qa.rows("update work_orders set work_area_id = 'north' where id = $1", SECRET)
    assert await again(qa, path, body, key="k", **south) == (404, "recording_not_found")
