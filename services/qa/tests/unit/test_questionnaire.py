"""A questionnaire: which questions can be asked, which replies fit, and which are findings."""

from dataclasses import replace
from typing import Any

import pytest
from services.qa.tests.unit.builders import NAMES, QUESTIONS, make_questionnaire

from contracts.quality import FindingKind
from qa.follow_up.domain.questionnaire import (
    Choice,
    QuestionKind,
    QuestionMisdefined,
    QuestionReply,
    RepliesDoNotFit,
    Satisfaction,
    SurveyQuestion,
    check_replies,
    findings_of,
    satisfaction_of,
)

VISIT = make_questionnaire()
CONTENT, REPAIRED = QuestionReply(question="content", scale=5), QuestionReply(question="repaired", choice="yes")


def choice(name: str) -> Choice:
    return Choice(choice=name, names=NAMES)


def make_question(kind: QuestionKind, **overrides: Any) -> SurveyQuestion:
    return SurveyQuestion(question="q", names=NAMES, kind=kind, **overrides)


@pytest.mark.parametrize(
    "question",
    [
        make_question(QuestionKind.CHOICE),
        make_question(QuestionKind.CHOICE, choices=(choice("a"),)),
        make_question(QuestionKind.CHOICE, choices=(choice("a"), choice("a"))),
        make_question(QuestionKind.YES_NO, choices=(choice("maybe"),)),
        make_question(QuestionKind.TEXT, choices=(choice("a"),)),
        make_question(QuestionKind.SCALE),
        make_question(QuestionKind.SCALE, highest=5, choices=(choice("a"),)),
        make_question(QuestionKind.TEXT, highest=5),
        make_question(QuestionKind.TEXT, is_satisfaction=True),
        make_question(QuestionKind.SCALE, highest=5, opens=FindingKind.RISK),
        make_question(QuestionKind.SCALE, highest=5, opens_up_to=2),
        make_question(QuestionKind.YES_NO, opens=FindingKind.RISK, opens_up_to=2),
        make_question(QuestionKind.SCALE, highest=5, opens=FindingKind.RISK, opens_up_to=5),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(question: SurveyQuestion) -> None:
    with pytest.raises(QuestionMisdefined) as refused:
        make_questionnaire(question).check()
    assert refused.value.context["question"] == "q"


@pytest.mark.parametrize(
    "second", [QUESTIONS[0], replace(QUESTIONS[0], question="again"), replace(QUESTIONS[1], question="content")]
)
def test_nothing_is_asked_twice_and_satisfaction_is_asked_once(second: SurveyQuestion) -> None:
    VISIT.check()
    with pytest.raises(QuestionMisdefined):
        make_questionnaire(QUESTIONS[0], second).check()


@pytest.mark.parametrize(
    ("replies", "names"),
    [
        ((CONTENT,), {"missing": ["repaired"]}),
        ((CONTENT, REPAIRED, QuestionReply(question="age", scale=3)), {"unknown": ["age"]}),
        ((QuestionReply(question="content", scale=6), REPAIRED), {"impossible": ["content"]}),
        ((QuestionReply(question="content", scale=0), REPAIRED), {"impossible": ["content"]}),
        ((QuestionReply(question="content", scale=3, choice="yes"), REPAIRED), {"impossible": ["content"]}),
        ((CONTENT, QuestionReply(question="repaired", choice="maybe")), {"impossible": ["repaired"]}),
        ((CONTENT, REPAIRED, QuestionReply(question="wish")), {"impossible": ["wish"]}),
        ((CONTENT, REPAIRED, QuestionReply(question="wish", text="")), {"impossible": ["wish"]}),
        ((CONTENT, REPAIRED, CONTENT), {}),
    ],
)
def test_replies_that_do_not_fit_are_refused(replies: tuple[QuestionReply, ...], names: dict) -> None:
    with pytest.raises(RepliesDoNotFit) as refused:
        check_replies(VISIT, replies)
    assert {name: questions for name, questions in refused.value.context.items() if questions} == names


@pytest.mark.parametrize("scale", [1, 5])
def test_what_is_not_required_may_be_left_out(scale: int) -> None:
    check_replies(VISIT, (QuestionReply(question="content", scale=scale), REPAIRED))
    check_replies(VISIT, (CONTENT, REPAIRED, QuestionReply(question="wish", text="早点来")))


@pytest.mark.parametrize(
    ("scale", "choice_of_repaired", "findings"),
    [
        (3, "yes", []),
        (2, "yes", [("content", FindingKind.DISSATISFACTION)]),
        (3, "no", [("repaired", FindingKind.RISK)]),
        (1, "no", [("content", FindingKind.DISSATISFACTION), ("repaired", FindingKind.RISK)]),
    ],
)
def test_a_low_scale_or_a_named_choice_is_a_finding(scale: int, choice_of_repaired: str, findings: list) -> None:
    replies = (
        QuestionReply(question="content", scale=scale),
        QuestionReply(question="repaired", choice=choice_of_repaired),
    )
    assert findings_of(VISIT, replies) == findings
    assert satisfaction_of(VISIT, replies) == Satisfaction(score=scale, highest=5)


def test_a_questionnaire_that_does_not_ask_for_satisfaction_has_none() -> None:
    assert satisfaction_of(make_questionnaire(*QUESTIONS[1:]), (REPAIRED,)) is None
    assert satisfaction_of(VISIT, (REPAIRED,)) is None
