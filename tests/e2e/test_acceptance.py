"""The users' own test sheet: one story for each of its rows."""

from tests.e2e.city import COMPLETION, City


async def _ids(person, service: str, **search) -> list[str]:
    return [order["id"] for order in await person.list_of(service, **search)]


async def test_a1_a_created_order_is_in_the_dispatch_list_complete(city: City) -> None:
    order = await city.create()
    await city.dispatcher.see("dispatch", order)
    (listed,) = await city.dispatcher.list_of("dispatch", subscriber_no=city.subscriber_no)
    assert listed == order
    assert (listed["device_type"], listed["demand_type"], listed["content"]) == ("digital", "test", "测试")
    assert listed["appointment"] == {"start": "2026-12-01T01:00:00Z", "end": "2026-12-01T04:00:00Z"}
    assert (await city.looked_up(order))["status"] == "created"


async def test_a2_the_dispatch_form_shows_the_subscriber_the_order_and_whom_to_send(city: City) -> None:
    order = await city.create()
    await city.dispatcher.see("dispatch", order)
    form = await city.dispatcher.get("dispatch", f"/work-orders/{order['id']}/form")
    assert form["order"] == order | {"sealed_text": None}
    assert form["subscriber"]["subscriber_no"] == city.subscriber_no
    assert form["subscriber"]["address"] == "徐汇区漕溪路 251 弄 3 号"
    assert form["subscriber"]["name"] == "王**"
    areas = {area["work_area_id"]: area for area in form["work_areas"]}
    assert [one["staff_id"] for one in areas[city.area("north")]["staff"]] == [city.staff("north")]
    assert city.area("south") in areas


async def test_a3_a_dispatched_order_is_in_its_work_areas_list(city: City) -> None:
    order = await city.dispatched(remark="带梯子")
    await city.north.see("fieldwork", order)
    (listed,) = await city.north.list_of("fieldwork", subscriber_no=city.subscriber_no)
    assert listed["assignment"]["work_area_id"] == city.area("north")
    assert listed["assignment"]["staff_ids"] == [city.staff("north")]
    assert listed["assignment"]["remark"] == "带梯子"
    assert await city.south.list_of("fieldwork", subscriber_no=city.subscriber_no) == []
    assert (await city.looked_up(order))["status"] == "dispatched"


async def test_a4_starting_puts_it_on_the_to_do_list(city: City) -> None:
    order = await city.dispatched()
    waiting = await city.north.see("fieldwork", order)
    assert {"start", "reject"} <= set(waiting["allowed_acts"])
    order = await city.processing(order)
    assert order["id"] in await _ids(city.north, "fieldwork", status="processing")
    assert (await city.looked_up(order))["status"] == "processing"


async def test_a5_the_work_areas_form_shows_whom_to_visit_and_who_can_go(city: City) -> None:
    order = await city.processing()
    form = await city.north.get("fieldwork", f"/work-orders/{order['id']}/form")
    assert form["order"]["content"] == "测试"
    assert form["subscriber"]["phones"] == [city.phone]
    assert form["subscriber"]["name"] == "王小明"
    assert form["work_area"]["work_area_id"] == city.area("north")
    assert [one["staff_id"] for one in form["work_area"]["staff"]] == [city.staff("north")]


async def test_a6_a_completed_order_is_in_the_completed_list(city: City) -> None:
    order = await city.completed()
    await city.auditor.see("qa", order)
    (listed,) = await city.auditor.list_of("qa", status="completed", subscriber_no=city.subscriber_no)
    (completion,) = listed["completions"]
    assert {name: completion[name] for name in COMPLETION} == COMPLETION
    assert completion["staff_ids"] == [city.staff("north")]
    assert (await city.looked_up(order))["status"] == "completed"


async def test_a7_an_audit_takes_it_from_the_list_and_brings_it_back_with_a_remark(city: City) -> None:
    order = await city.completed()
    order = await city.auditor.act("qa", order, "submit-for-audit")
    assert order["id"] not in await _ids(city.auditor, "qa", status="completed")
    assert order["id"] in await _ids(city.auditor, "qa", status="auditing")
    form = await city.auditor.get("qa", f"/work-orders/{order['id']}/form")
    assert form["subscriber"]["subscriber_no"] == city.subscriber_no
    assert form["order"]["content"] == "测试"
    assert (await city.looked_up(order))["status"] == "auditing"
    order = await city.auditor.act("qa", order, "audit", verdict="passed", remark="处理及时")
    (listed,) = await city.auditor.list_of("qa", status="completed", subscriber_no=city.subscriber_no)
    assert listed["audits"][-1]["remark"] == "处理及时"
    assert listed["audits"][-1]["audited"]["by"]["sub"] == f"auditor-{city.mark}"
    assert listed["audits"][-1]["audited"]["at"]
    assert (await city.looked_up(order))["status"] == "completed"


