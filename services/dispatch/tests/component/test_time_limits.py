"""Time limits: what was shipped, what operators define, and what the others are told of it."""

from datetime import UTC, datetime

import pytest

from contracts.calendar import Hours
from contracts.events import SlaClock, Zone
from contracts.limits import SHIPPED, TimeLimit, TimeLimitsDefined
from work_orders.time_limits import on_deadlines

PATH = "/v1/rules/time-limits"
HOURS = [{"begin_minute": 510, "end_minute": 720}, {"begin_minute": 810, "end_minute": 1080}]
CALENDAR = {"time_zone": "Asia/Shanghai", "days_off": [6, 5, 6], "make_up_days": ["2026-09-27"], "hours": HOURS}
RULES = {
    "limits": [
        {"clock": "arrive", "minutes": None, "demand_type": "test"},
        {"clock": "arrive", "minutes": 60, "zone": "remote"},
        {"clock": "reply", "minutes": 480, "is_working_time": True},
    ],
    "calendar": CALENDAR,
    "longest_extension_minutes": 120,
}


async def test_what_was_shipped_holds_until_an_operator_defines_limits(desk):
    shown = (await desk.get(PATH)).json()
    assert (shown["version"], shown["changed_by"], shown["changed_at"]) == (0, None, None)
    arrive = [limit["minutes"] for limit in shown["rules"]["limits"] if limit["clock"] == "arrive" and limit["zone"]]
    assert arrive == [45, 90, 120]
    assert await desk.outbox() == []
    assert shown["rules"]["longest_extension_minutes"] == SHIPPED.longest_extension_minutes


async def test_a_set_of_limits_is_kept_shown_and_published_whole(desk):
    shown = (await desk.put(PATH, **RULES)).json()
    assert (shown["version"], shown["changed_by"]) == (1, "operator-1")
    (message,) = await desk.outbox()
    assert (message.subject, message.entity_version, message.type) == (
        "time_limits",
        1,
        "linework.deadlines.time_limits.v1",
    )
    rules: TimeLimitsDefined = message.body
    assert rules.limits == (
        TimeLimit(clock=SlaClock.ARRIVE, minutes=None, demand_type="test"),
        TimeLimit(clock=SlaClock.ARRIVE, minutes=60, zone=Zone.REMOTE),
        TimeLimit(clock=SlaClock.REPLY, minutes=480, is_working_time=True),
    )
    assert (rules.calendar.days_off, rules.calendar.hours[0]) == ((5, 6), Hours(begin_minute=510, end_minute=720))
    assert rules.applies_from <= message.occurred_at
    assert (await desk.get(PATH, "technician")).json() == shown


async def test_limits_said_again_are_no_version_unless_they_are_dated(desk):
    versions = [
        (await desk.put(PATH, **body)).json()["version"]
        for body in (
            RULES,
            RULES,
            {**RULES, "applies_from": "2026-01-01T00:00:00+08:00"},
            RULES,
            {**RULES, "longest_extension_minutes": 0},
        )
    ]
    assert versions == [1, 1, 2, 2, 3]
    published = [message.body.applies_from for message in await desk.outbox()]
    assert published[1] == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert len(published) == 3


@pytest.mark.parametrize(
    ("calendar", "code"),
    [
        ({"time_zone": "Asia/Peking"}, "calendar_time_zone_unknown"),
        ({"time_zone": "localtime"}, "calendar_time_zone_unknown"),
        ({"hours": HOURS[::-1]}, "hours_overlap"),
        ({"hours": [{"begin_minute": 60, "end_minute": 60}]}, "hours_overlap"),
        ({"hours": [{"begin_minute": 0, "end_minute": 60}, {"begin_minute": 60, "end_minute": 90}]}, "hours_overlap"),
        ({"days_off": [0, 1, 2, 3, 4, 5, 6]}, "too_little_working_time"),
        ({"hours": [{"begin_minute": 0, "end_minute": 11}]}, "too_little_working_time"),
        ({"hours": []}, "invalid_request"),
        ({"days_off": [7]}, "invalid_request"),
    ],
)
async def test_a_calendar_that_nothing_can_be_counted_in_is_refused(desk, calendar, code):
    answer = await desk.put(PATH, **{**RULES, "calendar": CALENDAR | calendar})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await desk.get(PATH)).json()["version"] == 0


async def test_only_operators_and_supervisors_change_limits(desk):
    assert (await desk.put(PATH, "dispatcher", **RULES)).status_code == 403
    assert (await desk.put(PATH, "supervisor", **RULES)).status_code == 200


async def test_limits_come_back_from_the_topic_after_a_restore(desk):
    await desk.put(PATH, **RULES)
    published = await desk.outbox()
    async with desk.db.begin() as tx:
        await tx.execute("delete from time_limits")
        await on_deadlines([*published, *published], tx)
    assert (await desk.get(PATH)).json()["version"] == 1
