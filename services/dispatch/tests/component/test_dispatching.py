"""Acts over HTTP: what is answered, what is kept, what is to be published."""

from contracts import events as e
from contracts.lifecycle import Service
from contracts.requests import WorkOrderCancelRequested


async def test_a_dispatch_is_answered_with_the_order_and_waits_to_be_published(staffed_desk):
    await staffed_desk.create()
    answer = await staffed_desk.dispatch(staff_ids=["wang", "li"], remark="测试派单")
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"2"'
    order = answer.json()
    assert (order["status"], order["custodian"]) == ("dispatched", "fieldwork")
    assert order["assignment"]["remark"] == "测试派单"
    (message,) = await staffed_desk.outbox()
    assert message.body == e.WorkOrderDispatched(
        work_area_id="north", staff_ids=("wang", "li"), remark="测试派单", is_binding=False
    )
    assert (message.subject, message.order_version) == ("o-1", 2)
    assert (message.actor.sub, message.actor.role) == ("dispatcher-1", "dispatcher")
    assert message.prev_hash == staffed_desk.streams["o-1"].last_hash


# Changes to a good dispatch, and what they are answered with.
REFUSED = [
    ({"work_area_id": "nowhere"}, 422, "work_area_unknown"),
    ({"staff_ids": ["nobody"]}, 422, "staff_unknown"),
    ({"staff_ids": ["zhao"]}, 422, "staff_outside_work_area"),
    ({"staff_ids": ["wang", "wang"]}, 422, "staff_repeated"),
    ({"staff_ids": []}, 422, "invalid_request"),
    ({"staff_ids": ["wang\x00"]}, 422, "invalid_request"),
    ({"work_area_id": "\ud800"}, 422, "invalid_request"),
    ({"remark": "\x07"}, 422, "invalid_request"),
    ({"remark": ""}, 422, "invalid_request"),
    ({"remark": "x" * 4001}, 422, "invalid_request"),
    ({"unheard": 1}, 422, "invalid_request"),
    ({"is_binding": True}, 403, "binding_needs_supervisor"),
    ({"occurred_at": "2026-03-01T00:00:00Z"}, 422, "before_the_last_act"),
    ({"occurred_at": "1900-01-01T00:00:00Z"}, 422, "invalid_request"),
    ({"version": None}, 428, "version_required"),
    ({"version": 2}, 412, "stale_version"),
    ({"role": "technician"}, 403, "role_not_allowed"),
    ({"role": "auditor"}, 403, "role_not_allowed"),
    ({"role": "agent"}, 403, "role_not_allowed"),
    ({"areas": ["south"]}, 404, "work_order_not_found"),
    ({"order_id": "o-2"}, 404, "work_order_not_found"),
]


async def test_a_refused_dispatch_says_why_and_changes_nothing(staffed_desk):
    await staffed_desk.create()
    for changes, status, code in REFUSED:
        answer = await staffed_desk.dispatch(**changes)
        assert (answer.status_code, answer.json()["code"]) == (status, code), changes
        assert answer.headers["content-type"] == "application/problem+json"
    assert await staffed_desk.outbox() == []
    assert (await staffed_desk.get("/v1/work-orders/o-1")).json()["version"] == 1


async def test_orders_are_dispatched_together_and_answered_row_by_row(staffed_desk):
    await staffed_desk.create("o-1")
    await staffed_desk.create("o-2", order_no="no-2")
    good = {"work_area_id": "north", "staff_ids": ["wang"], "version": 1}
    rows = [{**good, "order_id": "o-1"}, {**good, "order_id": "o-2", "staff_ids": ["zhao"]}]
    headers = staffed_desk.issuer.headers("dispatcher")
    answer = (await staffed_desk.client.post("/v1/bulk/dispatch", json={"rows": rows}, headers=headers)).json()
    assert [(row["version"], row["problem"] and row["problem"]["code"]) for row in answer["rows"]] == [
        (2, None),
        (None, "staff_outside_work_area"),
    ]
    assert [message.subject for message in await staffed_desk.outbox()] == ["o-1"]