async def test_a8_an_audited_order_is_archived_with_who_and_when(city: City) -> None:
    order = await city.auditor.act("qa", await city.audited(), "archive")
    (listed,) = await city.auditor.list_of("qa", status="archived", subscriber_no=city.subscriber_no)
    assert listed["archived"]["by"]["sub"] == f"auditor-{city.mark}"
    assert listed["archived"]["at"]
    assert (await city.looked_up(order))["status"] == "archived"


async def _rejected(city: City) -> dict:
    order = await city.dispatched()
    return await city.north.act("fieldwork", order, "reject", reason="outside_area", explanation="不在本工区，属于南区")


async def test_a9_a_rejected_order_is_in_the_rejected_list_with_its_explanation(city: City) -> None:
    order = await _rejected(city)
    await city.dispatcher.see("dispatch", order)
    (listed,) = await city.dispatcher.list_of("dispatch", status="rejected", subscriber_no=city.subscriber_no)
    assert listed["rejections"][-1]["explanation"] == "不在本工区，属于南区"
    assert listed["rejections"][-1]["reason"] == "outside_area"
    assert (await city.looked_up(order))["status"] == "rejected"


async def _redispatching(city: City) -> dict:
    return await city.dispatcher.act(
        "dispatch", await _rejected(city), "send-to-redispatch", is_misdispatch_valid=True, remark="误派属实"
    )


async def test_a10_a_rejected_order_is_sent_to_redispatch(city: City) -> None:
    order = await _redispatching(city)
    assert order["id"] in await _ids(city.dispatcher, "dispatch", status="redispatching")
    assert order["rejections"][-1]["is_misdispatch_valid"] is True
    assert (await city.looked_up(order))["status"] == "redispatching"


async def test_a11_it_is_dispatched_again_to_another_work_area(city: City) -> None:
    order = await city.dispatched(await _redispatching(city), area="south")
    await city.south.see("fieldwork", order)
    assert order["id"] in await _ids(city.south, "fieldwork")
    assert order["id"] not in await _ids(city.north, "fieldwork")
    assert (await city.looked_up(order))["status"] == "dispatched"


async def test_a12_a_completed_order_is_archived_without_audit(city: City) -> None:
    order = await city.auditor.act("qa", await city.completed(), "archive")
    assert order["audits"] == []
    assert (await city.looked_up(order))["status"] == "archived"


async def test_a13_a_completed_order_is_redispatched_and_keeps_its_completion(city: City) -> None:
    order = await city.auditor.act("qa", await city.completed(), "redispatch", reason="用户反映仍有故障")
    assert order["status"] == "redispatching"
    looked_up = await city.looked_up(order)
    assert looked_up["completions"][0]["handling"] == COMPLETION["handling"]
    history = await city.agent.get("intake", f"/work-orders/{order['id']}/history", at_least=order["version"])
    assert "linework.work_order.completed.v1" in [entry["type"] for entry in history]
    await city.dispatcher.see("dispatch", order)
    assert order["id"] in await _ids(city.dispatcher, "dispatch", status="redispatching")


async def test_a14_everything_that_was_entered_is_in_the_archived_order(city: City) -> None:
    order = await city.dispatched(await city.create(content="无信号 📺", channel="walk_in"), remark="带梯子")
    order = await city.auditor.act(
        "qa", await city.audited(await city.completed(await city.processing(order))), "archive"
    )
    archived = await city.looked_up(order)
    assert archived == await city.auditor.see("qa", order)
    assert (archived["status"], archived["version"]) == ("archived", 7)
    assert (archived["content"], archived["channel"]) == ("无信号 📺", "walk_in")
    assert archived["appointment"]["start"] == "2026-12-01T01:00:00Z"
    assert archived["assignment"]["remark"] == "带梯子"
    assert archived["started"]["by"]["sub"] == city.staff("north")
    assert archived["completions"][0]["is_petitioned"] is False
    assert archived["audits"][0]["verdict"] == "passed"
    timeline = await city.supervisor.get("reporting", f"/work-orders/{order['id']}/timeline", at_least=7)
    assert [event["order_version"] for event in timeline["items"]] == [1, 2, 3, 4, 5, 6, 7]
