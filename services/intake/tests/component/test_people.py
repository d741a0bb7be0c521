"""People's data: sealed in everything that leaves or stays, revealed on the record, held, erased, kept for a time."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from services.intake.tests.service import Intake

from chassis.sealing import MasterKeys
from chassis.testing import MASTER_KEYS, FixedClock
from chassis.unit_of_work import UnitOfWork
from chassis.wakeup import Wakeup
from contracts import events as e
from contracts.lifecycle import Service
from contracts.sealing import SEALED, SealingKeyDestroyed, SealingKeyIssued
from intake.privacy import retention
from intake.privacy.domain import RetentionOutcome
from intake.privacy.erasure import destroyed, on_sealing_keys_of_ours
from work_orders.testing import published

TEXT = "no picture 没有图像"
MASTERS = MasterKeys.parse(MASTER_KEYS)


async def keys_sent(intake: Intake) -> list[Any]:
    async with intake.db.statements() as statements:
        rows = await statements.fetch(
            "select aggregateid, payload, headers from outbox where aggregatetype = 'sealing-keys' order by id"
        )
    return [published(row) for row in rows]


async def everything_in(intake: Intake) -> str:
    """Every row of every table of the database, as text."""
    async with intake.db.statements() as statements:
        tables = await statements.fetch("select tablename from pg_tables where schemaname = 'public'")
        rows = [
            str(dict(row))
            for table in tables
            for row in await statements.fetch(f'select * from "{table["tablename"]}"')
        ]
    return "\n".join(rows)


async def subscriber_id_of(intake: Intake, number: str = "111") -> str:
    found = (await intake.get("/subscribers", params={"subscriber_no": number})).json()
    return found["items"][0]["id"]


async def closed_order(intake: Intake, **overrides: Any) -> dict[str, Any]:
    """An order that dispatch has cancelled."""
    order = await intake.order(**overrides)
    await intake.deliver_own(order["id"])
    await intake.happens(order["id"], Service.DISPATCH, e.WorkOrderCancelled(request_id="r-0", reason="x"))
    return order


async def erase(intake: Intake, subscriber_id: str, role: str = "supervisor") -> Any:
    body = {"ground": "subscriber_asked"}
    return await intake.post(f"/subscribers/{subscriber_id}/erasure", body, role)


async def hold(intake: Intake, subscriber_id: str, **headers: str) -> Any:
    body = {"reason": "police file 17/2026"}
    return await intake.post(f"/subscribers/{subscriber_id}/legal-holds", body, "supervisor", **headers)


async def read_order(intake: Intake, order: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = await intake.client.get(f"/v1/work-orders/{order['id']}", headers=intake.as_("agent", **headers))
    return answer.json()


async def test_what_was_typed_is_sealed_in_every_table_and_open_in_every_answer(intake: Intake) -> None:
    order = await intake.order(content=TEXT)
    await intake.deliver_own(order["id"])
    asked = await intake.post(f"/work-orders/{order['id']}/urge-requests", {"reason": TEXT}, **{"idempotency-key": "k"})
    again = await intake.post(f"/work-orders/{order['id']}/urge-requests", {"reason": TEXT}, **{"idempotency-key": "k"})
    history = (await intake.get(f"/work-orders/{order['id']}/history")).json()
    listed = (await intake.get("/work-orders")).json()["items"][0]
    read = (await intake.get(f"/work-orders/{order['id']}")).json()
    request = (await intake.get(f"/requests/{asked.json()['id']}")).json()
    said = [order["content"], asked.json()["reason"], again.json()["reason"], history[0]["data"]["content"]]
    assert [*said, listed["content"], read["content"], request["reason"]] == [TEXT] * 7
    assert again.json()["id"] == asked.json()["id"]
    assert "sealed_text" not in listed
    assert TEXT not in await everything_in(intake)
    assert SEALED.fullmatch((await read_order(intake, order, **{"linework-texts": "sealed"}))["content"])


async def test_one_key_is_issued_however_many_first_orders_come_at_once(intake: Intake) -> None:
    await asyncio.gather(*(intake.order() for _ in range(6)))
    (message,) = await keys_sent(intake)
    assert isinstance(message.body, SealingKeyIssued)
    assert message.entity_version == 1
    assert (await intake.get("/work-orders")).json()["items"][5]["content"] == TEXT


async def test_after_erasure_nothing_of_the_subscriber_is_left(intake: Intake) -> None:
    me = await intake.subscriber("222", name="欧阳标记", phones=["13911112222"], address="标记路 7 号", notes="标记狗")
    key = {"idempotency-key": "again"}
    await intake.post("/subscribers", {"subscriber_no": "333", "name": "标记三", "address": "标记路 9 号"}, **key)
    third = await subscriber_id_of(intake, "333")
    order = await closed_order(intake, subscriber_no="222", content="标记内容")
    for subscriber_id in (me["id"], third):
        assert (await erase(intake, subscriber_id)).status_code == 200
    assert "标记" not in await everything_in(intake)
    assert "13911112222" not in await everything_in(intake)
    # As another process sees it, or this one ten seconds later.
    intake.app.state.sealing_keys.forget()
    read = await read_order(intake, order, **{"accept-language": "zh"})
    assert (read["content"], read["sealed_text"]) == ("（已随用户资料删除）", "erased")
    history = (await intake.get(f"/work-orders/{order['id']}/history")).json()
    assert (history[0]["data"]["content"], history[0]["sealed_text"]) == (
        "(erased with the subscriber's data)",
        "erased",
    )
    assert (await intake.get(f"/subscribers/{me['id']}")).status_code == 404


async def test_an_erasure_is_told_once_and_answered_the_same_again(intake: Intake) -> None:
    order = await closed_order(intake)
    me = order["subscriber_id"]
    first, second = await erase(intake, me), await erase(intake, me)
    assert first.json() == second.json()
    assert (first.json()["ground"], first.json()["order_count"]) == ("subscriber_asked", 1)
    issued, gone = await keys_sent(intake)
    assert (issued.entity_version, gone.entity_version) == (1, 2)
    assert gone.body == SealingKeyDestroyed(subscriber_id=me, ground="subscriber_asked")
    assert [row["subscriber_id"] for row in (await intake.get("/erasures", "auditor")).json()["items"]] == [me]


async def test_an_open_order_or_a_hold_stands_in_the_way_of_an_erasure(intake: Intake) -> None:
    order = await intake.order()
    me = order["subscriber_id"]
    refused = await erase(intake, me)
    assert (refused.status_code, refused.json()["code"]) == (409, "subscriber_has_open_orders")
    assert refused.json()["order_nos"] == [order["order_no"]]
    await intake.deliver_own(order["id"])
    await intake.happens(order["id"], Service.DISPATCH, e.WorkOrderCancelled(request_id="r-0", reason="x"))
    held = (await hold(intake, me)).json()
    assert (await erase(intake, me)).json()["code"] == "subscriber_on_legal_hold"
    # What was refused has changed nothing: the texts can still be read.
    intake.app.state.sealing_keys.forget()
    assert (await intake.get(f"/work-orders/{order['id']}")).json()["content"] == TEXT
    lifted = await intake.post(f"/legal-holds/{held['id']}/lift", {"reason": "case closed"}, "supervisor")
    assert (lifted.json()["reason"], lifted.json()["lift_reason"]) == ("police file 17/2026", "case closed")
    assert (await intake.post(f"/legal-holds/{held['id']}/lift", {"reason": "x"}, "supervisor")).json()["code"] == (
        "legal_hold_lifted"
    )
    assert (await erase(intake, me)).status_code == 200


async def test_of_an_erasure_and_a_first_order_at_once_one_is_refused(intake: Intake) -> None:
    for number in range(8):
        me = await intake.subscriber(f"9{number}")
        body = {"subscriber_no": f"9{number}", "device_type": "digital", "demand_type": "test", "content": TEXT}
        erased, created = await asyncio.gather(erase(intake, me["id"]), intake.post("/work-orders", body))
        outcome = (erased.status_code, created.status_code)
        assert outcome in {(200, 404), (200, 409), (409, 201)}, (erased.text, created.text)
        if created.status_code == 201:
            assert (await intake.get(f"/work-orders/{created.json()['id']}")).json()["content"] == TEXT


async def test_nothing_is_asked_about_the_order_of_an_erased_subscriber(intake: Intake) -> None:
    order = await closed_order(intake)
    await erase(intake, order["subscriber_id"])
    answer = await intake.post(f"/work-orders/{order['id']}/cancel-requests", {"reason": "x"})
    assert (answer.status_code, answer.json()["code"]) == (409, "subscriber_erased")


async def test_a_reveal_shows_all_and_is_on_record_with_who_when_and_what_for(intake: Intake) -> None:
    order = await intake.order()
    me = order["subscriber_id"]
    assert (await intake.get(f"/subscribers/{me}", "auditor")).json()["is_masked"]
    body = {"purpose": "quality_check", "reason": "the recording names another street"}
    shown = await intake.post(f"/subscribers/{me}/reveals", body, "auditor", **{"idempotency-key": "k"})
    assert (shown.json()["phones"], shown.json()["is_masked"]) == (["+8613800000042"], False)
    again = await intake.post(f"/subscribers/{me}/reveals", body, "auditor", **{"idempotency-key": "k"})
    assert again.json() == shown.json()
    await intake.post(f"/work-orders/{order['id']}/subscriber/reveals", {"purpose": "visit"}, "dispatcher")
    latest, first = (await intake.get("/reveals", "supervisor")).json()["items"]
    assert (first["revealed_by"], first["role"], first["purpose"]) == ("auditor-1", "auditor", "quality_check")
    assert (first["reason"], first["work_order_id"]) == (body["reason"], None)
    assert (latest["role"], latest["work_order_id"], latest["reason"]) == ("dispatcher", order["id"], None)
    assert body["reason"] not in await everything_in(intake)
    mine = (await intake.get("/reveals", "auditor", params={"revealed_by": "auditor-1"})).json()["items"]
    assert [row["id"] for row in mine] == [first["id"]]


async def test_without_a_purpose_nothing_is_revealed(intake: Intake) -> None:
    me = await subscriber_id_of(intake)
    assert (await intake.post(f"/subscribers/{me}/reveals", {}, "auditor")).status_code == 422
    assert (await intake.post(f"/subscribers/{me}/reveals", {"purpose": "curiosity"}, "auditor")).status_code == 422
    assert await intake.count("reveals") == 0


async def switch_on(intake: Intake, keep_days: int = 1825) -> None:
    body = {"keep_days": keep_days, "is_active": True}
    answer = await intake.client.put("/v1/retention-rules/subscribers", json=body, headers=intake.as_("operator"))
    assert answer.json()["is_active"] is True


def retention_work(intake: Intake, clock: FixedClock) -> UnitOfWork:
    return retention.unit_of_work(intake.db, Wakeup(intake.db.url), clock)


async def run_retention(intake: Intake, clock: FixedClock, masters: MasterKeys = MASTERS) -> RetentionOutcome | None:
    return await retention.run_if_due(masters, uow=retention_work(intake, clock))


@pytest.fixture
def years_later() -> FixedClock:
    clock = FixedClock()
    clock.moment += timedelta(days=365 * 30)
    return clock


async def test_retention_erases_who_was_kept_long_enough_and_nobody_on_hold_or_with_open_orders(
    intake: Intake, years_later: FixedClock
) -> None:
    held, busy = await intake.subscriber("on-hold"), await intake.subscriber("busy")
    await hold(intake, held["id"])
    await intake.order(subscriber_no="busy")
    order = await closed_order(intake)
    await intake.post(f"/subscribers/{held['id']}/reveals", {"purpose": "visit"}, "auditor")
    await intake.post(f"/subscribers/{busy['id']}/reveals", {"purpose": "visit"}, "auditor")
    await switch_on(intake)
    outcome = await run_retention(intake, years_later)
    assert (outcome.subscribers_erased, outcome.reveals_deleted) == (1, 1)
    left = (await intake.get("/subscribers")).json()["items"]
    assert {one["subscriber_no"] for one in left} == {"on-hold", "busy"}
    (evidence,) = (await intake.get("/erasures", "operator")).json()["items"]
    assert (evidence["subscriber_id"], evidence["ground"]) == (order["subscriber_id"], "retention_ended")
    assert await run_retention(intake, years_later) is None
    years_later.advance(days=1)
    assert (await run_retention(intake, years_later)).subscribers_erased == 0


async def test_an_operator_says_how_long_things_are_kept(intake: Intake, clock_of_intake: FixedClock) -> None:
    rules = {row["data_class"]: row for row in (await intake.get("/retention-rules", "auditor")).json()["items"]}
    assert (rules["subscribers"]["keep_days"], rules["subscribers"]["changed_by"]) == (1825, None)
    order = await closed_order(intake)
    clock_of_intake.advance(days=40)
    assert (await run_retention(intake, clock_of_intake)).subscribers_erased == 0
    await switch_on(intake, keep_days=30)
    clock_of_intake.advance(days=1)
    assert (await run_retention(intake, clock_of_intake)).subscribers_erased == 1
    assert (await intake.get(f"/subscribers/{order['subscriber_id']}")).status_code == 404


@pytest.fixture
def clock_of_intake(intake: Intake) -> FixedClock:
    """The run's clock: the time of the rows is the real one."""
    clock = FixedClock()
    clock.moment = intake.app.state.clock.now()
    return clock


