"""What agents do with calls: log, record, classify, settle, promise; and what they are told before the first word."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.testing import FixedClock
from contracts import calls as c
from intake.calls.reminders import look

from .switch import reminders_on

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(hours=3)


def make_call(**overrides: Any) -> dict[str, Any]:
    body = {
        "channel": "walk_in",
        "started_at": LONG_AGO.isoformat(),
        "ended_at": (LONG_AGO + timedelta(minutes=4)).isoformat(),
        "phone": "138-0000-0043",
    }
    return {name: value for name, value in {**body, **overrides}.items() if value is not ...}


async def logged(intake: Any, **overrides: Any) -> dict[str, Any]:
    answer = await intake.post("/calls", make_call(**overrides))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def told(intake: Any, call_id: str, kind: type) -> list[Any]:
    return [one.body for one in await intake.outbox() if one.subject == call_id and isinstance(one.body, kind)]


async def settled(intake: Any, call_id: str, **how: Any) -> Any:
    return await intake.post(f"/calls/{call_id}/settlements", how)


async def test_a_logged_call_finds_its_subscriber_by_the_number_and_is_published(intake: Any) -> None:
    await intake.subscriber("222", phones=["13800000043"])
    call = await logged(intake)
    assert (call["subscriber_no"], call["state"], call["talk_milliseconds"]) == ("222", "ended", 240_000)
    (ended,) = await told(intake, call["id"], c.CallEnded)
    assert (ended.talk_milliseconds, ended.agent_id, ended.channel, ended.faults) == (240_000, "agent-1", "walk_in", ())


async def test_a_number_that_two_subscribers_have_finds_neither(intake: Any) -> None:
    await intake.subscriber("222", phones=["13800000043"])
    await intake.subscriber("333", phones=["13800000043"])
    assert (await logged(intake))["subscriber_no"] is None


async def test_a_repeated_command_logs_one_call(intake: Any) -> None:
    first = await intake.post("/calls", make_call(), **{"Idempotency-Key": "k"})
    again = await intake.post("/calls", make_call(), **{"Idempotency-Key": "k"})
    assert first.json() == again.json()
    assert await intake.count("calls") == 1


SEARCHES = [
    ({"subscriber_no": "222"}, True),
    ({"subscriber_no": "111"}, False),
    ({"phone": "138 0000 0043"}, True),
    ({"agent_id": "agent-1"}, True),
    ({"agent_id": "agent-2"}, False),
    ({"since": (LONG_AGO - timedelta(minutes=1)).isoformat()}, True),
    ({"until": LONG_AGO.isoformat()}, False),
    ({"direction": "outbound"}, False),
    ({"state": "ended"}, True),
]


async def test_calls_are_found_by_subscriber_number_agent_and_time(intake: Any) -> None:
    await intake.subscriber("222", phones=["13800000043"])
    await logged(intake)
    for query, found in SEARCHES:
        page = (await intake.get("/calls", params=query)).json()
        assert bool(page["items"]) == found, query


async def test_pages_of_calls_have_every_call_once(intake: Any) -> None:
    made = {(await logged(intake, phone=...))["id"] for _ in range(5)}
    seen, cursor = [], None
    while True:
        page = (await intake.get("/calls", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [item["id"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert (len(seen), set(seen)) == (5, made)


async def test_a_number_is_whole_for_agents_and_masked_for_auditors(intake: Any) -> None:
    await logged(intake)
    shown = [(await intake.get("/calls", role)).json()["items"][0]["phone"] for role in ("agent", "auditor")]
    assert shown == ["+8613800000043", "************43"]
    assert (await intake.get("/calls", "technician", ["north"])).status_code == 403


async def test_a_record_is_written_and_changed_on_the_version_that_was_read(intake: Any) -> None:
    call = await logged(intake)
    path = f"/v1/calls/{call['id']}/record"
    record = {"organisation": "街道办", "caller_name": "李", "caller_position": "主任", "content": "催问"}
    first = await intake.client.put(path, json=record, headers=intake.as_("agent"))
    assert (first.status_code, first.headers["etag"]) == (200, '"1"')
    stale = await intake.client.put(path, json=record, headers=intake.as_("agent"))
    assert (stale.status_code, stale.json()["code"]) == (412, "call_record_changed")
    changed = record | {"handling_opinion": "已转"}
    assert (await intake.client.put(path, json=changed, headers=intake.as_("agent", **{"If-Match": '"1"'}))).is_success
    whole = (await intake.get(f"/calls/{call['id']}")).json()
    assert (whole["record"]["handling_opinion"], whole["record"]["version"]) == ("已转", 2)
    assert whole["facts"][0]["type"] == "linework.call.offered.v1"


async def test_who_called_and_what_about_is_said_once_for_the_whole_call(intake: Any) -> None:
    call = await logged(intake, phone=...)
    before = await intake.count("outbox")
    answer = await intake.post(f"/calls/{call['id']}/classify", {"subscriber_no": "111", "demand_type": "test"})
    assert (answer.json()["subscriber_no"], answer.json()["demand_type"]) == ("111", "test")
    (classified,) = await told(intake, call["id"], c.CallClassified)
    assert (classified.subscriber_id, classified.demand_type) == (answer.json()["subscriber_id"], "test")
    assert await intake.count("outbox") == before + 1


async def test_a_call_answered_with_an_article_is_counted_with_the_article(intake: Any) -> None:
    article = (await intake.post("/articles", {"title": "重启", "body": "拔掉电源"}, "supervisor")).json()
    call = await logged(intake)
    assert (await settled(intake, call["id"], outcome="answered", article_id=article["id"])).status_code == 201
    assert (await intake.get(f"/articles/{article['id']}")).json()["use_count"] == 1
    used = (await intake.get(f"/articles/{article['id']}/calls")).json()["items"]
    assert [one["call_id"] for one in used] == [call["id"]]
    (fact,) = await told(intake, call["id"], c.CallSettled)
    assert (fact.outcome, fact.article_id) == ("answered", article["id"])
    missing = await settled(intake, call["id"], outcome="answered", article_id="none")
    assert (missing.status_code, missing.json()["code"]) == (404, "article_not_found")


async def test_a_call_becomes_a_work_order_that_knows_its_call(intake: Any) -> None:
    call = await logged(intake, phone=...)
    order = {"subscriber_no": "111", "device_type": "digital", "demand_type": "test", "content": "没有图像"}
    settlement = (await settled(intake, call["id"], outcome="work_order", order=order)).json()
    created = next(one for one in await intake.outbox() if one.subject == settlement["order_id"])
    assert (created.correlation_id, created.order_version) == (call["id"], 1)
    assert (await intake.get(f"/calls/{call['id']}")).json()["subscriber_no"] == "111"


async def test_a_repeat_call_urges_the_open_order_and_does_not_make_another(intake: Any) -> None:
    order, call = await intake.order(), await logged(intake)
    answer = await settled(intake, call["id"], outcome="open_order", order_id=order["id"], reason="又来电催")
    assert answer.json()["order_was_open"] is True
    urge = next(one for one in await intake.outbox() if one.type == "linework.work_order.urge_requested.v1")
    assert (urge.subject, urge.body.reason) == (order["id"], "又来电催")
    unknown = await settled(intake, call["id"], outcome="open_order", order_id="none", reason="x")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "work_order_not_found")


async def test_a_department_is_asked_once_and_answers_once(intake: Any) -> None:
    call = await logged(intake)
    settlement = (
        await settled(intake, call["id"], outcome="department", department="账务", question="为何多收？")
    ).json()
    waiting = (await intake.get("/referrals")).json()["items"]
    assert [one["id"] for one in waiting] == [settlement["referral_id"]]
    path = f"/referrals/{settlement['referral_id']}/answer"
    assert (await intake.post(path, {"text": "已退款"})).json()["answer"] == "已退款"
    again = await intake.post(path, {"text": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "referral_answered")
    assert (await intake.get("/referrals")).json()["items"] == []
    (fact,) = await told(intake, call["id"], c.DepartmentAnswered)
    assert fact.department == "账务"


async def difficult(intake: Any, reply_by: datetime) -> tuple[str, str]:
    call = await logged(intake)
    answer = await settled(
        intake, call["id"], outcome="difficult_case", content="线路改造", contact="138", reply_by=reply_by.isoformat()
    )
    assert answer.status_code == 201, answer.text
    return call["id"], answer.json()["case_id"]


async def test_a_promise_is_warned_of_once_then_overdue_once_and_a_reply_ends_it(intake: Any) -> None:
    call_id, case_id = await difficult(intake, datetime.now(UTC) + timedelta(hours=5))
    clock = FixedClock(datetime.now(UTC))
    reminders = reminders_on(intake.db, clock)

    async def kinds() -> list[str]:
        return [
            one.type.split(".")[2] for one in await intake.outbox() if one.subject == call_id and ".reply_" in one.type
        ]

    assert await look(reminders) == 0
    clock.advance(hours=3, minutes=30)
    assert (await look(reminders), await look(reminders)) == (1, 0)
    assert await kinds() == ["reply_promised", "reply_warned"]
    clock.advance(hours=2)
    assert (await look(reminders), await look(reminders)) == (1, 0)
    assert await kinds() == ["reply_promised", "reply_warned", "reply_overdue"]
    (open_case,) = (await intake.get("/cases")).json()["items"]
    assert open_case["overdue_at"] is not None
    assert (await intake.post(f"/cases/{case_id}/reply", {"text": "已答复"})).json()["reply"] == "已答复"
    assert (await intake.get("/cases")).json()["items"] == []
    again = await intake.post(f"/cases/{case_id}/reply", {"text": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "case_replied")


async def test_after_standing_still_a_passed_promise_is_told_as_overdue_alone(intake: Any) -> None:
    call_id, _ = await difficult(intake, datetime.now(UTC) + timedelta(hours=5))
    clock = FixedClock(datetime.now(UTC) + timedelta(hours=50))
    reminders = reminders_on(intake.db, clock)
    assert await look(reminders) == 1
    assert len(await told(intake, call_id, c.ReplyOverdue)) == 1
    assert await told(intake, call_id, c.ReplyWarned) == []


async def test_another_agreed_time_begins_the_watch_anew(intake: Any) -> None:
    call_id, case_id = await difficult(intake, datetime.now(UTC) + timedelta(minutes=30))
    clock = FixedClock(datetime.now(UTC))
    reminders = reminders_on(intake.db, clock)
    assert await look(reminders) == 1
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    assert (await intake.post(f"/cases/{case_id}/promise", {"reply_by": later})).json()["warned_at"] is None
    assert await look(reminders) == 0
    clock.advance(hours=47)
    assert await look(reminders) == 1
    assert len(await told(intake, call_id, c.ReplyWarned)) == 2


async def test_a_caller_is_known_before_the_first_word(intake: Any) -> None:
    await intake.subscriber("222", phones=["13800000043"], territory="chengdong")
    order = await intake.order(subscriber_no="222")
    call = await logged(intake)
    outage = {"territories": ["chengdong"], "cause": "台区停电", "began_at": LONG_AGO.isoformat()}
    assert (await intake.post("/outages", outage, "supervisor")).status_code == 201
    for path in ("/screen-pop?phone=13800000043", f"/calls/{call['id']}/screen-pop"):
        popped = (await intake.get(path)).json()
        assert [one["subscriber_no"] for one in popped["subscribers"]] == ["222"]
        assert [one["id"] for one in popped["open_orders"]] == [order["id"]]
        assert [one["id"] for one in popped["last_calls"]] == [call["id"]]
        assert [one["cause"] for one in popped["outages"]] == ["台区停电"]


async def test_the_orders_beside_a_call_keep_to_the_callers_areas(intake: Any) -> None:
    await intake.subscriber("222", phones=["13800000043"])
    await intake.order(subscriber_no="222")
    popped = (await intake.get("/screen-pop?phone=13800000043", "agent", ["north"])).json()
    assert (len(popped["subscribers"]), popped["open_orders"]) == (1, [])


async def test_an_outage_that_is_over_is_told_to_nobody(intake: Any) -> None:
    outage = {"territories": ["chengdong"], "cause": "x", "began_at": LONG_AGO.isoformat()}
    announced = (await intake.post("/outages", outage, "supervisor")).json()
    path = f"/outages/{announced['id']}/change"
    assert (await intake.post(path, {"is_over": True}, "supervisor")).json()["ended_at"] is not None
    assert (await intake.get("/outages")).json()["items"] == []
    again = await intake.post(path, {"is_over": True}, "supervisor")
    assert (again.status_code, again.json()["code"]) == (409, "outage_ended")


async def test_links_are_made_told_and_undone_and_both_stay_on_record(intake: Any) -> None:
    one, other = await intake.order(), await intake.order()
    body = {"kind": "duplicate", "other_order_id": other["id"], "reason": "同一故障"}
    link = (await intake.post(f"/work-orders/{one['id']}/links", body)).json()
    assert (await intake.post(f"/links/{link['id']}/undo", {})).json()["undone_by"] == "agent-1"
    again = await intake.post(f"/links/{link['id']}/undo", {})
    assert (again.status_code, again.json()["code"]) == (409, "link_undone")
    kept = (await intake.get(f"/work-orders/{other['id']}/links")).json()["items"]
    assert [(row["id"], row["undone_at"] is not None) for row in kept] == [(link["id"], True)]
    names = [message.type for message in await intake.outbox() if message.subject == one["id"]]
    assert names[-2:] == ["linework.work_order.linked.v1", "linework.work_order.unlinked.v1"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "follow_up", "other_order_id": "none"}, "work_order_not_found"),
        ({"kind": "same_outage", "outage_id": "none"}, "outage_not_found"),
    ],
)
async def test_a_link_that_ties_nothing_is_refused(intake: Any, body: dict[str, str], code: str) -> None:
    order = await intake.order()
    answer = await intake.post(f"/work-orders/{order['id']}/links", body | {"reason": "x"})
    assert answer.json()["code"] == code


async def test_candidates_for_a_duplicate_come_with_a_score_and_why(intake: Any) -> None:
    await intake.subscriber("222", phones=["13800000043"], address="Other street")
    await intake.subscriber("333", phones=["13800000043"], address="Elsewhere")
    own, of_phone = await intake.order(subscriber_no="222"), await intake.order(subscriber_no="333")
    await intake.order(subscriber_no="111")
    asked = {"subscriber_no": "222", "demand_type": "test", "device_type": "digital"}
    first, second = (await intake.post("/duplicate-checks", asked)).json()["items"]
    assert (first["order_id"], second["order_id"]) == (own["id"], of_phone["id"])
    assert first["score"] > second["score"]
    assert {"same_subscriber", "same_demand", "still_open"} <= set(first["reasons"])
    assert "same_phone" in second["reasons"]
    rules = {"warn_before_minutes": 60, "call_closes_after_hours": 1, "duplicate_hours": 1}
    await intake.client.put(
        "/v1/rules/desk", json=rules | {"duplicate_least_score": 100}, headers=intake.as_("operator")
    )
    assert len((await intake.post("/duplicate-checks", asked)).json()["items"]) <= 1


async def test_articles_are_found_by_words_forgiving_a_slip_and_ranked(intake: Any) -> None:
    texts = [
        ("机顶盒没有图像", "重新启动机顶盒，检查 HDMI 线缆。", ["黑屏"]),
        ("宽带上不了网", "重启路由器 router，检查网线。", []),
        ("费用查询", "登录营业厅，机顶盒租金按月收取。", []),
    ]
    for title, body, keywords in texts:
        article = {"title": title, "body": body, "keywords": keywords}
        assert (await intake.post("/articles", article, "supervisor")).status_code == 201

    async def found(query: str) -> list[str]:
        page = (await intake.get("/articles", params={"q": query})).json()
        return [one["article"]["title"] for one in page["items"]]

    assert await found("机顶盒图像") == ["机顶盒没有图像", "费用查询"]
    assert (await found("机顶合黑平"))[0] == "机顶盒没有图像"
    assert await found("ruoter") == ["宽带上不了网"]
    assert await found("ROUTER restart") == ["宽带上不了网"]
    assert await found("!!! ？？") == []


async def test_an_article_is_changed_on_its_version_and_earlier_ones_are_kept(intake: Any) -> None:
    article = (await intake.post("/articles", {"title": "旧标题", "body": "x"}, "supervisor")).json()
    path = f"/v1/articles/{article['id']}"
    changed = {"title": "新标题", "body": "y"}
    headers = intake.as_("supervisor", **{"If-Match": '"1"'})
    assert (await intake.client.put(path, json=changed, headers=headers)).json()["version"] == 2
    stale = await intake.client.put(path, json=changed, headers=headers)
    assert (stale.status_code, stale.json()["code"]) == (412, "article_changed")
    versions = (await intake.get(f"/articles/{article['id']}/versions")).json()["items"]
    assert [one["title"] for one in versions] == ["新标题", "旧标题"]
    assert (await intake.get("/articles", params={"q": "旧标题"})).json()["items"][0]["article"]["title"] == "新标题"
    assert (await intake.get("/articles", "agent", params={"q": "x"})).json()["items"] == []
