"""What the desk does not let pass: types that nobody has, times and ties that cannot be, what somebody else changed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from services.intake.tests.service import Intake

from chassis.testing import FixedClock
from contracts import calls as c
from contracts.links import WorkOrderLinked
from intake.calls.reminders import look

from .switch import reminders_on

NOW = datetime.now(UTC)


async def logged(intake: Intake, **overrides: Any) -> Any:
    times = {"started_at": "2026-03-01T08:00:00Z", "ended_at": "2026-03-01T08:05:00Z"}
    return await intake.post("/calls", {**times, "subscriber_no": "111", **overrides})


async def a_call(intake: Intake) -> str:
    return (await logged(intake)).json()["id"]


def make_order(**overrides: Any) -> dict[str, Any]:
    return {"subscriber_no": "111", "device_type": "digital", "demand_type": "test", "content": "没有图像", **overrides}


def refused(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("code")


async def outage(intake: Intake, **overrides: Any) -> Any:
    body = {"territories": ["chengdong"], "cause": "变电站", "began_at": "2026-03-01T08:00:00Z", **overrides}
    return await intake.post("/outages", body, "supervisor")


async def test_a_demand_type_that_is_not_on_the_list_is_refused_wherever_one_is_said(intake: Intake) -> None:
    unknown = (422, "demand_type_unknown")
    call_id = await a_call(intake)
    assert refused(await logged(intake, demand_type="nosuch")) == unknown
    assert refused(await intake.post(f"/calls/{call_id}/classify", {"demand_type": "nosuch"})) == unknown
    article = {"title": "机顶盒", "body": "重启", "demand_type": "nosuch"}
    assert refused(await intake.post("/articles", article, "supervisor")) == unknown
    assert (await logged(intake, demand_type="test")).status_code == 201


async def test_an_order_of_a_call_is_of_the_time_at_which_it_was_asked_for(intake: Intake) -> None:
    how = {"outcome": "work_order", "order": make_order(occurred_at="2026-03-01T08:05:00Z")}
    settled = (await intake.post(f"/calls/{await a_call(intake)}/settlements", how)).json()
    order = (await intake.get(f"/work-orders/{settled['order_id']}")).json()
    assert (order["created"]["at"], order["order_no"][:8]) == ("2026-03-01T08:05:00Z", "20260301")


async def test_the_order_of_a_caller_inside_an_outage_links_to_it(intake: Intake) -> None:
    outage_id = (await outage(intake)).json()["id"]
    path = f"/calls/{await a_call(intake)}/settlements"
    how = {"outcome": "work_order", "order": make_order()}
    assert refused(await intake.post(path, how | {"outage_id": "nosuch"})) == (404, "outage_not_found")
    assert await intake.count("work_orders") == 0
    order_id = (await intake.post(path, how | {"outage_id": outage_id})).json()["order_id"]
    (link,) = (await intake.get(f"/work-orders/{order_id}/links")).json()["items"]
    assert (link["kind"], link["outage_id"], link["reason"]) == ("same_outage", outage_id, "变电站")
    own = [one.body for one in await intake.outbox() if one.subject == order_id]
    assert isinstance(own[-1], WorkOrderLinked)
    assert (await intake.post(f"/links/{link['id']}/undo", None)).status_code == 200


async def test_nobody_is_told_that_a_subscriber_who_does_not_exist_has_no_orders_yet(intake: Intake) -> None:
    asked = {"subscriber_no": "nosuch", "demand_type": "test"}
    assert refused(await intake.post("/duplicate-checks", asked)) == (404, "subscriber_not_found")


async def test_an_address_is_the_same_however_it_is_spaced(intake: Intake) -> None:
    await intake.subscriber("222", address="漕溪路 251 号")
    await intake.subscriber("333", address="漕溪路２５１号")
    order = await intake.order(subscriber_no="222")
    asked = {"subscriber_no": "333", "demand_type": "test"}
    (candidate,) = (await intake.post("/duplicate-checks", asked)).json()["items"]
    assert (candidate["order_id"], "same_address" in candidate["reasons"]) == (order["id"], True)


async def test_of_a_flood_of_orders_the_latest_are_candidates(intake: Intake) -> None:
    for _ in range(7):
        await asyncio.gather(*(intake.order() for _ in range(30)))
    last = await intake.order()
    asked = {"subscriber_no": "111", "demand_type": "test"}
    found = (await intake.post("/duplicate-checks", asked)).json()["items"]
    assert last["id"] in {one["order_id"] for one in found}


async def test_service_is_not_back_before_it_was_lost(intake: Intake) -> None:
    inverted = (422, "outage_times_inverted")
    assert refused(await outage(intake, restore_by="2026-03-01T07:00:00Z")) == inverted
    path = f"/outages/{(await outage(intake)).json()['id']}/change"
    assert refused(await intake.post(path, {"restore_by": "2026-03-01T07:00:00Z"}, "supervisor")) == inverted
    assert (await intake.post(path, {"restore_by": "2026-03-01T09:00:00Z"}, "supervisor")).status_code == 200


async def test_an_outage_is_changed_on_the_version_that_was_read(intake: Intake) -> None:
    announced = await outage(intake)
    assert announced.headers["etag"] == '"1"'
    path, by = f"/outages/{announced.json()['id']}/change", "supervisor"
    later = {"restore_by": "2026-03-01T09:00:00Z"}
    assert (await intake.post(path, later, by, **{"If-Match": '"1"'})).headers["etag"] == '"2"'
    assert refused(await intake.post(path, {"is_over": True}, by, **{"If-Match": '"1"'})) == (412, "outage_changed")
    assert (await intake.get("/outages")).json()["items"][0]["ended_at"] is None


async def test_two_are_linked_once_from_either_side_and_again_when_the_link_was_undone(intake: Intake) -> None:
    one, other = (await intake.order())["id"], (await intake.order())["id"]
    outage_id = (await outage(intake)).json()["id"]

    async def link(order_id: str, **to: str) -> Any:
        return await intake.post(f"/work-orders/{order_id}/links", {"reason": "x", **to})

    first = (await link(one, kind="duplicate", other_order_id=other)).json()
    assert refused(await link(one, kind="duplicate", other_order_id=other)) == (409, "link_known")
    assert refused(await link(other, kind="duplicate", other_order_id=one)) == (409, "link_known")
    assert (await link(one, kind="follow_up", other_order_id=other)).status_code == 201
    assert (await intake.post(f"/links/{first['id']}/undo", {})).status_code == 200
    both = await asyncio.gather(
        link(one, kind="duplicate", other_order_id=other), link(other, kind="duplicate", other_order_id=one)
    )
    assert sorted(answer.status_code for answer in both) == [201, 409]
    assert (await link(one, kind="same_outage", outage_id=outage_id)).status_code == 201
    assert refused(await link(one, kind="same_outage", outage_id=outage_id)) == (409, "link_known")
    assert (await link(other, kind="same_outage", outage_id=outage_id)).status_code == 201


async def a_case(intake: Intake, **overrides: Any) -> str:
    reply_by = (NOW + timedelta(hours=1)).isoformat()
    case = {"outcome": "difficult_case", "content": "疑难", "contact": "13811112222", "reply_by": reply_by, **overrides}
    settled = await intake.post(f"/calls/{await a_call(intake)}/settlements", case)
    return settled.json()["case_id"]


async def test_a_promise_is_changed_and_kept_on_the_version_that_was_read(intake: Intake) -> None:
    path, stale = f"/cases/{await a_case(intake)}", {"If-Match": '"1"'}
    later = {"reply_by": (NOW + timedelta(hours=5)).isoformat()}
    assert (await intake.post(f"{path}/promise", later, **stale)).headers["etag"] == '"2"'
    assert refused(await intake.post(f"{path}/promise", later, **stale)) == (412, "case_changed")
    assert refused(await intake.post(f"{path}/reply", {"text": "好了"}, **stale)) == (412, "case_changed")
    assert (await intake.post(f"{path}/reply", {"text": "好了"}, **{"If-Match": '"2"'})).headers["etag"] == '"3"'


async def test_who_gave_the_promise_is_warned_and_finds_what_is_theirs_and_what_is_over(intake: Intake) -> None:
    case_id, other = await a_case(intake), await a_case(intake)
    agent = {"name": "组长", "team": "night"}
    headers = intake.as_("operator")
    assert (await intake.client.put("/v1/agents/supervisor-1", json=agent, headers=headers)).status_code == 200
    again = {"reply_by": (NOW + timedelta(minutes=30)).isoformat()}
    assert (await intake.post(f"/cases/{case_id}/promise", again, "supervisor")).status_code == 200

    async def listed(**query: str) -> list[str]:
        return [case["id"] for case in (await intake.get("/cases", params=query)).json()["items"]]

    assert (await listed(promised_by="supervisor-1"), await listed(promised_by="agent-1")) == ([case_id], [other])
    assert (await listed(is_overdue="true"), len(await listed(is_overdue="false"))) == ([], 2)
    for minutes in (0, 40):
        at = FixedClock(NOW + timedelta(minutes=minutes))
        await look(reminders_on(intake.db, at))
    told = {
        (type(one.body).__name__, one.body.agent_id, one.body.team)
        for one in await intake.outbox()
        if isinstance(one.body, c.ReplyWarned | c.ReplyOverdue) and one.body.case_id == case_id
    }
    assert told == {("ReplyWarned", "supervisor-1", "night"), ("ReplyOverdue", "supervisor-1", "night")}
    assert await listed(is_overdue="true") == [case_id]


async def test_how_to_reach_a_caller_and_their_name_are_for_who_may_call_them(intake: Intake) -> None:
    await a_case(intake)
    call_id = await a_call(intake)
    record = {"caller_name": "王小明", "content": "催问"}
    await intake.client.put(f"/v1/calls/{call_id}/record", json=record, headers=intake.as_("agent"))

    async def seen_by(role: str) -> tuple[str, str]:
        (case,) = (await intake.get("/cases", role)).json()["items"]
        return case["contact"], (await intake.get(f"/calls/{call_id}", role)).json()["record"]["caller_name"]

    assert [await seen_by(role) for role in ("agent", "supervisor", "auditor")] == [
        ("13811112222", "王小明"),
        ("13811112222", "王小明"),
        ("*********22", "王**"),
    ]


async def test_the_number_that_answered_an_outbound_call_is_the_subscribers(intake: Intake) -> None:
    async def seen_by(role: str, direction: str) -> str:
        call = await logged(intake, direction=direction, phone="13811112222", subscriber_no=None)
        call_id = call.json()["id"]
        path, record = f"/v1/calls/{call_id}/record", {"answered_by": "13811112222"}
        assert (await intake.client.put(path, json=record, headers=intake.as_("agent"))).is_success
        return (await intake.get(f"/calls/{call_id}", role)).json()["record"]["answered_by"]

    assert await seen_by("agent", "outbound") == "13811112222"
    assert await seen_by("auditor", "outbound") == "*********22"
    assert await seen_by("auditor", "inbound") == "13811112222"


async def test_the_cursor_of_one_list_does_not_begin_a_page_of_another(intake: Intake) -> None:
    for _ in range(2):
        await a_case(intake)
        how = {"outcome": "department", "department": "billing", "question": "?"}
        await intake.post(f"/calls/{await a_call(intake)}/settlements", how)
    for number in ("1", "2"):
        await intake.subscriber(number)
        headers = intake.as_("operator")
        assert (await intake.client.put(f"/v1/agents/{number}", json={"name": "x"}, headers=headers)).is_success
    lists = ("/calls", "/cases", "/referrals", "/subscribers", "/agents")
    cursors = {
        path: (await intake.get(path, "supervisor", params={"limit": 1})).json()["next_cursor"] for path in lists
    }
    for path in lists:
        for of, cursor in cursors.items():
            answer = await intake.get(path, "supervisor", params={"cursor": cursor})
            assert answer.status_code == (200 if of == path else 422), (path, of)


@pytest.mark.parametrize("is_repeat", [False, True], ids=["new order", "open order"])
async def test_what_a_call_was_about_is_told_for_the_whole_call_by_the_order_it_led_to(
    intake: Intake, is_repeat: bool
) -> None:
    order = await intake.order()
    call_id = (await logged(intake, subscriber_no=None)).json()["id"]
    repeat = {"outcome": "open_order", "order_id": order["id"], "reason": "又来电"}
    how = repeat if is_repeat else {"outcome": "work_order", "order": make_order()}
    for _ in range(2):
        assert (await intake.post(f"/calls/{call_id}/settlements", how)).status_code == 201
    told = [one.body for one in await intake.outbox() if isinstance(one.body, c.CallClassified)]
    subscriber_id = None if is_repeat else order["subscriber_id"]
    assert [(one.demand_type, one.subscriber_id) for one in told] == [("test", subscriber_id)]
    assert (await intake.get(f"/calls/{call_id}")).json()["subscriber_id"] == subscriber_id