async def test_what_was_erased_is_said_again_on_the_days_after(intake: Intake, clock_of_intake: FixedClock) -> None:
    order = await closed_order(intake)
    await erase(intake, order["subscriber_id"])
    before = await keys_sent(intake)
    for days, said in ((1, 1), (2, 2), (5, 2)):
        clock_of_intake.moment = intake.app.state.clock.now() + timedelta(days=days)
        await run_retention(intake, clock_of_intake)
        assert len(await keys_sent(intake)) == len(before) + said
    assert {(one.entity_version, one.body.ground) for one in (await keys_sent(intake))[1:]} == {(2, "subscriber_asked")}


async def test_a_new_master_key_wraps_all_keys_anew_and_the_old_one_can_go(
    intake: Intake, clock_of_intake: FixedClock
) -> None:
    order = await intake.order()
    both = MasterKeys.parse("next:" + "B" * 43 + "=," + MASTER_KEYS)
    assert (await run_retention(intake, clock_of_intake, both)).keys_wrapped_anew == 1
    issued = (await keys_sent(intake))[-1]
    assert (issued.entity_version, issued.body.master_key_id) == (2, "next")
    keys = intake.app.state.sealing_keys
    keys.masters = MasterKeys.parse("next:" + "B" * 43 + "=")
    keys.forget()
    assert (await intake.get(f"/work-orders/{order['id']}")).json()["content"] == TEXT
    keys.masters = MASTERS
    keys.forget()
    read = (await intake.get(f"/work-orders/{order['id']}")).json()
    assert (read["content"], read["sealed_text"]) == ("(cannot be read)", "unreadable")


