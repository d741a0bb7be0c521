"""The users' own test sheet: one story for each of its rows."""

from tests.installation import COMPLETION, Installation, Json


async def _ids(person, service: str, **search) -> list[str]:
    return [order["id"] for order in await person.list_of(service, **search)]


async def test_a1_a_created_order_is_in_the_dispatch_list_complete(installation: Installation) -> None:
    order = await installation.create()
    await installation.dispatcher.see("dispatch", order)
    (listed,) = await installation.dispatcher.list_of("dispatch", subscriber_no=installation.subscriber_no)
    assert [clock["clock"] for clock in listed.pop("clocks")] == ["arrive"]
    assert listed == order
    assert (listed["device_type"], listed["demand_type"], listed["content"]) == ("digital", "test", "测试")
    assert listed["appointment"] == {"start": "2026-12-01T01:00:00Z", "end": "2026-12-01T04:00:00Z"}
    assert (await installation.looked_up(order))["status"] == "created"


async def test_a2_the_dispatch_form_shows_the_subscriber_the_order_and_whom_to_send(installation: Installation) -> None:
    order = await installation.create()
    await installation.dispatcher.see("dispatch", order)
    form = await installation.dispatcher.get("dispatch", f"/work-orders/{order['id']}/form")
    assert [clock["clock"] for clock in form["order"].pop("clocks")] == ["arrive"]
    assert form["order"] == order | {"sealed_text": None}
    assert form["subscriber"]["subscriber_no"] == installation.subscriber_no
    assert form["subscriber"]["address"] == "徐汇区漕溪路 251 弄 3 号"
    assert form["subscriber"]["name"] == "王**"
    areas = {area["work_area_id"]: area for area in form["work_areas"]}
    assert [one["staff_id"] for one in areas[installation.area("north")]["staff"]] == [installation.staff("north")]
    assert installation.area("south") in areas


async def test_a3_a_dispatched_order_is_in_its_work_areas_list(installation: Installation) -> None:
    order = await installation.dispatched(remark="带梯子")
    await installation.north.see("fieldwork", order)
    (listed,) = await installation.north.list_of("fieldwork", subscriber_no=installation.subscriber_no)
    assert listed["assignment"]["work_area_id"] == installation.area("north")
    assert listed["assignment"]["staff_ids"] == [installation.staff("north")]
    assert listed["assignment"]["remark"] == "带梯子"
    assert await installation.south.list_of("fieldwork", subscriber_no=installation.subscriber_no) == []
    assert (await installation.looked_up(order))["status"] == "dispatched"


async def test_a4_starting_puts_it_on_the_to_do_list(installation: Installation) -> None:
    order = await installation.dispatched()
    waiting = await installation.north.see("fieldwork", order)
    assert {"start", "reject"} <= set(waiting["allowed_acts"])
    order = await installation.processing(order)
    assert order["id"] in await _ids(installation.north, "fieldwork", status="processing")
    assert (await installation.looked_up(order))["status"] == "processing"


async def test_a5_the_work_areas_form_shows_whom_to_visit_and_who_can_go(installation: Installation) -> None:
    order = await installation.processing()
    form = await installation.north.get("fieldwork", f"/work-orders/{order['id']}/form")
    assert form["order"]["content"] == "测试"
    assert form["subscriber"]["phones"] == [installation.phone]
    assert form["subscriber"]["name"] == "王小明"
    assert form["work_area"]["work_area_id"] == installation.area("north")
    assert [one["staff_id"] for one in form["work_area"]["staff"]] == [installation.staff("north")]


async def test_a6_a_completed_order_is_in_the_completed_list(installation: Installation) -> None:
    order = await installation.completed()
    await installation.auditor.see("qa", order)
    (listed,) = await installation.auditor.list_of("qa", status="completed", subscriber_no=installation.subscriber_no)
    (completion,) = listed["completions"]
    assert {name: completion[name] for name in COMPLETION} == COMPLETION
    assert completion["staff_ids"] == [installation.staff("north")]
    assert (await installation.looked_up(order))["status"] == "completed"


async def test_a7_an_audit_takes_it_from_the_list_and_brings_it_back_with_a_remark(installation: Installation) -> None:
    order = await installation.completed()
    order = await installation.act(order, "submit-for-audit")
    assert order["id"] not in await _ids(installation.auditor, "qa", status="completed")
    assert order["id"] in await _ids(installation.auditor, "qa", status="auditing")
    form = await installation.auditor.get("qa", f"/work-orders/{order['id']}/form")
    assert form["subscriber"]["subscriber_no"] == installation.subscriber_no
    assert form["order"]["content"] == "测试"
    assert (await installation.looked_up(order))["status"] == "auditing"
    order = await installation.act(order, "audit")
    (listed,) = await installation.auditor.list_of("qa", status="completed", subscriber_no=installation.subscriber_no)
    assert listed["audits"][-1]["remark"] == "处理及时"
    assert listed["audits"][-1]["audited"]["by"]["sub"] == f"auditor-{installation.mark}"
    assert listed["audits"][-1]["audited"]["at"]
    assert (await installation.looked_up(order))["status"] == "completed"


