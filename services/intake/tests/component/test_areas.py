"""What a token with work areas is shown of calls, cases, links and references: what belongs to these areas, no more."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from services.intake.tests.component.test_desk import logged
from services.intake.tests.service import Intake, make_order

from contracts import events as e
from contracts.lifecycle import Service

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
RECORD = {"content": "催问"}


async def dispatched(intake: Intake, area: str, **order: Any) -> str:
    """The id of an order of an area."""
    made = await intake.order(**order)
    await intake.deliver_own(made["id"])
    await moved(intake, made["id"], area)
    return made["id"]


async def moved(intake: Intake, order_id: str, area: str) -> None:
    event = e.WorkOrderDispatched(work_area_id=area, staff_ids=(f"{area}-1",))
    await intake.happens(order_id, Service.DISPATCH, event)


async def sent_on(intake: Intake, order_id: str, area: str) -> None:
    """The order is rejected where it is and given to another area."""
    rejected = e.WorkOrderRejected(reason=e.RejectionReason.OUTSIDE_AREA, explanation="x")
    await intake.happens(order_id, Service.FIELDWORK, rejected)
    await intake.happens(order_id, Service.DISPATCH, e.WorkOrderRedispatchRequested())
    await moved(intake, order_id, area)


async def settle(intake: Intake, call_id: str, **how: Any) -> dict[str, Any]:
    answer = await intake.post(f"/calls/{call_id}/settlements", how)
    assert answer.status_code == 201, answer.text
    return answer.json()


@dataclass
class Led:
    """A call of agent-1 that led to an order, a difficult case, a referral and was answered by an article."""

    call_id: str
    order_id: str
    case_id: str
    referral_id: str
    article_id: str


async def led_to(intake: Intake, area: str) -> Led:
    order_id = await dispatched(intake, area)
    call_id = (await logged(intake))["id"]
    article = (await intake.post("/articles", {"title": "标题", "body": "x"}, "supervisor")).json()
    await settle(intake, call_id, outcome="open_order", order_id=order_id, reason="again")
    case = await settle(intake, call_id, outcome="difficult_case", content="x", contact="王", reply_by=TOMORROW)
    referral = await settle(intake, call_id, outcome="department", department="财务", question="x")
    await settle(intake, call_id, outcome="answered", article_id=article["id"])
    return Led(call_id, order_id, case["case_id"], referral["referral_id"], article["id"])


def lists(led: Led) -> dict[str, str]:
    """By path of a list: the id that is in it for somebody who may see the call."""
    return {
        "/calls": led.call_id,
        "/calls?agent_id=agent-1": led.call_id,
        "/cases": led.case_id,
        "/cases?promised_by=agent-1": led.case_id,
        "/referrals": led.referral_id,
        f"/articles/{led.article_id}/calls": led.call_id,
    }


async def ids_in(intake: Intake, path: str, role: str, areas: list[str] | None) -> list[str]:
    page = (await intake.get(path, role, areas)).json()
    assert page["next_cursor"] is None
    return [row["call_id"] if path.startswith("/articles") else row["id"] for row in page["items"]]


@pytest.mark.parametrize("role", ["supervisor", "auditor"])
async def test_lists_within_areas_have_what_led_to_their_orders(intake: Intake, role: str) -> None:
    led = await led_to(intake, "north")
    for path, wanted in lists(led).items():
        for areas, found in ((None, [wanted]), (["north"], [wanted]), (["south", "north"], [wanted]), (["south"], [])):
            assert await ids_in(intake, path, role, areas) == found, (path, areas)
        assert await ids_in(intake, path, role, []) == [], path


async def test_a_call_goes_with_its_order_to_another_area(intake: Intake) -> None:
    led = await led_to(intake, "north")
    await sent_on(intake, led.order_id, "south")
    for path, wanted in lists(led).items():
        seen = [await ids_in(intake, path, "supervisor", [area]) for area in ("north", "south")]
        assert seen == [[], [wanted]], path
    assert (await intake.get(f"/calls/{led.call_id}", "supervisor", ["north"])).status_code == 404


async def test_an_agent_has_their_own_calls_whatever_they_led_to(intake: Intake) -> None:
    led = await led_to(intake, "north")
    for path, wanted in lists(led).items():
        assert await ids_in(intake, path, "agent", ["south"]) == [wanted], path
    whole = (await intake.get(f"/calls/{led.call_id}", "agent", ["south"])).json()
    assert whole["settlements"][0] | {"outcome": "work_order", "order_id": None} == whole["settlements"][0]
    assert led.order_id not in str(whole)


async def test_of_a_call_that_led_to_two_areas_each_sees_its_own_order(intake: Intake) -> None:
    led = await led_to(intake, "north")
    other = await dispatched(intake, "south")
    await settle(intake, led.call_id, outcome="open_order", order_id=other, reason="again")
    for area, own, foreign in (("north", led.order_id, other), ("south", other, led.order_id)):
        whole = (await intake.get(f"/calls/{led.call_id}", "supervisor", [area])).json()
        assert [one["order_id"] for one in whole["settlements"] if one["outcome"] == "work_order"] == [own]
        assert own in str(whole["facts"])
        assert foreign not in str(whole)
        assert await ids_in(intake, "/calls", "supervisor", [area]) == [led.call_id]


async def test_pages_of_calls_within_areas_have_every_call_once(intake: Intake) -> None:
    order_id, made = await dispatched(intake, "north"), set()
    for _ in range(3):
        call = await logged(intake, phone=...)
        await settle(intake, call["id"], outcome="open_order", order_id=order_id, reason="again")
        made.add(call["id"])
    await logged(intake, phone=...)
    for role in ("agent", "supervisor"):
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            params = {"limit": 2, "direction": "inbound"} | ({"cursor": cursor} if cursor else {})
            page = (await intake.get("/calls", role, ["north"], params=params)).json()
            seen, cursor = seen + [row["id"] for row in page["items"]], page["next_cursor"]
        assert len(seen) == len(set(seen))
        assert made < set(seen) if role == "agent" else made == set(seen)


ACTS: dict[str, tuple[str, str, Any, str]] = {
    "record": ("PUT", "/calls/{call_id}/record", RECORD, "call_not_found"),
    "classify": ("POST", "/calls/{call_id}/classify", {"demand_type": "test"}, "call_not_found"),
    "settle": ("POST", "/calls/{call_id}/settlements", {"outcome": "answered"}, "call_not_found"),
    "pop": ("GET", "/calls/{call_id}/screen-pop", None, "call_not_found"),
    "read": ("GET", "/calls/{call_id}", None, "call_not_found"),
    "reply": ("POST", "/cases/{case_id}/reply", {"text": "x"}, "case_not_found"),
    "promise": ("POST", "/cases/{case_id}/promise", {"reply_by": TOMORROW}, "case_not_found"),
    "answer": ("POST", "/referrals/{referral_id}/answer", {"text": "x"}, "referral_not_found"),
}


@pytest.mark.parametrize("act", ACTS)
async def test_what_is_of_another_area_is_not_found_just_like_what_does_not_exist(intake: Intake, act: str) -> None:
    led = await led_to(intake, "north")
    method, path, body, code = ACTS[act]
    none = Led("none", "none", "none", "none", "none")

    async def asked(about: Led, area: str, **headers: str) -> Any:
        filled = "/v1" + path.format(**vars(about))
        sent = intake.as_("supervisor", [area], **headers)
        return await intake.client.request(method, filled, json=body, headers=sent)

    before = len(await intake.outbox())
    foreign, missing = await asked(led, "south"), await asked(none, "south")
    assert (foreign.status_code, foreign.json()["code"]) == (404, code)
    ids = (led.call_id, led.case_id, led.referral_id)
    assert without(foreign.json(), *ids) == without(missing.json(), "none")
    assert len(await intake.outbox()) == before
    assert (await asked(led, "north", **{"idempotency-key": "k"})).is_success
    # The first answer is remembered for who may see it at this moment.
    assert (await asked(led, "south", **{"idempotency-key": "k"})).json()["code"] == code
    await sent_on(intake, led.order_id, "south")
    assert (await asked(led, "north", **{"idempotency-key": "k"})).json()["code"] == code


def without(problem: dict[str, Any], *values: str) -> str:
    text = str({name: value for name, value in problem.items() if name not in ("instance", "trace_id")})
    for value in values:
        text = text.replace(value, "ID")
    return text


async def test_a_screen_pop_keeps_to_the_calls_and_cases_of_the_callers_areas(intake: Intake) -> None:
    await intake.subscriber("222", phones=["13800000043"])
    led = await led_to(intake, "north")
    for areas, calls, cases in ((["north"], [led.call_id], [led.case_id]), (["south"], [], [])):
        popped = (await intake.get("/screen-pop?phone=13800000043", "supervisor", areas)).json()
        assert [one["id"] for one in popped["last_calls"]] == calls
        assert [one["id"] for one in popped["open_cases"]] == cases
        assert [one["subscriber_no"] for one in popped["subscribers"]] == ["222"]


async def test_a_settlement_asked_for_again_does_not_tell_an_order_that_has_gone_elsewhere(intake: Intake) -> None:
    call_id = (await logged(intake))["id"]
    headers = intake.as_("agent", ["north"], **{"idempotency-key": "k"})
    path, body = f"/v1/calls/{call_id}/settlements", {"outcome": "work_order", "order": make_order()}

    async def asked() -> dict[str, Any]:
        return (await intake.client.post(path, json=body, headers=headers)).json()

    first = await asked()
    assert first["order_id"] is not None
    assert await asked() == first
    await intake.deliver_own(first["order_id"])
    await moved(intake, first["order_id"], "south")
    assert await asked() == first | {"order_id": None}
