"""Calibration and typical cases."""

import pytest
from services.qa.tests.centre import GOOD, YES_NO_FORM, agent, auditor, changed, recorded_call, supervisor

from chassis.testing import FixedClock
from contracts.quality import CalibrationClosed
from work_orders.testing import ServiceUnderTest

AUDITORS = ("auditor-1", "auditor-2")


async def _session(qa: ServiceUnderTest, **overrides) -> dict:
    await qa.receive(*recorded_call(1), *recorded_call(2))
    await supervisor(qa).post("/evaluation-forms/service/versions", YES_NO_FORM)
    body = {"name": "三月校准", "form_id": "service", "recording_ids": ["rec-1", "rec-2"]}
    return await supervisor(qa).post("/calibration-sessions", body | {"auditor_ids": list(AUDITORS)} | overrides)


async def test_a_session_shows_how_far_auditors_agree(qa: ServiceUnderTest, clock: FixedClock) -> None:
    session = await _session(qa)
    path = f"/calibration-sessions/{session['id']}"
    for sub in AUDITORS:
        for recording in ("rec-1", "rec-2"):
            is_apart = (sub, recording) == ("auditor-2", "rec-2")
            answers = changed(GOOD, greeting="no", solved=1) if is_apart else GOOD
            await auditor(qa, sub).post(f"{path}/scores", {"recording_id": recording, "answers": answers})
    assert len((await auditor(qa).get(path))["scores"]) == 2
    assert (await auditor(qa, "auditor-3").get(path))["scores"] == []
    closed = await supervisor(qa).post(f"{path}/close", version=5)
    event_method = next(one.body.kappa_method for one in await qa.sent() if isinstance(one.body, CalibrationClosed))
    # Three items that people answer on two recordings, four of the six alike.
    assert closed["overall"]["agreement_millionths"] == 666_667
    # Chance within items, by hand: two items with P = Pₑ = 1/2 and one with P = Pₑ = 1: nothing beyond chance.
    assert closed["overall"]["kappa_millionths"] == 0
    assert closed["overall"]["kappa_method"] == event_method == "cohen_within_items"
    by_item = {one["item"]: one["agreement"]["agreement_millionths"] for one in closed["by_item"]}
    assert by_item == {"greeting": 500_000, "solved": 500_000, "privacy": 1_000_000}
    (event,) = [one.body for one in await qa.sent() if isinstance(one.body, CalibrationClosed)]
    assert (event.auditor_ids, event.agreement_millionths) == (AUDITORS, 666_667)
    assert len((await auditor(qa).get(path))["scores"]) == 4


async def test_a_score_is_given_once_by_who_takes_part_and_all_are_needed(qa: ServiceUnderTest) -> None:
    session = await _session(qa)
    path = f"/calibration-sessions/{session['id']}"
    body = {"recording_id": "rec-1", "answers": GOOD}
    await auditor(qa).post(f"{path}/scores", body)
    assert await auditor(qa).refused("POST", f"{path}/scores", body) == (409, "scored_before")
    outside = auditor(qa, "auditor-9")
    assert await outside.refused("POST", f"{path}/scores", body) == (403, "not_in_session")
    assert await supervisor(qa).refused("POST", f"{path}/close", version=2) == (409, "scores_missing")
    assert "scores" not in (await auditor(qa).get("/calibration-sessions"))["items"][0]


@pytest.mark.parametrize(
    ("overrides", "refused"),
    [
        ({"auditor_ids": ["auditor-1"]}, (422, "invalid_request")),
        ({"recording_ids": ["rec-9"]}, (404, "recording_not_found")),
        ({"form_id": "none"}, (404, "evaluation_form_not_found")),
    ],
)
async def test_a_session_that_is_not_right_is_refused(qa: ServiceUnderTest, overrides, refused) -> None:
    await _session(qa)
    body = {"name": "x", "form_id": "service", "recording_ids": ["rec-1"], "auditor_ids": list(AUDITORS)}
    assert await supervisor(qa).refused("POST", "/calibration-sessions", body | overrides) == refused


async def test_typical_cases_are_collected_found_and_retired(qa: ServiceUnderTest) -> None:
    await qa.receive(*recorded_call(1, demand_type="complaint"))
    body = {"recording_id": "rec-1", "kind": "exemplary", "title": "安抚情绪", "lesson": "先倾听，再致歉"}
    case = await auditor(qa).post("/typical-cases", body)
    assert [one["id"] for one in (await agent(qa).get("/typical-cases", demand_type="complaint"))["items"]] == [
        case["id"]
    ]
    await supervisor(qa).post(f"/typical-cases/{case['id']}/retire", version=1)
    assert (await agent(qa).get("/typical-cases"))["items"] == []
    assert len((await agent(qa).get("/typical-cases", is_in_use=False))["items"]) == 1
    body["recording_id"] = "rec-9"
    assert await auditor(qa).refused("POST", "/typical-cases", body) == (404, "recording_not_found")
