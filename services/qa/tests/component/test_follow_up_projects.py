"""What a project hands out and says of itself: promised calls, one call for one cause, the days of a summary."""

from dataclasses import replace
from datetime import date
from typing import Any

from services.qa.tests.centre import NAMES, agent, supervisor
from services.qa.tests.component.test_follow_up import QUESTIONS, project_body

from chassis.testing import FixedClock
from contracts.directory import CalendarDefined, Names
from contracts.limits import SHIPPED
from work_orders.testing import ServiceUnderTest
from work_orders.testing_streams import defined

LISTED = {"cause": "new_subscriber", "deadline_days": 3}


async def _opened(qa: ServiceUnderTest, project_id: str, **overrides: Any) -> str:
    """The project's path."""
    if not await qa.rows("select from calendars"):
        await supervisor(qa).put("/calendars/cn", {})
        await supervisor(qa).post("/questionnaires/visit/versions", {"names": NAMES, "questions": QUESTIONS})
    await supervisor(qa).put(f"/follow-up-projects/{project_id}", project_body(**LISTED | overrides))
    return f"/follow-up-projects/{project_id}"


async def _listed(qa: ServiceUnderTest, path: str, *subscriber_nos: str) -> tuple[int, int]:
    """How many were planned, and how many were known."""
    said = await supervisor(qa).post(f"{path}/subscribers", {"subscriber_nos": list(subscriber_nos)})
    return said["planned_count"], said["known_count"]


async def test_who_wants_to_be_called_again_is_called_although_the_quota_is_reached(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    path = await _opened(qa, "p-1", quotas={"per_day": 1})
    await _listed(qa, path, "1")
    clock.advance(hours=1)
    taken = await agent(qa).post(f"{path}/take")
    later = {"outcome": "call_again", "call_again_at": clock.moment.isoformat()}
    await agent(qa).post(f"/follow-ups/{taken['id']}/attempts", later, version=2)
    # Another one that is due before it, and would be a second one today.
    await supervisor(qa).put(path, project_body(**LISTED | {"deadline_days": 1}, quotas={"per_day": 1}), version=1)
    await _listed(qa, path, "2")
    assert (await agent(qa).post(f"{path}/take"))["subscriber_no"] == "1"
    assert await agent(qa).refused("POST", f"{path}/take") == (409, "quota_reached")


async def test_nobody_is_called_for_one_cause_by_two_projects(qa: ServiceUnderTest, clock: FixedClock) -> None:
    march, april = await _opened(qa, "march"), await _opened(qa, "april")
    other, lists = await _opened(qa, "lost", cause="lost_subscriber"), await _opened(qa, "list", cause="list")
    assert await _listed(qa, march, "1", "2") == (2, 0)
    assert await _listed(qa, april, "2", "3") == (1, 1)
    # What another project asks about, and what a list is about, is not the same thing.
    assert await _listed(qa, other, "2") == (1, 0)
    assert await _listed(qa, lists, "2") == (1, 0)


async def test_what_was_asked_before_a_project_began_may_be_asked_again(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    first = await _opened(qa, "first")
    await _listed(qa, first, "1")
    clock.advance(hours=1)
    taken = await agent(qa).post(f"{first}/take")
    await agent(qa).post(f"/follow-ups/{taken['id']}/attempts", {"outcome": "refused"}, version=2)
    clock.advance(days=40)
    second = await _opened(qa, "second", start=clock.moment.isoformat())
    assert await _listed(qa, second, "1") == (1, 0)


async def test_a_calendar_that_is_put_unchanged_stays_at_its_version(qa: ServiceUnderTest) -> None:
    bodies = ({"holidays": ["2026-01-01"]}, {"holidays": ["2026-01-01"]}, {"holidays": ["2026-01-02"]})
    versions = [(await supervisor(qa).put("/calendars/own", body))["version"] for body in bodies]
    assert versions == [1, 1, 2]
    assert await supervisor(qa).refused("PUT", "/calendars/own", {"days_off": ["5"]}) == (422, "invalid_request")


async def test_the_calendar_that_dispatch_defines_takes_the_place_of_qas_own(qa: ServiceUnderTest) -> None:
    await supervisor(qa).put("/calendars/cn", {"holidays": ["2026-01-01"]})
    working_time = replace(SHIPPED.calendar, holidays=(date(2026, 10, 1),), make_up_days=(date(2026, 10, 10),))
    defined_at_dispatch = CalendarDefined(calendar_id="cn", names=Names("China", "中国"), working_time=working_time)
    await qa.receive(defined(defined_at_dispatch, 7))
    shown = (await qa.get("/calendars/cn", "supervisor")).json()
    assert (shown["version"], shown["holidays"], shown["make_up_days"]) == (7, ["2026-10-01"], ["2026-10-10"])
    assert await supervisor(qa).refused("PUT", "/calendars/cn", {}) == (409, "calendar_is_shared")


async def test_the_shipped_calendar_is_there_until_qa_or_dispatch_defines_one(qa: ServiceUnderTest) -> None:
    shipped = (await qa.get("/calendars/cn", "supervisor")).json()
    assert (shipped["version"], shipped["covered_until"], "2026-10-10" in shipped["make_up_days"]) == (
        0,
        "2026-12-31",
        True,
    )
    await supervisor(qa).put("/calendars/cn", {"holidays": ["2026-01-01"]})
    assert (await qa.get("/calendars/cn", "supervisor")).json()["holidays"] == ["2026-01-01"]


async def test_a_calendar_does_not_take_the_zone_of_whichever_machine_reads_it(qa: ServiceUnderTest) -> None:
    refused = await supervisor(qa).refused("PUT", "/calendars/here", {"time_zone": "localtime"})
    assert refused == (422, "invalid_request")