async def test_a8_an_audited_order_is_archived_with_who_and_when(installation: Installation) -> None:
    order = await installation.act(await installation.audited(), "archive")
    (listed,) = await installation.auditor.list_of("qa", status="archived", subscriber_no=installation.subscriber_no)
    assert listed["archived"]["by"]["sub"] == f"auditor-{installation.mark}"
    assert listed["archived"]["at"]
    assert (await installation.looked_up(order))["status"] == "archived"


async def test_a9_a_rejected_order_is_in_the_rejected_list_with_its_explanation(installation: Installation) -> None:
    order = await installation.rejected()
    await installation.dispatcher.see("dispatch", order)
    (listed,) = await installation.dispatcher.list_of(
        "dispatch", status="rejected", subscriber_no=installation.subscriber_no
    )
    assert listed["rejections"][-1]["explanation"] == "不在本工区，属于南区"
    assert listed["rejections"][-1]["reason"] == "outside_area"
    assert (await installation.looked_up(order))["status"] == "rejected"


async def _redispatching(installation: Installation) -> Json:
    return await installation.act(await installation.rejected(), "send-to-redispatch")


async def test_a10_a_rejected_order_is_sent_to_redispatch(installation: Installation) -> None:
    order = await _redispatching(installation)
    assert order["id"] in await _ids(installation.dispatcher, "dispatch", status="redispatching")
    assert order["rejections"][-1]["is_misdispatch_valid"] is True
    assert (await installation.looked_up(order))["status"] == "redispatching"


async def test_a11_it_is_dispatched_again_to_another_work_area(installation: Installation) -> None:
    order = await installation.dispatched(await _redispatching(installation), area="south")
    await installation.south.see("fieldwork", order)
    assert order["id"] in await _ids(installation.south, "fieldwork")
    assert order["id"] not in await _ids(installation.north, "fieldwork")
    assert (await installation.looked_up(order))["status"] == "dispatched"


async def test_a12_a_completed_order_is_archived_without_audit(installation: Installation) -> None:
    order = await installation.act(await installation.completed(), "archive")
    assert order["audits"] == []
    assert (await installation.looked_up(order))["status"] == "archived"


async def test_a13_a_completed_order_is_redispatched_and_keeps_its_completion(installation: Installation) -> None:
    order = await installation.auditor.act(
        "qa", await installation.completed(), "redispatch", reason="用户反映仍有故障"
    )
    assert order["status"] == "redispatching"
    looked_up = await installation.looked_up(order)
    assert looked_up["completions"][0]["handling"] == COMPLETION["handling"]
    history = await installation.agent.get("intake", f"/work-orders/{order['id']}/history", at_least=order["version"])
    assert "linework.work_order.completed.v1" in [entry["type"] for entry in history]
    await installation.dispatcher.see("dispatch", order)
    assert order["id"] in await _ids(installation.dispatcher, "dispatch", status="redispatching")


async def test_a14_everything_that_was_entered_is_in_the_archived_order(installation: Installation) -> None:
    order = await installation.dispatched(
        await installation.create(content="无信号 📺", channel="walk_in"), remark="带梯子"
    )
    order = await installation.auditor.act(
        "qa", await installation.audited(await installation.completed(await installation.processing(order))), "archive"
    )
    archived = await installation.looked_up(order)
    assert archived == await installation.auditor.see("qa", order)
    assert (archived["status"], archived["version"]) == ("archived", 7)
    assert (archived["content"], archived["channel"]) == ("无信号 📺", "walk_in")
    assert archived["appointment"]["start"] == "2026-12-01T01:00:00Z"
    assert archived["assignment"]["remark"] == "带梯子"
    assert archived["started"]["by"]["sub"] == installation.staff("north")
    assert archived["completions"][0]["is_petitioned"] is False
    assert archived["audits"][0]["verdict"] == "passed"
    timeline = await installation.supervisor.get("reporting", f"/work-orders/{order['id']}/timeline", at_least=7)
    assert [event["order_version"] for event in timeline["items"]] == [1, 2, 3, 4, 5, 6, 7]
