"""Evaluation: assigned within capacity, scored in three scores, double-blind, adjudicated, appealed."""

from datetime import timedelta

import pytest
from services.qa.tests.centre import (
    GOOD,
    YES_NO_FORM,
    agent,
    auditor,
    changed,
    plan_body,
    recorded_call,
    supervisor,
)

from chassis.testing import FixedClock
from contracts.quality import AppealDecided, EvaluationAppealed, RecordingEvaluated, RevisionCause
from work_orders.testing import BEGIN, ServiceUnderTest

DAY = "2026-03-02"


async def _sample(
    qa: ServiceUnderTest, clock: FixedClock, *, calls: int = 4, quota: int = 100, double_blind_every: int = 0, **call
) -> str:
    """A drawn sample; the id of its plan."""
    for number in range(calls):
        at = BEGIN + timedelta(seconds=number)
        await qa.receive(*recorded_call(number, **{"agent_id": f"agent-{number % 2 + 1}", "at": at} | call))
    strata = [{"stratum": "all", "quota_per_agent": quota}]
    body = plan_body(clock.now(), strata=strata, double_blind_every=double_blind_every)
    plan = await supervisor(qa).post("/sampling-plans", body)
    clock.advance(hours=2)
    await supervisor(qa).post(f"/sampling-plans/{plan['id']}/draw", version=1)
    return plan["id"]


async def _assigned(qa: ServiceUnderTest, plan_id: str, *, capacity: int = 60, auditors: int = 2) -> dict:
    for number in range(auditors):
        await supervisor(qa).put(f"/auditors/auditor-{number + 1}", {"daily_capacity": capacity})
    if not await qa.rows("select from evaluation_forms"):
        await supervisor(qa).post("/evaluation-forms/service/versions", YES_NO_FORM)
    return await supervisor(qa).post(f"/sampling-plans/{plan_id}/assignments", {"form_id": "service", "day_on": DAY})


async def _mine(qa: ServiceUnderTest, sub: str) -> list[dict]:
    return (await auditor(qa, sub).get("/evaluations", auditor_id=sub, state="assigned"))["items"]


async def _submit(qa: ServiceUnderTest, one: dict, answers: list[dict]) -> dict:
    path = f"/evaluations/{one['id']}/submit"
    return await auditor(qa, one["auditor_id"]).post(path, {"answers": answers}, version=one["version"])


async def _published(qa: ServiceUnderTest, shape: type) -> list:
    return [one.body for one in await qa.sent() if isinstance(one.body, shape)]


async def _settled(qa: ServiceUnderTest, clock: FixedClock, **answers) -> dict:
    """One evaluation of a call of agent-1, handed in."""
    plan_id = await _sample(qa, clock, calls=1)
    await _assigned(qa, plan_id, auditors=1)
    return await _submit(qa, (await _mine(qa, "auditor-1"))[0], changed(GOOD, **answers))


async def test_a_sample_is_given_out_within_each_auditors_capacity(qa: ServiceUnderTest, clock: FixedClock) -> None:
    plan_id = await _sample(qa, clock, calls=10)
    given = await _assigned(qa, plan_id, capacity=3)
    assert (given["assigned_count"], given["left_count"]) == (6, 4)
    assert given["by_auditor"] == {"auditor-1": 3, "auditor-2": 3}
    assert (await _assigned(qa, plan_id, capacity=3))["assigned_count"] == 0
    tomorrow = {"form_id": "service", "day_on": "2026-03-03"}
    rest = await supervisor(qa).post(f"/sampling-plans/{plan_id}/assignments", tomorrow)
    assert (rest["assigned_count"], rest["left_count"]) == (4, 0)