async def test_an_erasure_that_a_restored_database_has_forgotten_is_done_again_from_the_stream(intake: Intake) -> None:
    order = await closed_order(intake)
    (issued,) = await keys_sent(intake)
    gone = destroyed(order["subscriber_id"], "subscriber_asked", 2, issued.actor, now=issued.recorded_at)
    for _ in range(2):
        async with intake.db.begin() as tx:
            await on_sealing_keys_of_ours([gone, issued], tx)
    assert (await intake.get(f"/subscribers/{order['subscriber_id']}")).status_code == 404
    (evidence,) = (await intake.get("/erasures", "auditor")).json()["items"]
    assert (evidence["ground"], evidence["role"], evidence["order_count"]) == ("subscriber_asked", "agent", 1)


async def test_an_erasure_takes_the_words_and_numbers_out_of_the_subscribers_calls(intake: Intake) -> None:
    me = await intake.subscriber("222", phones=["13911112222"])
    call = {
        "channel": "walk_in",
        "started_at": "2026-03-01T08:00:00Z",
        "ended_at": "2026-03-01T08:05:00Z",
        "phone": "13911112222",
    }
    key = {"idempotency-key": "k"}
    logged = (await intake.post("/calls", call, **key)).json()
    record = {"organisation": "标记一", "caller_name": "标记二", "caller_position": "主任", "content": "标记三"}
    headers = intake.as_("agent", **key)
    await intake.client.put(f"/v1/calls/{logged['id']}/record", json=record, headers=headers)
    path = f"/calls/{logged['id']}/settlements"
    asked = {"outcome": "department", "department": "billing", "question": "标记四"}
    assert (await intake.post(path, asked, **key)).status_code == 201
    order = {"subscriber_no": "222", "device_type": "digital", "demand_type": "test", "content": "标记五"}
    assert (await intake.post(path, {"outcome": "work_order", "order": order})).status_code == 201
    assert "标记" not in await everything_in(intake)
    assert (await intake.get(f"/calls/{logged['id']}")).json()["record"]["content"] == "标记三"
    (asked_about,) = (await intake.get("/referrals")).json()["items"]
    assert (asked_about["question"], asked_about["sealed_text"]) == ("标记四", None)
    created = (await intake.get("/work-orders", params={"subscriber_no": "222"})).json()["items"][0]
    assert created["content"] == "标记五"
    await intake.deliver_own(created["id"])
    await intake.happens(created["id"], Service.DISPATCH, e.WorkOrderCancelled(request_id="r-0", reason="x"))
    assert (await erase(intake, me["id"])).status_code == 200
    left = await everything_in(intake)
    assert "标记" not in left
    assert "13911112222" not in left
    assert (await intake.get(f"/calls/{logged['id']}")).json()["record"]["content"] == ""


