"""The clocks beside an order: in lists, in the order and in its form."""

from datetime import UTC, datetime
from typing import Any

from chassis.testing import eventually
from contracts import events as e
from contracts.lifecycle import Service

LIMITS = "/v1/rules/time-limits"
HOURS = [{"begin_minute": 510, "end_minute": 720}, {"begin_minute": 810, "end_minute": 1080}]
SHORT_WEEK = {"time_zone": "Asia/Shanghai", "days_off": [5, 6], "hours": HOURS, "name_en": "A", "name_zh": "甲"}
RULES: dict[str, Any] = {
    "applies_from": "2026-01-01T00:00:00Z",
    "limits": [
        {"clock": "dispatch", "minutes": 15},
        {"clock": "restore", "minutes": 240},
        {"clock": "reply", "minutes": 480, "is_working_time": True, "calendar_id": "city"},
    ],
    "calendar": {"time_zone": "UTC", "days_off": [], "hours": [{"begin_minute": 0, "end_minute": 1440}]},
    "longest_extension_minutes": 60,
}


async def test_a_list_an_order_and_its_form_show_the_same_clocks(staffed_desk):
    await staffed_desk.create("o-1")
    listed = (await staffed_desk.get("/v1/work-orders")).json()["items"][0]
    alone = (await staffed_desk.get("/v1/work-orders/o-1")).json()
    form = (await staffed_desk.get("/v1/work-orders/o-1/form")).json()["order"]
    for shown in (listed, alone, form):
        (clock,) = shown["clocks"]
        assert (clock["clock"], clock["phase"], clock["limit_seconds"]) == ("arrive", "running", 2700)
        assert clock["used_seconds"] + clock["left_seconds"] == 2700
        assert (clock["began_at"], clock["due_at"]) == ("2026-03-02T08:00:00Z", "2026-03-02T08:45:00Z")
        assert (clock["stopped_at"], clock["is_in_time"], clock["rules_version"]) == (None, None, 0)


async def test_limits_of_a_new_set_show_their_clocks_and_each_may_have_its_calendar(staffed_desk):
    calendar = SHORT_WEEK | {"announced_years": [2026]}
    assert (await staffed_desk.put("/v1/calendars/city", **calendar)).status_code == 200
    assert (await staffed_desk.put(LIMITS, **RULES)).status_code == 200
    await staffed_desk.create("o-1")

    async def clocks() -> dict[str, Any]:
        found = (await staffed_desk.get("/v1/work-orders/o-1")).json()["clocks"]
        return {one["clock"]: one for one in found}

    shown = await eventually(clocks, until=lambda found: "restore" in found)
    assert {*shown} == {"dispatch", "restore", "reply"}
    assert (shown["reply"]["due_at"], shown["reply"]["covered_until"]) == ("2026-03-03T08:00:00Z", "2026-12-31")
    assert (shown["restore"]["covered_until"], shown["restore"]["rules_version"]) == (None, 1)


async def test_a_changed_calendar_reaches_the_limits_that_name_it(staffed_desk):
    await staffed_desk.put("/v1/calendars/city", **SHORT_WEEK)
    await staffed_desk.put(LIMITS, **RULES)
    await staffed_desk.put("/v1/calendars/city", **SHORT_WEEK | {"holidays": ["2026-03-03"]})
    followed = (await staffed_desk.get(LIMITS)).json()
    assert followed["version"] == 2
    (named,) = followed["rules"]["calendars"]
    assert (named["calendar_id"], named["working_time"]["holidays"]) == ("city", ["2026-03-03"])
    assert followed["rules"]["calendar"]["time_zone"] == "UTC"


async def test_a_calendar_is_for_limits_of_working_time(staffed_desk):
    limits = [{"clock": "arrive", "minutes": 10, "calendar_id": "city"}]
    refused = await staffed_desk.put(LIMITS, **RULES | {"limits": limits})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    limits = [{"clock": "arrive", "minutes": 10, "is_working_time": True, "calendar_id": "nowhere"}]
    refused = await staffed_desk.put(LIMITS, **RULES | {"limits": limits})
    assert (refused.status_code, refused.json()["code"]) == (404, "calendar_not_found")
    assert (await staffed_desk.get(LIMITS)).json()["version"] == 0


async def test_a_suspended_order_says_why_its_clocks_rest(staffed_desk):
    stream = await staffed_desk.create("o-1")
    await staffed_desk.dispatch("o-1")
    (dispatched,) = await staffed_desk.outbox("o-1")
    stream.follow(dispatched)
    suspended = e.WorkOrderSuspended(reason="等配件", until=datetime(2026, 3, 9, tzinfo=UTC))
    await staffed_desk.hear(stream.write(suspended, Service.FIELDWORK))
    shown = (await staffed_desk.get("/v1/work-orders/o-1")).json()
    (clock,) = shown["clocks"]
    assert (clock["phase"], clock["due_at"], clock["paused_reason"]) == ("paused", None, "等配件")
    assert clock["paused_since"] == shown["suspension"]["suspended"]["at"]
