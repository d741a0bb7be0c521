"""What a client can rely on when it commands: versions, repeats, races, scope."""

import asyncio
import uuid

import pytest
from tests.e2e.city import Answered, City


async def test_an_act_needs_the_version_it_was_decided_on(city: City) -> None:
    order = await city.dispatched()
    with pytest.raises(Answered) as refused:
        await city.north.post("fieldwork", f"/work-orders/{order['id']}/start", {}, **{"accept-language": "zh-CN"})
    assert refused.value.status == 428
    assert refused.value.problem["code"] == "version_required"
    assert "If-Match" in refused.value.problem["detail"]
    assert refused.value.problem["title"] == "需要 If-Match"


async def test_an_act_on_an_old_version_is_refused_with_the_present_one(city: City) -> None:
    order = await city.dispatched()
    await city.processing(order)
    with pytest.raises(Answered) as refused:
        await city.north.act("fieldwork", order, "start")
    assert refused.value.status == 412
    assert refused.value.problem["present_version"] == 3


async def test_an_act_that_the_status_does_not_allow_names_what_is_allowed(city: City) -> None:
    order = await city.dispatched()
    with pytest.raises(Answered) as refused:
        await city.completed(order)
    assert refused.value.status == 409
    assert refused.value.problem["status"] == 409
    assert refused.value.problem["order_status"] == "dispatched"
    assert refused.value.problem["code"] == "act_not_allowed"
    assert set(refused.value.problem["allowed_acts"]) >= {"start", "reject"}


async def test_a_repeated_command_gets_the_first_answer_and_acts_once(city: City) -> None:
    order, key = await city.dispatched(), str(uuid.uuid4())
    headers = {"if-match": f'"{order["version"]}"', "idempotency-key": key}
    path = f"/work-orders/{order['id']}/start"
    first, *repeats = await asyncio.gather(
        *(city.north.ask("POST", "fieldwork", path, json={}, headers=headers) for _ in range(5))
    )
    assert [answer.content for answer in repeats] == [first.content] * 4
    assert first.json()["version"] == 3
    other = await city.north.ask(
        "POST", "fieldwork", path, json={"occurred_at": "2026-01-01T00:00:00Z"}, headers=headers
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_of_two_who_act_at_once_one_wins(city: City) -> None:
    order = await city.dispatched()
    await city.north.see("fieldwork", order)

    async def attempt(act: str, **body: str) -> int:
        answer = await city.north.ask(
            "POST",
            "fieldwork",
            f"/work-orders/{order['id']}/{act}",
            json=body,
            headers={"if-match": f'"{order["version"]}"'},
        )
        return answer.status_code

    rejection = {"reason": "other", "explanation": "不属于本区"}
    statuses = await asyncio.gather(
        *(attempt("start") for _ in range(4)), *(attempt("reject", **rejection) for _ in range(4))
    )
    assert sorted(statuses) == [200] + [412] * 7


async def test_another_work_area_neither_sees_nor_touches_an_order(city: City) -> None:
    order = await city.dispatched()
    await city.north.see("fieldwork", order)
    for attempt in (
        city.south.get("fieldwork", f"/work-orders/{order['id']}"),
        city.south.get("fieldwork", f"/work-orders/{order['id']}/form"),
        city.south.get("intake", f"/work-orders/{order['id']}"),
        city.south.get("intake", f"/work-orders/{order['id']}/history"),
        city.south.get("intake", f"/work-orders/{order['id']}/subscriber"),
        city.south.get("reporting", f"/work-orders/{order['id']}/timeline"),
        city.south.act("fieldwork", order, "start"),
        city.south.act("fieldwork", order, "reject", reason="other", explanation="x"),
    ):
        with pytest.raises(Answered) as refused:
            await attempt
        assert (refused.value.status, refused.value.problem["code"]) == (404, "work_order_not_found")
    assert await city.south.list_of("fieldwork") == []
    assert await city.south.list_of("intake", subscriber_no=city.subscriber_no) == []


async def test_who_completed_an_order_cannot_audit_it(city: City) -> None:
    both = await city.person("auditor", sub=city.staff("north"))
    order = await city.auditor.act("qa", await city.completed(), "submit-for-audit")
    with pytest.raises(Answered) as refused:
        await both.act("qa", order, "audit", verdict="passed", remark="自己的活")
    assert refused.value.status == 403
    assert (await city.auditor.act("qa", order, "audit", verdict="passed", remark="好"))["status"] == "completed"


async def test_a_work_area_that_rejected_an_order_does_not_get_it_again(city: City) -> None:
    order = await city.dispatched()
    order = await city.north.act("fieldwork", order, "reject", reason="outside_area", explanation="南区")
    order = await city.dispatcher.act("dispatch", order, "send-to-redispatch", is_misdispatch_valid=True, remark="属实")
    with pytest.raises(Answered) as refused:
        await city.dispatched(order)
    assert refused.value.problem["code"] == "work_area_rejected_before"
    decided = await city.supervisor.act(
        "dispatch",
        order,
        "dispatch",
        work_area_id=city.area("north"),
        staff_ids=[city.staff("north")],
        is_binding=True,
    )
    with pytest.raises(Answered) as refused:
        await city.north.act("fieldwork", decided, "reject", reason="outside_area", explanation="还是南区")
    assert refused.value.status == 409