async def test_a_closed_area_and_inactive_staff_get_no_orders(staffed_desk):
    await staffed_desk.create()
    await staffed_desk.put_staff("wang", is_active=False)
    assert (await staffed_desk.dispatch()).json()["code"] == "staff_inactive"
    await staffed_desk.put_area("north", is_open=False)
    answer = await staffed_desk.dispatch()
    assert (answer.status_code, answer.json()["code"]) == (409, "work_area_closed")


async def test_a_dispatched_order_is_not_dispatched_again(staffed_desk):
    await staffed_desk.create()
    await staffed_desk.dispatch()
    answer = await staffed_desk.dispatch(version=2)
    assert (answer.status_code, answer.json()["code"]) == (409, "act_not_allowed")
    assert answer.json()["custodian"] == "fieldwork"


async def test_the_same_command_gets_the_same_answer(staffed_desk):
    await staffed_desk.create()
    headers = {**staffed_desk.issuer.headers("dispatcher"), "if-match": '"1"', "idempotency-key": "k-1"}
    body = {"work_area_id": "north", "staff_ids": ["wang"]}
    first, second = [
        await staffed_desk.client.post("/v1/work-orders/o-1/dispatch", json=body, headers=headers) for _ in range(2)
    ]
    assert (second.status_code, second.content, second.headers["etag"]) == (200, first.content, '"2"')
    assert len(await staffed_desk.outbox()) == 1


async def ask_on(staffed_desk, order_id: str, tags: str, **headers: str):
    """A dispatch that is based on these entity tags."""
    headers = {**staffed_desk.issuer.headers("dispatcher"), "if-match": tags, **headers}
    body = {"work_area_id": "north", "staff_ids": ["wang"]}
    return await staffed_desk.client.post(f"/v1/work-orders/{order_id}/dispatch", json=body, headers=headers)


async def test_an_act_takes_its_tag_as_a_gateway_sent_it(staffed_desk):
    for number, tags in enumerate(('W/"1"', '"1-gzip"', '"1;br"', '"7", W/"1"', "*")):
        await staffed_desk.create(f"o-{number}", order_no=f"no-{number}")
        assert (await ask_on(staffed_desk, f"o-{number}", tags)).headers["etag"] == '"2"', tags


async def test_an_act_whose_tags_do_not_fit_is_refused_and_changes_nothing(staffed_desk):
    await staffed_desk.create()
    many = ", ".join(f'"{number}"' for number in range(2, 4002))
    for tags, code in (('"2", W/"3"', "stale_version"), (many, "stale_version"), ('"abc"', "no_version_named")):
        answer = await ask_on(staffed_desk, "o-1", tags)
        assert (answer.status_code, answer.json()["code"]) == (412, code)
    assert (await ask_on(staffed_desk, "o-none", "*")).status_code == 404
    assert await staffed_desk.outbox() == []


async def test_a_key_that_was_kept_with_its_quotes_before_an_upgrade_is_known_quoted_and_bare(staffed_desk):
    await staffed_desk.create()
    first = await ask_on(staffed_desk, "o-1", '"1"', **{"idempotency-key": '"k-1"'})
    async with staffed_desk.db.begin() as tx:
        assert await tx.execute("update idempotency_keys set key = '\"k-1\"' where key = 'k-1'") == "UPDATE 1"
    for key in ("k-1", '"k-1"'):
        again = await ask_on(staffed_desk, "o-1", '"1"', **{"idempotency-key": key})
        assert (again.status_code, again.content) == (200, first.content)
    assert len(await staffed_desk.outbox()) == 1


async def test_a_rejected_order_is_ruled_on_and_dispatched_to_another_area(staffed_desk):
    stream = await staffed_desk.create()
    await staffed_desk.dispatch()
    await staffed_desk.reject(stream, explanation="not our territory")
    ruled = (await staffed_desk.rule(is_misdispatch_valid=True, remark="确认误派")).json()
    assert ruled["status"] == "redispatching"
    assert ruled["rejections"][0]["is_misdispatch_valid"] is True
    assert ruled["rejections"][0]["ruling_remark"] == "确认误派"
    assert ruled["rejections"][0]["explanation"] == "not our territory"
    again = (await staffed_desk.dispatch(version=4, work_area_id="south", staff_ids=["zhao"])).json()
    assert (again["status"], again["version"]) == ("dispatched", 5)
    published = await staffed_desk.outbox("o-1")
    assert [message.order_version for message in published] == [2, 4, 5]
    assert published[1].body == e.WorkOrderRedispatchRequested(is_misdispatch_valid=True, remark="确认误派")