async def test_what_an_auditor_leaves_undone_is_taken_back_and_given_to_another(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    plan_id = await _sample(qa, clock, calls=1, double_blind_every=1)
    await _assigned(qa, plan_id)
    (done,), (left,) = await _mine(qa, "auditor-1"), await _mine(qa, "auditor-2")
    done = await _submit(qa, done, GOOD)
    path = f"/evaluations/{left['id']}/take-back"
    assert await auditor(qa, "auditor-2").refused("POST", path, version=1) == (403, "role_not_allowed")
    assert await supervisor(qa).refused("POST", path, version=9) == (412, "thing_changed")
    submitted = await supervisor(qa).refused("POST", f"/evaluations/{done['id']}/take-back", version=done["version"])
    assert submitted == (409, "already_submitted")
    review = await supervisor(qa).post(path, version=1)
    assert (review["state"], review["auditor_ids"]) == ("waiting", ["auditor-1"])
    assert await auditor(qa, "auditor-2").refused("GET", f"/evaluations/{left['id']}") == (404, "evaluation_not_found")
    lines = (await supervisor(qa).get("/auditor-reports/day", on=DAY))["lines"]
    assert [(one["auditor_id"], one["assigned_count"]) for one in lines] == [("auditor-1", 1), ("auditor-2", 0)]
    await supervisor(qa).put("/auditors/auditor-2", {"is_active": False})
    await supervisor(qa).put("/auditors/auditor-3", {})
    body = {"form_id": "service", "day_on": DAY}
    given = await supervisor(qa).post(f"/sampling-plans/{plan_id}/assignments", body)
    assert given["by_auditor"] == {"auditor-3": 1}
    await _submit(qa, (await _mine(qa, "auditor-3"))[0], GOOD)
    (review,) = (await supervisor(qa).get("/reviews"))["items"]
    assert (review["state"], review["standing_evaluation_id"]) == ("settled", done["id"])


async def test_the_scores_are_kept_apart_and_what_facts_answer_is_filled_in(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    plan_id = await _sample(qa, clock, calls=1)
    await _assigned(qa, plan_id, auditors=1)
    (one,) = await _mine(qa, "auditor-1")
    work = await auditor(qa).get(f"/evaluations/{one['id']}")
    assert [(fact["item"], fact["option"], fact["answered_by"]) for fact in work["fact_answers"]] == [
        ("prompt", "yes", "fact")
    ]
    done = await _submit(qa, one, changed(GOOD, solved=2, privacy="no"))
    (revision,) = done["revisions"]
    by_item = {answer["item"]: answer["answered_by"] for answer in revision["answers"]}
    assert by_item == {"prompt": "fact", "greeting": "auditor", "solved": "auditor", "privacy": "auditor"}
    # 40 × (prompt 50 + greeting 50)/100 + 60 × 2/4 = 70 points; the fatal item makes the final score 0.
    assert revision["scores"] == {"raw_hundredths": 7000, "fatal_items": ["privacy"], "final_hundredths": 0}
    (event,) = await _published(qa, RecordingEvaluated)
    assert (event.raw_hundredths, event.fatal_items, event.final_hundredths) == (7000, ("privacy",), 0)
    assert (event.form_id, event.form_version, event.is_settled) == ("service", 1, True)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        (GOOD[:2], "answers_do_not_fit"),
        ([{"item": "solved", "points": -1}], "invalid_request"),
    ],
)
async def test_answers_that_do_not_fit_the_form_are_refused(
    qa: ServiceUnderTest, clock: FixedClock, answers: list[dict], code: str
) -> None:
    await _assigned(qa, await _sample(qa, clock, calls=1))
    (one,) = await _mine(qa, "auditor-1")
    refused = await auditor(qa).refused("POST", f"/evaluations/{one['id']}/submit", {"answers": answers}, version=1)
    assert refused == (422, code)
    assert await _published(qa, RecordingEvaluated) == []


async def test_an_evaluation_is_handed_in_once_by_whom_it_was_given_to(qa: ServiceUnderTest, clock: FixedClock) -> None:
    await _assigned(qa, await _sample(qa, clock, calls=1))
    (one,) = await _mine(qa, "auditor-1")
    path = f"/evaluations/{one['id']}/submit"
    other = auditor(qa, "auditor-2")
    assert await other.refused("POST", path, {"answers": GOOD}, version=1) == (403, "not_your_evaluation")
    await _submit(qa, one, GOOD)
    again = await auditor(qa).refused("POST", path, {"answers": changed(GOOD, solved=0)}, version=2)
    assert again == (409, "already_submitted")
    assert len(await _published(qa, RecordingEvaluated)) == 1