async def logged_call(intake: Intake, phone: str, words: str) -> dict[str, Any]:
    """A call from a number, with what the agent wrote about it."""
    times = {"started_at": "2026-03-01T08:00:00Z", "ended_at": "2026-03-01T08:05:00Z"}
    call = (await intake.post("/calls", {**times, "phone": phone})).json()
    headers = intake.as_("agent")
    await intake.client.put(f"/v1/calls/{call['id']}/record", json={"content": words, "remark": words}, headers=headers)
    reply_by = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    case = {"outcome": "difficult_case", "content": words, "contact": words, "reply_by": reply_by}
    assert (await intake.post(f"/calls/{call['id']}/settlements", case)).status_code == 201
    return call


async def test_words_about_a_stranger_are_sealed_when_somebody_says_who_it_was(intake: Intake) -> None:
    call = await logged_call(intake, "13911112222", "标记一")
    assert "标记一" in await everything_in(intake)
    await intake.post(f"/calls/{call['id']}/classify", {"subscriber_no": "111"})
    assert "标记一" not in await everything_in(intake)
    assert (await intake.get(f"/calls/{call['id']}")).json()["record"]["remark"] == "标记一"
    (case,) = (await intake.get("/cases")).json()["items"]
    assert (case["content"], case["contact"]) == ("标记一", "标记一")


