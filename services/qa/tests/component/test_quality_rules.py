"""Whose day it is: of the zone that an operator has set, and not of the servers' clock."""

import pytest
from services.qa.tests.centre import GOOD, YES_NO_FORM, Person, auditor, changed, plan_body, recorded_call, supervisor

from chassis.testing import FixedClock
from work_orders.testing import BEGIN, ServiceUnderTest


async def _adjudicated_on(qa: ServiceUnderTest, clock: FixedClock) -> str:
    """The day that counts an adjudication of this moment."""
    await qa.receive(*recorded_call(1))
    now, clock.moment = clock.moment, BEGIN
    plan = await supervisor(qa).post("/sampling-plans", plan_body(clock.now(), double_blind_every=1))
    clock.moment = now
    await supervisor(qa).post(f"/sampling-plans/{plan['id']}/draw", version=1)
    for sub in ("auditor-1", "auditor-2"):
        await supervisor(qa).put(f"/auditors/{sub}", {})
    await supervisor(qa).post("/evaluation-forms/service/versions", YES_NO_FORM)
    given = {"form_id": "service", "day_on": "2026-03-02"}
    await supervisor(qa).post(f"/sampling-plans/{plan['id']}/assignments", given)
    for sub, answers in (("auditor-1", GOOD), ("auditor-2", changed(GOOD, solved=0))):
        (one,) = (await auditor(qa, sub).get("/evaluations", auditor_id=sub))["items"]
        await auditor(qa, sub).post(f"/evaluations/{one['id']}/submit", {"answers": answers}, version=1)
    (review,) = (await supervisor(qa).get("/reviews", state="differing"))["items"]
    path = f"/reviews/{review['id']}/adjudicate"
    return (await auditor(qa, "auditor-3").post(path, {"answers": GOOD}, version=review["version"]))["day_on"]


@pytest.mark.parametrize(("zone", "day"), [(None, "2026-03-03"), ("Europe/Lisbon", "2026-03-02")])
async def test_a_day_of_the_auditors_is_one_of_the_zone_of_the_rules(
    qa: ServiceUnderTest, clock: FixedClock, zone: str | None, day: str
) -> None:
    clock.advance(hours=9)  # 17:00 in London, one in the morning of the next day in Shanghai
    if zone:
        await Person(qa, "operator").put("/rules/quality", {"time_zone": zone})
    assert (await supervisor(qa).get("/auditor-reports/day"))["from_on"] == day
    assert await _adjudicated_on(qa, clock) == day


async def test_how_long_an_agent_has_been_here_is_counted_in_that_zone(qa: ServiceUnderTest, clock: FixedClock) -> None:
    # A call of the first of April in Shanghai, where the agent began on the first of March.
    clock.moment = BEGIN.replace(month=3, day=31, hour=16)
    await supervisor(qa).put("/agents/agent-1", {"joined_on": "2026-03-01"})
    await qa.receive(*recorded_call(1, at=clock.moment))
    plan = await supervisor(qa).post("/sampling-plans", plan_body(clock.now()))
    clock.advance(hours=2)
    await supervisor(qa).post(f"/sampling-plans/{plan['id']}/draw", version=1)
    (row,) = (await supervisor(qa).get(f"/sampling-plans/{plan['id']}/frame"))["items"]
    assert row["facts"]["seniority_months"] == 1


async def test_the_rules_say_who_changed_them_and_take_no_zone_that_is_none(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    shipped = await supervisor(qa).get("/rules/quality")
    assert shipped == {"time_zone": "Asia/Shanghai", "version": 1, "changed_by": None, "changed_at": None}
    written = await supervisor(qa).put("/rules/quality", {"time_zone": "Asia/Kathmandu"})
    assert (written["time_zone"], written["version"], written["changed_by"]) == ("Asia/Kathmandu", 2, "supervisor-1")
    assert await supervisor(qa).get("/rules/quality") == written
    for wrong in ("Mars/Olympus", "localtime", ""):
        refused = await supervisor(qa).refused("PUT", "/rules/quality", {"time_zone": wrong})
        assert refused == (422, "invalid_request")
    for role in ("agent", "auditor", "dispatcher"):
        refused = await Person(qa, role).refused("PUT", "/rules/quality", {"time_zone": "UTC"})
        assert refused == (403, "role_not_allowed")