async def test_two_blind_auditors_do_not_see_each_other_until_both_have_handed_in(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    await _assigned(qa, await _sample(qa, clock, calls=1, double_blind_every=1))
    (first,), (second,) = await _mine(qa, "auditor-1"), await _mine(qa, "auditor-2")
    await _submit(qa, first, GOOD)
    blind = auditor(qa, "auditor-2")
    assert [one["id"] for one in (await blind.get("/evaluations"))["items"]] == [second["id"]]
    assert (await blind.refused("GET", f"/evaluations/{first['id']}"))[0] == 404
    assert (await agent(qa).get("/evaluations"))["items"] == []
    await _submit(qa, second, changed(GOOD, greeting="no"))  # 20 points less than 100
    (review,) = (await supervisor(qa).get("/reviews"))["items"]
    assert (review["state"], review["standing_evaluation_id"]) == ("differing", None)
    assert [one.is_settled for one in await _published(qa, RecordingEvaluated)] == [False, False]


async def test_two_that_agree_settle_it_and_the_first_stands(qa: ServiceUnderTest, clock: FixedClock) -> None:
    await _assigned(qa, await _sample(qa, clock, calls=1, double_blind_every=1))
    (first,), (second,) = await _mine(qa, "auditor-1"), await _mine(qa, "auditor-2")
    await _submit(qa, second, GOOD)
    await _submit(qa, first, GOOD)
    (review,) = (await supervisor(qa).get("/reviews"))["items"]
    standing = review["evaluation_ids"][0]
    assert (review["state"], review["standing_evaluation_id"]) == ("settled", standing)
    told = await _published(qa, RecordingEvaluated)
    assert [one.evaluation_id for one in told if one.is_settled] == [standing]
    assert {one.revision for one in told} == {1}


async def test_two_that_differ_are_adjudicated_by_a_third(qa: ServiceUnderTest, clock: FixedClock) -> None:
    await _assigned(qa, await _sample(qa, clock, calls=1, double_blind_every=1))
    for sub, answers in (("auditor-1", GOOD), ("auditor-2", changed(GOOD, solved=0))):
        await _submit(qa, (await _mine(qa, sub))[0], answers)
    (review,) = (await supervisor(qa).get("/reviews", state="differing"))["items"]
    path, body = f"/reviews/{review['id']}/adjudicate", {"answers": changed(GOOD, solved=3)}
    took_part = await auditor(qa, "auditor-1").refused("POST", path, body, version=review["version"])
    assert took_part == (403, "adjudicator_took_part")
    done = await auditor(qa, "auditor-3").post(path, body, version=review["version"])
    assert (done["mode"], done["is_settled"], done["revisions"][0]["cause"]) == ("adjudication", True, "adjudicated")
    (after,) = (await supervisor(qa).get("/reviews"))["items"]
    assert (after["state"], after["standing_evaluation_id"]) == ("settled", done["id"])
    again = await auditor(qa, "auditor-4").refused("POST", path, body, version=after["version"])
    assert again == (409, "nothing_to_adjudicate")


async def test_an_appeal_adds_a_revision_and_overwrites_none(qa: ServiceUnderTest, clock: FixedClock) -> None:
    done = await _settled(qa, clock, solved=0)
    assert [one["id"] for one in (await agent(qa).get("/evaluations"))["items"]] == [done["id"]]
    appeals, reason = f"/evaluations/{done['id']}/appeals", {"reason": "问题已当场解决"}
    assert (await agent(qa, "agent-9").refused("POST", appeals, reason, version=done["version"]))[0] == 404
    appeal = await agent(qa).post(appeals, reason, version=done["version"])
    assert await agent(qa).refused("POST", appeals, reason, version=done["version"] + 1) == (409, "appealed_before")
    path = f"/appeals/{appeal['id']}/decide"
    body = {"is_overturned": True, "answers": changed(GOOD, solved=4), "remark": "录音证实"}
    assert await auditor(qa, "auditor-1").refused("POST", path, body, version=1) == (403, "judge_took_part")
    decided = await supervisor(qa).post(path, body, version=1)
    assert (decided["state"], decided["decided_by"]) == ("overturned", "supervisor-1")
    shown = (await agent(qa).get(f"/evaluations/{done['id']}"))["evaluation"]
    assert [one["scores"]["final_hundredths"] for one in shown["revisions"]] == [4000, 10_000]
    assert shown["revisions"][0] == done["revisions"][0]
    told = await _published(qa, RecordingEvaluated)
    assert [(one.revision, one.cause) for one in told] == [(1, RevisionCause.SUBMITTED), (2, RevisionCause.APPEALED)]
    assert len(await _published(qa, EvaluationAppealed)) == 1
    assert [one.is_overturned for one in await _published(qa, AppealDecided)] == [True]
    assert await supervisor(qa).refused("POST", path, body, version=2) == (409, "appeal_already_decided")


async def test_an_appeal_upheld_changes_nothing_and_needs_no_answers(qa: ServiceUnderTest, clock: FixedClock) -> None:
    done = await _settled(qa, clock)
    appeal = await agent(qa).post(f"/evaluations/{done['id']}/appeals", {"reason": "x"}, version=done["version"])
    path = f"/appeals/{appeal['id']}/decide"
    wrong = {"is_overturned": False, "answers": GOOD}
    assert await supervisor(qa).refused("POST", path, wrong, version=1) == (409, "overturn_needs_answers")
    clock.advance(hours=25)
    assert (await supervisor(qa).post(path, {"is_overturned": False, "answers": []}, version=1))["state"] == "upheld"
    assert [one.is_late for one in await _published(qa, AppealDecided)] == [True]
    assert len(await _published(qa, RecordingEvaluated)) == 1


async def test_the_weighted_average_speaks_for_the_whole_frame(qa: ServiceUnderTest, clock: FixedClock) -> None:
    plan_id = await _sample(qa, clock, calls=20, quota=4)
    await _assigned(qa, plan_id)
    work = await _mine(qa, "auditor-1") + await _mine(qa, "auditor-2")
    for place, one in enumerate(work):
        await _submit(qa, one, changed(GOOD, solved=place % 5))
    found = await supervisor(qa).get(f"/sampling-plans/{plan_id}/estimates")
    score = found["final_score"]
    assert (score["drawn_count"], score["evaluated_count"], score["weight_sum"]) == (8, 8, 20)
    assert score["interval_low"] < score["mean"] < score["interval_high"]
    assert found["frame_count"] == 20
    own = await supervisor(qa).get(f"/sampling-plans/{plan_id}/estimates", agent_id="agent-1")
    assert (own["frame_count"], own["final_score"]["weight_sum"]) == (10, 10)


async def test_the_auditors_report_adds_up_over_days_weeks_and_months(qa: ServiceUnderTest, clock: FixedClock) -> None:
    await _assigned(qa, await _sample(qa, clock, calls=4), auditors=1)
    work = await _mine(qa, "auditor-1")
    await _submit(qa, work[0], GOOD)
    done = await _submit(qa, work[1], changed(GOOD, privacy="no"))
    other = agent(qa, done["agent_id"])
    appeal = await other.post(f"/evaluations/{done['id']}/appeals", {"reason": "x"}, version=done["version"])
    decision = {"is_overturned": True, "answers": GOOD}
    await supervisor(qa).post(f"/appeals/{appeal['id']}/decide", decision, version=1)
    for grain in ("day", "week", "month"):
        report = await supervisor(qa).get(f"/auditor-reports/{grain}", on=DAY)
        (line,) = report["lines"]
        assert (line["assigned_count"], line["submitted_count"], line["open_count"]) == (4, 2, 2)
        assert (line["final_hundredths_sum"], line["fatal_count"], line["listened_seconds"]) == (20_000, 0, 120)
        assert (line["appeal_count"], line["decided_count"], line["overturned_count"]) == (1, 1, 1)
    empty = await supervisor(qa).get("/auditor-reports/day", on="2026-03-03")
    assert [line["assigned_count"] for line in empty["lines"]] == [0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda form: form["sections"][0].update(weight=41), "weights_do_not_add_up"),
        (lambda form: form.update(sections=[]), "invalid_request"),
    ],
)
async def test_a_form_that_is_not_right_is_refused(qa: ServiceUnderTest, change, code: str) -> None:
    import copy

    form = copy.deepcopy(YES_NO_FORM)
    change(form)
    assert await supervisor(qa).refused("POST", "/evaluation-forms/service/versions", form) == (422, code)


async def test_a_form_changes_by_a_further_version_only(qa: ServiceUnderTest) -> None:
    for number in (1, 2):
        made = await supervisor(qa).post("/evaluation-forms/service/versions", YES_NO_FORM)
        assert made["id"] == f"service:{number}"
    assert (await agent(qa).get("/evaluation-forms/service:1"))["form_version"] == 1
    assert [one["id"] for one in (await agent(qa).get("/evaluation-forms"))["items"]] == ["service:2", "service:1"]
