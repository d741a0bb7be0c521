"""Calendars: kept, shown, published, taken back after a restore, and followed by the time limits that name one."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from prometheus_client import REGISTRY

from dispatch import recovery, views
from work_orders.calendar_coverage import measure

PATH, LIMITS = "/v1/calendars/cn", "/v1/rules/time-limits"
CHINA: dict[str, Any] = {
    "name_en": "Working days in China",
    "name_zh": "中国工作日",
    "time_zone": "Asia/Shanghai",
    "days_off": [6, 5],
    "hours": [{"begin_minute": 510, "end_minute": 1080}],
    "holidays": ["2026-01-02", "2026-01-01"],
    "make_up_days": ["2026-01-04"],
    "statutory_days": ["2026-01-01"],
    "announced_years": [2026],
    "provisional_years": [2027],
}
OF_CALENDAR = {"limits": [], "calendar_id": "cn", "longest_extension_minutes": 60}


async def test_a_calendar_is_kept_shown_and_published(desk):
    shown = (await desk.put(PATH, **CHINA)).json()
    assert (shown["version"], shown["days_off"], shown["covered_until"]) == (1, [5, 6], "2026-12-31")
    assert (await desk.get(PATH, "technician")).json() == shown
    assert (await desk.get("/v1/calendars")).json() == {"items": [shown], "next_cursor": None}
    (message,) = await desk.outbox("calendar:cn")
    assert (message.type, message.entity_version) == ("linework.directory.calendar.v1", 1)
    assert message.body.working_time.holidays == (date(2026, 1, 1), date(2026, 1, 2))


async def test_an_unchanged_calendar_makes_no_version(desk):
    versions = [(await desk.put(PATH, **CHINA | change)).json()["version"] for change in ({}, {"days_off": [5, 6]})]
    assert versions == [1, 1]
    assert len(await desk.outbox("calendar:cn")) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"time_zone": "Asia/Peking"}, "calendar_time_zone_unknown"),
        ({"hours": [{"begin_minute": 60, "end_minute": 60}]}, "hours_overlap"),
        ({"days_off": [0, 1, 2, 3, 4, 5, 6]}, "too_little_working_time"),
        ({"statutory_days": ["2026-05-01"]}, "statutory_day_is_worked"),
        ({"announced_years": [2026, 2027]}, "year_announced_and_provisional"),
        ({"holidays": ["2026-02-30"]}, "invalid_request"),
        ({"announced_years": [9999]}, "invalid_request"),
    ],
)
async def test_a_calendar_that_cannot_be_counted_in_is_refused_and_changes_nothing(desk, change, code):
    refused = await desk.put(PATH, **CHINA | change)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert (await desk.get(PATH)).json()["version"] == 0


async def test_a_calendar_that_nobody_defined_is_not_found(desk):
    missing = await desk.get("/v1/calendars/nowhere")
    assert (missing.status_code, missing.json()["code"]) == (404, "calendar_not_found")


async def test_the_announced_years_of_china_are_there_before_anybody_defines_them(desk):
    shipped = (await desk.get(PATH)).json()
    assert (shipped["version"], shipped["covered_until"]) == (0, "2026-12-31")
    await desk.put("/v1/calendars/au", **CHINA)
    listed = (await desk.get("/v1/calendars", limit=1)).json()
    assert [one["calendar_id"] for one in listed["items"]] == ["au"]
    assert (await desk.get("/v1/calendars", cursor=listed["next_cursor"])).json()["items"] == [shipped]
    limits = (await desk.put(LIMITS, **OF_CALENDAR)).json()["rules"]["calendar"]
    assert (limits["covered_until"], limits["make_up_days"][-1]) == ("2026-12-31", "2026-10-10")


async def test_every_day_of_a_calendar_is_of_a_kind_that_has_names(desk):
    days = (await desk.get(f"{PATH}/days", first="2026-10-01", last="2026-10-10")).json()
    assert days["covered_until"] == "2026-12-31"
    kinds = [day["kind"] for day in days["items"]]
    assert kinds == ["statutory"] * 3 + ["rest"] * 4 + ["workday"] * 2 + ["make_up"]
    named = {key: days["items"][0][key] for key in ("name_zh", "name_en", "is_worked")}
    assert named == {"name_zh": "法定节假日", "name_en": "public holiday", "is_worked": False}
    refused = await desk.get(f"{PATH}/days", first="2026-10-10", last="2026-10-01")
    assert (refused.status_code, refused.json()["code"]) == (422, "days_unclear")


async def test_limits_with_a_working_time_of_their_own_say_until_when_it_is_covered(desk):
    own = {name: CHINA[name] for name in ("time_zone", "days_off", "hours")} | {"covered_until": "2027-12-31"}
    shown = (await desk.put(LIMITS, limits=[], calendar=own, longest_extension_minutes=60)).json()
    assert shown["rules"]["calendar"]["covered_until"] == "2027-12-31"


@pytest.mark.parametrize("is_defined", [True, False])
async def test_the_coverage_of_the_limits_calendar_is_measured(desk, is_defined):
    limit = {"clock": "reply", "minutes": 60, "is_working_time": True}
    own = {name: CHINA[name] for name in ("time_zone", "days_off", "hours")}
    count_in = {"calendar_id": "cn"} if is_defined else {"calendar": own}
    await desk.put(LIMITS, limits=[limit], **count_in, longest_extension_minutes=60)
    async with desk.db.statements() as statements:
        measure("time_limits", await views.calendars_in_use(statements))
    sample = REGISTRY.get_sample_value(
        "linework_calendars_covered_until_timestamp_seconds", {"counted_in_by": "time_limits"}
    )
    assert sample == (datetime(2026, 12, 31, 16, tzinfo=UTC).timestamp() if is_defined else 0)
    measure("time_limits", [])


async def test_time_limits_that_name_a_calendar_follow_its_changes_as_of_the_same_moment(desk):
    await desk.put(PATH, **CHINA)
    set_by = (await desk.put(LIMITS, **OF_CALENDAR | {"applies_from": "2026-01-01T00:00:00Z"})).json()
    assert (set_by["version"], set_by["rules"]["calendar"]["holidays"]) == (1, ["2026-01-01", "2026-01-02"])
    await desk.put(PATH, **CHINA | {"holidays": ["2026-01-01"]})
    followed = (await desk.get(LIMITS)).json()
    assert (followed["version"], followed["rules"]["calendar"]["holidays"]) == (2, ["2026-01-01"])
    assert followed["rules"]["applies_from"] == set_by["rules"]["applies_from"]
    assert [message.entity_version for message in await desk.outbox("time_limits")] == [1, 2]


async def test_time_limits_with_a_working_time_of_their_own_do_not_follow_a_calendar(desk):
    own = {name: CHINA[name] for name in ("time_zone", "days_off", "hours")}
    await desk.put(LIMITS, limits=[], calendar=own, longest_extension_minutes=60)
    await desk.put(PATH, **CHINA)
    assert (await desk.get(LIMITS)).json()["version"] == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"calendar_id": "nowhere"}, 404, "calendar_not_found"),
        ({"calendar_id": None}, 422, "invalid_request"),
        ({"calendar": {name: CHINA[name] for name in ("time_zone", "days_off", "hours")}}, 422, "invalid_request"),
    ],
)
async def test_time_limits_name_one_calendar(desk, change, status, code):
    await desk.put(PATH, **CHINA)
    refused = await desk.put(LIMITS, **OF_CALENDAR | change)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (await desk.get(LIMITS)).json()["version"] == 0


async def test_a_restored_database_takes_calendars_back_and_publishes_them_again(desk):
    shown = (await desk.put(PATH, **CHINA)).json()
    published = await desk.outbox("calendar:cn")
    async with desk.db.statements() as statements:
        await statements.execute("delete from calendars")
    async with desk.db.begin() as tx:
        await recovery.take_back(published, tx)
    assert (await desk.get(PATH)).json() == shown
    async with desk.db.begin() as tx:
        messages, _ = await recovery.directory(tx, "", datetime.now(UTC))
    assert [message.body for message in messages] == [message.body for message in published]
