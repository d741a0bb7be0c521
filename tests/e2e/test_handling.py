"""Running a floor: staff are replaced, orders recalled, suspensions end by themselves, a supervisor gets an answer."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.installation import COMPLETION, Installation, Json, Person, Refused

from chassis.testing import eventually


async def _asked(by: Person, order: Json, path: str, **body: object) -> Json:
    request = await by.post("intake", f"/work-orders/{order['id']}/{path}", {"reason": "用户来电", **body})
    return await by.get("intake", f"/requests/{request['id']}", wait_seconds=10)


async def test_a_lead_replaces_a_sick_technician_who_then_cannot_complete_it(installation: Installation) -> None:
    lead, helper = (f"{name}-{installation.mark}" for name in ("lead", "helper"))
    for staff_id, is_lead in ((lead, True), (helper, False)):
        member = {"name": staff_id, "work_area_id": installation.area("north"), "person_id": staff_id}
        await installation.operator.put("dispatch", f"/staff/{staff_id}", member | {"is_lead": is_lead})
    boss, substitute = [
        await installation.person("technician", installation.area("north"), sub=sub) for sub in (lead, helper)
    ]
    order = await installation.processing()
    change = {"staff_ids": [helper], "reason": "王强请假"}
    with pytest.raises(Refused) as refused:
        await installation.north.act("fieldwork", order, "reassign", **change)
    assert refused.value.problem["code"] == "not_lead_of_work_area"
    order = await eventually(
        lambda: _reassigned(boss, order, change), until=lambda one: one["assignment"]["staff_ids"] == [helper]
    )
    assert (order["status"], order["rejections"]) == ("processing", [])
    completion = COMPLETION | {"staff_ids": [helper]}
    with pytest.raises(Refused) as refused:
        await installation.north.act("fieldwork", order, "complete", **completion)
    assert refused.value.problem["code"] == "completion_not_permitted"
    done = await substitute.act("fieldwork", order, "complete", **completion)
    looked_up = await installation.agent.get("intake", f"/work-orders/{order['id']}", at_least=done["version"])
    assert (looked_up["status"], looked_up["reassignments"][0]["reason"]) == ("completed", "王强请假")


async def _reassigned(boss: Person, order: Json, change: Json) -> Json:
    """The order as the lead left it; the directory may still be on its way."""
    try:
        return await boss.act("fieldwork", order, "reassign", **change)
    except Refused:
        return order


async def test_a_recalled_order_goes_to_another_area_and_may_come_back(installation: Installation) -> None:
    order = await installation.processing()
    granted = await _asked(installation.dispatcher, order, "recall-requests")
    assert granted["state"] == "granted"
    order = await installation.dispatcher.get("dispatch", f"/work-orders/{order['id']}", at_least=order["version"] + 1)
    assert (order["status"], len(order["recalls"]), order["rejections"]) == ("redispatching", 1, [])
    again = await installation.dispatched(order, "north")
    assert again["status"] == "dispatched", "no area is barred from an order that was called back from it"


async def test_a_recall_after_completion_is_refused_and_says_why(installation: Installation) -> None:
    order = await installation.completed()
    refused = await _asked(installation.dispatcher, order, "recall-requests")
    assert (refused["state"], refused["refusal"]["code"]) == ("refused", "act_not_allowed")
    assert refused["refusal"]["status"] == "completed"


async def test_a_suspension_ends_by_itself_and_no_clock_ran_until_then(installation: Installation) -> None:
    until = datetime.now(UTC) + timedelta(seconds=3)
    order = await installation.north.act(
        "fieldwork",
        await installation.processing(),
        "suspend",
        reason="等待配件",
        reason_code="parts",
        until=until.isoformat(),
    )
    order = await eventually(
        lambda: installation.north.get("fieldwork", f"/work-orders/{order['id']}"),
        until=lambda one: one["suspension"] is None,
    )
    (pause,) = order["pauses"]
    assert (datetime.fromisoformat(pause["until"]), pause["reason_code"]) == (until, "parts")
    assert (await installation.completed(order))["status"] == "completed"


async def test_a_supervisor_gets_an_answer_from_whoever_holds_the_order(installation: Installation) -> None:
    order = await installation.create()
    reply_by = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    granted = await _asked(installation.supervisor, order, "supervision-requests", reply_by=reply_by)
    assert granted["state"] == "granted"
    order = await installation.dispatcher.get("dispatch", f"/work-orders/{order['id']}", at_least=order["version"] + 1)
    order = await installation.dispatched(order)
    order = await installation.north.act("fieldwork", order, "supervision-answers", answer="今天下午上门")
    looked_up = await installation.supervisor.get("intake", f"/work-orders/{order['id']}", at_least=order["version"])
    (supervision,) = looked_up["supervisions"]
    assert (supervision["answer"], supervision["answered"]["by"]["role"]) == ("今天下午上门", "technician")


async def test_a_completed_order_that_is_not_solved_is_reopened_from_the_call(installation: Installation) -> None:
    order = await installation.completed()
    granted = await _asked(installation.agent, order, "reopen-requests")
    assert granted["state"] == "granted"
    order = await installation.dispatcher.get("dispatch", f"/work-orders/{order['id']}", at_least=order["version"] + 1)
    assert (order["status"], len(order["completions"])) == ("redispatching", 1)
    assert order["redispatches"][-1]["reason"] == "用户来电"


async def test_an_unresolved_order_is_archived_only_after_an_audit(installation: Installation) -> None:
    order = await installation.north.act(
        "fieldwork",
        await installation.processing(),
        "complete",
        staff_ids=[installation.staff("north")],
        **COMPLETION | {"is_resolved": False},
    )
    auditor = installation.auditor
    order = await auditor.get("qa", f"/work-orders/{order['id']}", at_least=order["version"])
    with pytest.raises(Refused) as refused:
        await auditor.act("qa", order, "archive")
    assert refused.value.problem["code"] == "audit_needed"
    order = await auditor.act("qa", order, "submit-for-audit")
    order = await auditor.act("qa", order, "audit", verdict="passed", remark="已联系用户")
    assert (await auditor.act("qa", order, "archive"))["status"] == "archived"
