"""What a client can rely on when it commands: versions, repeats, races, scope."""

import asyncio
import uuid

import pytest
from tests.installation import Installation, Refused


async def test_an_act_needs_the_version_it_was_decided_on(installation: Installation) -> None:
    order = await installation.dispatched()
    with pytest.raises(Refused) as refused:
        await installation.north.post(
            "fieldwork", f"/work-orders/{order['id']}/start", {}, **{"accept-language": "zh-CN"}
        )
    assert refused.value.status == 428
    assert refused.value.problem["code"] == "version_required"
    assert "If-Match" in refused.value.problem["detail"]
    assert refused.value.problem["title"] == "缺少 If-Match"


async def test_an_act_on_an_old_version_is_refused_with_the_present_one(installation: Installation) -> None:
    order = await installation.dispatched()
    await installation.processing(order)
    with pytest.raises(Refused) as refused:
        await installation.north.act("fieldwork", order, "start")
    assert refused.value.status == 412
    assert refused.value.problem["present_version"] == 3


async def test_an_act_that_the_status_does_not_allow_names_what_is_allowed(installation: Installation) -> None:
    order = await installation.dispatched()
    with pytest.raises(Refused) as refused:
        await installation.completed(order)
    assert refused.value.status == 409
    assert refused.value.problem["status"] == 409
    assert refused.value.problem["order_status"] == "dispatched"
    assert refused.value.problem["code"] == "act_not_allowed"
    assert set(refused.value.problem["allowed_acts"]) >= {"start", "reject"}


async def test_a_repeated_command_gets_the_first_answer_and_acts_once(installation: Installation) -> None:
    order, key = await installation.dispatched(), {"idempotency-key": str(uuid.uuid4())}
    first, *repeats = await asyncio.gather(*(installation.ask_act(order, "start", headers=key) for _ in range(5)))
    assert [answer.content for answer in repeats] == [first.content] * 4
    assert first.json()["version"] == 3
    other = await installation.ask_act(order, "start", headers=key, occurred_at="2026-01-01T00:00:00Z")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_of_two_who_act_at_once_one_wins(installation: Installation) -> None:
    order = await installation.dispatched()
    await installation.north.see("fieldwork", order)
    acts = ["start"] * 4 + ["reject"] * 4
    answers = await asyncio.gather(*(installation.ask_act(order, act) for act in acts))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7


async def test_another_work_area_neither_sees_nor_touches_an_order(installation: Installation) -> None:
    order = await installation.dispatched()
    await installation.north.see("fieldwork", order)
    for attempt in (
        installation.south.get("fieldwork", f"/work-orders/{order['id']}"),
        installation.south.get("fieldwork", f"/work-orders/{order['id']}/form"),
        installation.south.get("intake", f"/work-orders/{order['id']}"),
        installation.south.get("intake", f"/work-orders/{order['id']}/history"),
        installation.south.get("intake", f"/work-orders/{order['id']}/subscriber"),
        installation.south.get("reporting", f"/work-orders/{order['id']}/timeline"),
        installation.act(order, "start", area="south"),
        installation.act(order, "reject", area="south"),
    ):
        with pytest.raises(Refused) as refused:
            await attempt
        assert (refused.value.status, refused.value.problem["code"]) == (404, "work_order_not_found")
    assert await installation.south.list_of("fieldwork") == []
    assert await installation.south.list_of("intake", subscriber_no=installation.subscriber_no) == []


async def test_who_completed_an_order_cannot_audit_it(installation: Installation) -> None:
    both = await installation.person("auditor", sub=installation.staff("north"))
    order = await installation.act(await installation.completed(), "submit-for-audit")
    with pytest.raises(Refused) as refused:
        await both.act("qa", order, "audit", verdict="passed", remark="自己的活")
    assert refused.value.status == 403
    order = await installation.act(order, "audit")
    assert order["status"] == "completed"


async def test_a_work_area_that_rejected_an_order_does_not_get_it_again(installation: Installation) -> None:
    order = await installation.act(await installation.rejected(), "send-to-redispatch")
    with pytest.raises(Refused) as refused:
        await installation.dispatched(order)
    assert refused.value.problem["code"] == "work_area_rejected_before"
    decided = await installation.supervisor.act(
        "dispatch",
        order,
        "dispatch",
        work_area_id=installation.area("north"),
        staff_ids=[installation.staff("north")],
        is_binding=True,
    )
    with pytest.raises(Refused) as refused:
        await installation.north.act("fieldwork", decided, "reject", reason="outside_area", explanation="还是南区")
    assert refused.value.status == 409