async def test_an_erasure_reaches_calls_from_their_numbers_that_nobody_gave_to_anybody(intake: Intake) -> None:
    await logged_call(intake, "13911112222", "标记一")
    other = await logged_call(intake, "13933334444", "标记二")
    me = await intake.subscriber("222", phones=["13911112222"])
    assert (await erase(intake, me["id"])).status_code == 200
    left = await everything_in(intake)
    assert "标记一" not in left
    assert "13911112222" not in left
    assert (await intake.get(f"/calls/{other['id']}")).json()["record"]["content"] == "标记二"


async def test_who_stays_unknown_is_forgotten_after_a_time_and_their_call_still_counts(intake: Intake) -> None:
    call = await logged_call(intake, "13911112222", "标记一")
    known = await logged_call(intake, "+8613800000042", "标记二")
    at = FixedClock()
    at.advance(days=364)
    await run_retention(intake, at)
    assert "标记一" in await everything_in(intake)
    at.advance(days=2)
    outcome = await run_retention(intake, at)
    assert outcome is not None
    assert outcome.callers_forgotten == 1
    left = await everything_in(intake)
    assert "标记一" not in left
    assert "13911112222" not in left
    shown = (await intake.get(f"/calls/{call['id']}")).json()
    assert (shown["phone"], shown["record"]["content"], shown["state"]) == (None, "", "ended")
    assert (await intake.get(f"/calls/{known['id']}")).json()["record"]["content"] == "标记二"
    at.advance(days=1)
    again = await run_retention(intake, at)
    assert again is not None
    assert again.callers_forgotten == 0


async def test_who_was_registered_before_everybody_had_a_key_gets_one(intake: Intake) -> None:
    async with intake.db.statements() as statements:
        await statements.execute("delete from sealing_keys")
        await statements.execute("delete from outbox")
    uow = retention_work(intake, FixedClock())
    count = await retention.issue_all_missing(MASTERS, uow=uow)
    (issued,) = await keys_sent(intake)
    assert (count, issued.entity_version) == (1, 1)
    assert await retention.issue_all_missing(MASTERS, uow=uow) == 0
