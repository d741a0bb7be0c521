"""Builders of what quality decides on, with valid defaults."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from contracts.directory import Names
from contracts.quality import EvaluationMode, FindingKind, FollowUpCause
from qa.evaluation.domain.evaluation import Evaluation, Review, Work, assigned, settle, submit
from qa.evaluation.domain.form import Answer, CallFactName, EvaluationForm, FormRules, Item, ItemKind, Section
from qa.follow_up.domain.follow_up import FollowUp, listed, take
from qa.follow_up.domain.project import DeadlineRule, FollowUpProject, Quotas
from qa.follow_up.domain.questionnaire import Choice, QuestionKind, Questionnaire, SurveyQuestion
from qa.recordings.domain.recording import Recording

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
NAMES = Names("x", "某")
AUDITOR, AGENT = "auditor-1", "agent-1"


def make_recording(**overrides: Any) -> Recording:
    values: dict[str, Any] = {
        "id": "rec-1",
        "call_id": "call-1",
        "leg": 1,
        "agent_id": AGENT,
        "team": None,
        "queue": "support",
        "channel": "phone",
        "direction": "inbound",
        "demand_type": "fault_repair",
        "subscriber_id": None,
        "started_at": NOW,
        "length_seconds": 60,
        "wait_milliseconds": 5000,
        "talk_milliseconds": 60_000,
        "outcomes": ("answered",),
        "order_ids": (),
        "is_repeat": False,
        "has_promise": False,
        "rating": None,
        "faults": (),
    }
    return Recording(**values | overrides)


def make_item(item: str, weight: int, **overrides: Any) -> Item:
    return Item(item=item, weight=weight, **{"names": NAMES, "kind": ItemKind.YES_NO} | overrides)


def make_section(section: str, weight: int, *items: Item) -> Section:
    return Section(section=section, names=NAMES, weight=weight, items=items)


SECTIONS = (
    make_section(
        "opening",
        40,
        make_item("prompt", 50, fact=CallFactName.ANSWERED_WITHIN, fact_seconds=20),
        make_item("greeting", 50, may_be_not_applicable=True),
    ),
    make_section(
        "handling",
        60,
        make_item("solved", 100, kind=ItemKind.POINTS, highest=4),
        make_item("privacy", 0, is_fatal=True),
    ),
)


def make_form(*sections: Section, **rules: int) -> EvaluationForm:
    """`prompt` is answered by a fact; `greeting`, `solved` (0 to 4) and the fatal `privacy` by the auditor."""
    return EvaluationForm(
        id="service:1",
        form_id="service",
        form_version=1,
        names=NAMES,
        sections=sections or SECTIONS,
        rules=FormRules(
            **{"blind_tolerance_hundredths": 1000, "appeal_within_hours": 48, "decide_within_hours": 24} | rules
        ),
        published_at=NOW,
        published_by="supervisor-1",
    )


def answers(*, greeting: str = "yes", solved: int = 4, privacy: str = "yes") -> tuple[Answer, ...]:
    return (
        Answer(item="greeting", option=greeting),
        Answer(item="solved", points=solved),
        Answer(item="privacy", option=privacy),
    )


def make_work(*, by: str = AUDITOR, at: datetime = NOW, **given: Any) -> Work:
    return Work(answers=answers(**given), remark="", by=by, at=at)


def make_review(**overrides: Any) -> Review:
    values: dict[str, Any] = {"id": "review-1", "version": 1, "plan_id": "plan-1", "recording_id": "rec-1"}
    values |= {"call_id": "call-1", "agent_id": AGENT, "is_double_blind": False}
    return Review(**values | overrides)


def make_evaluation(
    review: Review | None = None, auditor: str = AUDITOR, *, mode: EvaluationMode = EvaluationMode.SINGLE
) -> Evaluation:
    review = review or make_review()
    return assigned(review, auditor, f"evaluation-of-{auditor}", "service:1", date(2026, 3, 2), mode=mode)


def make_submitted(review: Review | None = None, auditor: str = AUDITOR, **given: Any) -> Evaluation:
    evaluation = make_evaluation(review, auditor)
    return submit(evaluation, make_form(), make_recording(), make_work(by=auditor, **given))


def make_pair(first: dict[str, Any], second: dict[str, Any]) -> tuple[Review, list[Evaluation]]:
    """A double-blind review and what its two auditors handed in."""
    auditors = (AUDITOR, "auditor-2")
    review = make_review(
        is_double_blind=True, auditor_ids=auditors, evaluation_ids=tuple(f"evaluation-of-{one}" for one in auditors)
    )
    pairs = zip(auditors, (first, second), strict=True)
    return review, [make_submitted(review, auditor, **given) for auditor, given in pairs]


def make_settled(**given: Any) -> Evaluation:
    """An evaluation that stands; an appeal is possible for 48 hours."""
    submitted = make_submitted(**given)
    review = make_review(auditor_ids=(AUDITOR,), evaluation_ids=(submitted.id,))
    standing = settle(review, [submitted], make_form(), now=NOW)[1]
    assert standing is not None
    return standing


QUESTIONS = (
    SurveyQuestion(
        question="content",
        names=NAMES,
        kind=QuestionKind.SCALE,
        highest=5,
        is_satisfaction=True,
        opens=FindingKind.DISSATISFACTION,
        opens_up_to=2,
    ),
    SurveyQuestion(
        question="repaired",
        names=NAMES,
        kind=QuestionKind.YES_NO,
        choices=(Choice(choice="no", names=NAMES, opens=FindingKind.RISK),),
    ),
    SurveyQuestion(question="wish", names=NAMES, kind=QuestionKind.TEXT, is_required=False),
)


def make_questionnaire(*questions: SurveyQuestion) -> Questionnaire:
    return Questionnaire(
        id="visit:1",
        questionnaire_id="visit",
        questionnaire_version=1,
        names=NAMES,
        questions=questions or QUESTIONS,
        published_at=NOW,
        published_by="supervisor-1",
    )


def make_project(**overrides: Any) -> FollowUpProject:
    values: dict[str, Any] = {
        "id": "p-1",
        "version": 1,
        "name": "装机回访",
        "start": NOW - timedelta(days=30),
        "end": NOW + timedelta(days=365),
        "cause": FollowUpCause.COMPLETION,
        "questionnaire": "visit:1",
        "calendar": "cn",
        "deadline_rule": DeadlineRule.WORKING_DAYS_AFTER,
        "deadline_days": 3,
        "quotas": Quotas(),
        "calls_from": time(8, 30),
        "calls_until": time(20, 30),
        "working_days_only": True,
        "max_attempts": 2,
        "retry_after_minutes": 60,
    }
    return FollowUpProject(**values | overrides)


def make_taken(project: FollowUpProject | None = None, **overrides: Any) -> FollowUp:
    """A follow-up of subscriber 111 that `agent-1` has taken."""
    due_by = NOW + timedelta(days=3)
    follow_up, _ = listed(project or make_project(), "111", follow_up_id="f-1", due_by=due_by, now=NOW)
    return take(replace(follow_up, **overrides), by=AGENT, now=NOW)
