"""An appeal of an agent against the evaluation that stands, and its decision: once, by another person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.quality import AppealDecided, EvaluationAppealed, RevisionCause
from contracts.refusals import Conflict, Forbidden
from qa.evaluation.domain.evaluation import Evaluation, Review, Work, revise
from qa.evaluation.domain.form import Answer, AnsweredBy, EvaluationForm
from qa.recordings.domain.recording import Recording


class AppealState(StrEnum):
    OPEN = "open"
    UPHELD = "upheld"
    """The evaluation was right."""
    OVERTURNED = "overturned"


class NotTheStandingEvaluation(Conflict):
    """Only a settled evaluation that is in force can be appealed."""

    zh = "只能对已生效的评价提出申诉。"


class NotYourCall(Forbidden):
    """Only the agent of this call may appeal."""

    zh = "只有该通话的坐席本人可以申诉。"


class AppealTooLate(Conflict):
    """The deadline for an appeal was {appeal_until:time}."""

    zh = "申诉截止时间为 {appeal_until:time}。"


class AppealedBefore(Conflict):
    """This revision has already been appealed."""

    zh = "该修订已提出过申诉，不能重复申诉。"


class AppealAlreadyDecided(Conflict):
    """The appeal was already decided at {decided_at:time}."""

    zh = "该申诉已于 {decided_at:time}裁定。"


class JudgeTookPart(Forbidden):
    """{judge} evaluated this recording or was the agent of the call; another person must decide the appeal."""

    zh = "{judge} 评价过该录音或为通话坐席；须由他人裁定申诉。"


class OverturnNeedsAnswers(Conflict):
    """An overturned appeal needs new answers; an upheld appeal must have none."""

    zh = "改判须给出新的答案；维持原判则不得给出答案。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal:
    id: str
    version: int
    evaluation_id: str
    revision: int
    recording_id: str
    agent_id: str
    auditor_id: str
    reason: str
    appealed_at: datetime
    decide_by: datetime
    state: AppealState = AppealState.OPEN
    decided_at: datetime | None = None
    decided_by: str | None = None
    remark: str | None = None


def appeal(
    evaluation: Evaluation, form: EvaluationForm, *, appeal_id: str, reason: str, by: str, now: datetime
) -> tuple[Evaluation, Appeal, EvaluationAppealed]:
    if evaluation.agent_id != by:
        raise NotYourCall()
    if not evaluation.is_settled or evaluation.present is None:
        raise NotTheStandingEvaluation()
    if evaluation.appealed_revision:
        raise AppealedBefore()
    if evaluation.appeal_until is None or now > evaluation.appeal_until:
        raise AppealTooLate(appeal_until=evaluation.appeal_until)
    opened = Appeal(
        id=appeal_id,
        version=1,
        evaluation_id=evaluation.id,
        revision=evaluation.present.revision,
        recording_id=evaluation.recording_id,
        agent_id=evaluation.agent_id,
        auditor_id=evaluation.auditor_id,
        reason=reason,
        appealed_at=now,
        decide_by=now + timedelta(hours=form.rules.decide_within_hours),
    )
    marked = replace(evaluation, version=evaluation.version + 1, appealed_revision=opened.revision)
    return (
        marked,
        opened,
        EvaluationAppealed(
            appeal_id=opened.id,
            evaluation_id=evaluation.id,
            revision=opened.revision,
            recording_id=evaluation.recording_id,
            agent_id=evaluation.agent_id,
            auditor_id=evaluation.auditor_id,
            decide_by=opened.decide_by,
        ),
    )


def decide(
    opened: Appeal, review: Review, *, is_overturned: bool, has_answers: bool, remark: str, by: str, now: datetime
) -> Appeal:
    """The appeal with its decision; an overturned one needs a further revision beside it."""
    if opened.state is not AppealState.OPEN:
        raise AppealAlreadyDecided(decided_at=opened.decided_at)
    if by in (*review.auditor_ids, opened.agent_id):
        raise JudgeTookPart(judge=by)
    if is_overturned != has_answers:
        raise OverturnNeedsAnswers()
    return replace(
        opened,
        version=opened.version + 1,
        state=AppealState.OVERTURNED if is_overturned else AppealState.UPHELD,
        decided_at=now,
        decided_by=by,
        remark=remark,
    )


def overturn(evaluation: Evaluation, form: EvaluationForm, recording: Recording, work: Work) -> Evaluation:
    """One more revision, which answers something otherwise; raises `OverturnNeedsAnswers` where it does not."""
    revised = revise(evaluation, form, recording, work, cause=RevisionCause.APPEALED)
    before, after = (evaluation.present, revised.present)
    if before and after and _said_by_people(before.answers) == _said_by_people(after.answers):
        raise OverturnNeedsAnswers()
    return revised


def _said_by_people(answers: Sequence[Answer]) -> dict[str, str]:
    return {one.item: one.category for one in answers if one.answered_by is AnsweredBy.AUDITOR}


def decided_event(decided: Appeal) -> AppealDecided:
    return AppealDecided(
        appeal_id=decided.id,
        evaluation_id=decided.evaluation_id,
        recording_id=decided.recording_id,
        agent_id=decided.agent_id,
        auditor_id=decided.auditor_id,
        is_overturned=decided.state is AppealState.OVERTURNED,
        is_late=decided.decided_at is not None and decided.decided_at > decided.decide_by,
    )