async def test_only_a_rejected_order_is_ruled_on(staffed_desk):
    await staffed_desk.create()
    answer = await staffed_desk.rule(version=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "act_not_allowed")


async def test_a_ruling_says_valid_or_not_and_why(staffed_desk):
    await staffed_desk.create()
    for body in ({"remark": "x"}, {"is_misdispatch_valid": True}, {"is_misdispatch_valid": "perhaps", "remark": "x"}):
        answer = await staffed_desk.act("o-1", "send-to-redispatch", 1, **body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), body


async def test_an_area_that_rejected_gets_the_order_again_only_from_a_supervisor(staffed_desk):
    stream = await staffed_desk.create()
    await staffed_desk.dispatch()
    await staffed_desk.reject(stream)
    await staffed_desk.rule(version=3)
    refused = await staffed_desk.dispatch(version=4)
    assert (refused.status_code, refused.json()["code"]) == (409, "work_area_rejected_before")
    assert (await staffed_desk.dispatch(version=4, role="supervisor")).status_code == 200


async def test_who_is_dispatcher_and_supervisor_acts_as_supervisor(staffed_desk):
    await staffed_desk.create()
    headers = staffed_desk.issuer.headers("dispatcher", roles=["dispatcher", "supervisor"])
    body = {"work_area_id": "north", "staff_ids": ["wang"], "is_binding": True}
    answer = await staffed_desk.client.post(
        "/v1/work-orders/o-1/dispatch", json=body, headers={**headers, "if-match": '"1"'}
    )
    assert answer.json()["assignment"]["is_binding"] is True
    assert (await staffed_desk.outbox())[0].actor.role == "supervisor"


async def test_a_spent_budget_leaves_it_to_a_supervisor_whose_dispatch_is_binding(staffed_desk):
    stream = await staffed_desk.create()
    await staffed_desk.put("/v1/rules/rejection-budget", budget=1)
    await staffed_desk.dispatch()
    await staffed_desk.reject(stream)
    await staffed_desk.rule(version=3)
    south = {"work_area_id": "south", "staff_ids": ["zhao"]}
    refused = await staffed_desk.dispatch(version=4, **south)
    assert (refused.status_code, refused.json()["code"]) == (403, "rejection_budget_spent")
    assert (refused.json()["rejection_count"], refused.json()["budget"]) == (1, 1)
    await staffed_desk.put("/v1/rules/rejection-budget", budget=2)
    await staffed_desk.put("/v1/rules/rejection-budget", budget=1)
    decided = await staffed_desk.dispatch(version=4, role="supervisor", **south)
    assert decided.json()["assignment"]["is_binding"] is True


async def test_a_cancel_request_is_granted_while_dispatch_holds_the_order(staffed_desk):
    stream = await staffed_desk.create()
    body = WorkOrderCancelRequested(request_id="r-1", reason="重复报修")
    request = stream.write(body, Service.INTAKE, order_version=None, prev_hash=None)
    await staffed_desk.hear(request)
    (granted,) = await staffed_desk.outbox()
    assert granted.body == e.WorkOrderCancelled(request_id="r-1", reason="重复报修")
    assert (await staffed_desk.get("/v1/work-orders/o-1")).json()["status"] == "cancelled"
    answer = await staffed_desk.dispatch(version=2)
    assert (answer.status_code, answer.json()["code"]) == (409, "act_not_allowed")


async def test_a_cancel_request_that_meets_a_dispatched_order_is_passed_on_behind_it(staffed_desk):
    stream = await staffed_desk.create()
    await staffed_desk.dispatch()
    body = WorkOrderCancelRequested(request_id="r-1", reason="重复报修")
    await staffed_desk.hear(stream.write(body, Service.INTAKE, order_version=None, prev_hash=None))
    dispatched, forwarded = await staffed_desk.outbox("o-1")
    assert isinstance(dispatched.body, e.WorkOrderDispatched)
    assert forwarded.body == WorkOrderCancelRequested(request_id="r-1", reason="重复报修", hop=1)
