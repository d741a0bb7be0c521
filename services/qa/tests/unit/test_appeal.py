"""An appeal: once, in time, by the agent, against the evaluation that stands; decided by somebody who took no part."""

from dataclasses import replace
from datetime import timedelta

import pytest
from services.qa.tests.unit.builders import (
    AGENT,
    AUDITOR,
    NOW,
    make_form,
    make_recording,
    make_review,
    make_settled,
    make_submitted,
    make_work,
)

from contracts.quality import RevisionCause
from contracts.refusals import Refusal
from qa.evaluation.domain.appeal import (
    Appeal,
    AppealAlreadyDecided,
    AppealedBefore,
    AppealState,
    AppealTooLate,
    JudgeTookPart,
    NotTheStandingEvaluation,
    NotYourCall,
    OverturnNeedsAnswers,
    appeal,
    decide,
    decided_event,
    overturn,
)
from qa.evaluation.domain.evaluation import Evaluation

FORM, JUDGE = make_form(), "supervisor-1"
SETTLED = make_settled(solved=0)


def opened(evaluation: Evaluation = SETTLED, *, by: str = AGENT, now=NOW):
    return appeal(evaluation, FORM, appeal_id="a-1", reason="问题已当场解决", by=by, now=now)


def decided(*, by: str = JUDGE, is_overturned: bool = False, has_answers: bool = False, now=NOW, **changes) -> Appeal:
    review = make_review(auditor_ids=(AUDITOR, "auditor-2"))
    one = replace(opened()[1], **changes)
    return decide(one, review, is_overturned=is_overturned, has_answers=has_answers, remark="听过", by=by, now=now)


def test_an_appeal_marks_the_revision_it_is_against() -> None:
    marked, made, event = opened()
    assert (marked.appealed_revision, marked.version) == (1, SETTLED.version + 1)
    assert (made.state, made.revision, made.decide_by) == (AppealState.OPEN, 1, NOW + timedelta(hours=24))
    assert (event.appeal_id, event.revision, event.decide_by) == ("a-1", 1, made.decide_by)


def test_an_appeal_is_possible_until_the_last_moment() -> None:
    last = NOW + timedelta(hours=48)
    opened(now=last)
    with pytest.raises(AppealTooLate):
        opened(now=last + timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("evaluation", "by", "refusal"),
    [
        (SETTLED, "agent-2", NotYourCall),
        (SETTLED, AUDITOR, NotYourCall),
        (make_submitted(), AGENT, NotTheStandingEvaluation),
        (replace(SETTLED, appealed_revision=1), AGENT, AppealedBefore),
        (replace(SETTLED, appeal_until=None), AGENT, AppealTooLate),
    ],
)
def test_an_appeal_that_is_not_possible_is_refused(evaluation: Evaluation, by: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        opened(evaluation, by=by)


@pytest.mark.parametrize("judge", [AUDITOR, "auditor-2", AGENT])
def test_who_took_part_does_not_decide(judge: str) -> None:
    with pytest.raises(JudgeTookPart):
        decided(by=judge)


@pytest.mark.parametrize(("is_overturned", "has_answers"), [(True, False), (False, True)])
def test_answers_overturn_an_evaluation_and_nothing_else_does(is_overturned: bool, has_answers: bool) -> None:
    with pytest.raises(OverturnNeedsAnswers):
        decided(is_overturned=is_overturned, has_answers=has_answers)


def test_an_appeal_is_decided_once() -> None:
    with pytest.raises(AppealAlreadyDecided):
        decided(state=AppealState.UPHELD, decided_at=NOW)


@pytest.mark.parametrize(("is_overturned", "state"), [(True, AppealState.OVERTURNED), (False, AppealState.UPHELD)])
@pytest.mark.parametrize(("hours", "is_late"), [(24, False), (25, True)])
def test_a_decision_says_who_when_and_whether_it_came_late(is_overturned, state, hours: int, is_late: bool) -> None:
    now = NOW + timedelta(hours=hours)
    done = decided(is_overturned=is_overturned, has_answers=is_overturned, now=now)
    assert (done.state, done.decided_by, done.decided_at, done.version) == (state, JUDGE, now, 2)
    event = decided_event(done)
    assert (event.is_overturned, event.is_late) == (is_overturned, is_late)


def test_an_overturned_evaluation_gets_one_more_revision_and_keeps_the_first() -> None:
    revised = overturn(SETTLED, FORM, make_recording(), make_work(by=JUDGE, solved=4))
    assert [one.scores.final_hundredths for one in revised.revisions] == [4000, 10_000]
    assert revised.revisions[0] == SETTLED.revisions[0]
    assert (revised.revisions[1].cause, revised.is_settled) == (RevisionCause.APPEALED, True)


def test_the_answers_that_an_appeal_is_against_do_not_overturn_it() -> None:
    with pytest.raises(OverturnNeedsAnswers):
        overturn(SETTLED, FORM, make_recording(), make_work(by=JUDGE, solved=0))
    with pytest.raises(OverturnNeedsAnswers):  # a fact that changed meanwhile is nothing that the judge answered
        overturn(SETTLED, FORM, make_recording(wait_milliseconds=90_000), make_work(by=JUDGE, solved=0))
