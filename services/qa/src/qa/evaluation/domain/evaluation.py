"""A review of a recording, the evaluations in it, and what may follow: adjudication and, by an appeal, a revision.

A review has one evaluation, or two by auditors who do not see each other. When two agree within the form's
tolerance the first one stands; when they do not, a third person's adjudication does. What an agent may do about the
one that stands is in `appeal`. A revision is added, never changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from contracts.quality import EvaluationMode, RecordingEvaluated, RevisionCause
from contracts.refusals import Conflict, Forbidden
from qa.evaluation.domain.form import Answer, EvaluationForm, Scores, complete_answers, score
from qa.recordings.domain.recording import Recording


class ReviewState(StrEnum):
    WAITING = "waiting"
    """It needs an auditor, or a second one."""
    ASSIGNED = "assigned"
    DIFFERING = "differing"
    """Two auditors do not agree; it waits for adjudication."""
    SETTLED = "settled"


class EvaluationState(StrEnum):
    ASSIGNED = "assigned"
    SUBMITTED = "submitted"


class OwnCall(Forbidden):
    """{auditor} was the agent of this call and may not evaluate it."""

    zh = "{auditor} 是该通话的坐席；不能评价自己。"


class NotYourEvaluation(Forbidden):
    """This evaluation is assigned to {auditor}."""

    zh = "该评价任务已分配给 {auditor}。"


class AlreadySubmitted(Conflict):
    """The evaluation was submitted at {submitted_at:time}; only adjudication or an appeal can change it."""

    zh = "该评价已于 {submitted_at:time}提交；只能通过仲裁或申诉更改。"


class NothingToAdjudicate(Conflict):
    """The review is {state:review_state}; only two differing evaluations can be adjudicated."""

    zh = "该复核处于“{state:review_state}”状态；只有两份不一致的评价才需仲裁。"


class AdjudicatorTookPart(Forbidden):
    """{adjudicator} made one of the two evaluations; a third person must adjudicate."""

    zh = "{adjudicator} 已参与其中一份评价；须由第三人仲裁。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    id: str
    version: int
    plan_id: str
    recording_id: str
    call_id: str
    agent_id: str
    is_double_blind: bool
    state: ReviewState = ReviewState.WAITING
    auditor_ids: tuple[str, ...] = ()
    evaluation_ids: tuple[str, ...] = ()
    standing_evaluation_id: str | None = None

    @property
    def needed(self) -> int:
        return 2 if self.is_double_blind else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    revision: int
    cause: RevisionCause
    answers: tuple[Answer, ...]
    scores: Scores
    remark: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    id: str
    version: int
    review_id: str
    plan_id: str
    recording_id: str
    call_id: str
    agent_id: str
    auditor_id: str
    form: str
    """The form and its version, such as `service:3`."""
    mode: EvaluationMode
    day_on: date
    """The day whose capacity it takes."""
    state: EvaluationState = EvaluationState.ASSIGNED
    revisions: tuple[Revision, ...] = ()
    submitted_at: datetime | None = None
    is_settled: bool = False
    """It stands: the figures count it and the agent may appeal."""
    appeal_until: datetime | None = None
    appealed_revision: int = 0
    """The last revision that was appealed against."""

    @property
    def present(self) -> Revision | None:
        return self.revisions[-1] if self.revisions else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What an auditor hands in."""

    answers: tuple[Answer, ...]
    remark: str
    by: str
    at: datetime


def take_back(review: Review, evaluation: Evaluation) -> Review:
    """The review without an evaluation that was not submitted: it waits for an auditor again."""
    if evaluation.state is EvaluationState.SUBMITTED:
        raise AlreadySubmitted(submitted_at=evaluation.submitted_at)
    return replace(
        review,
        version=review.version + 1,
        state=ReviewState.WAITING,
        auditor_ids=tuple(one for one in review.auditor_ids if one != evaluation.auditor_id),
        evaluation_ids=tuple(one for one in review.evaluation_ids if one != evaluation.id),
    )


def submit(evaluation: Evaluation, form: EvaluationForm, recording: Recording, work: Work) -> Evaluation:
    """The evaluation with its first revision."""
    if evaluation.auditor_id != work.by:
        raise NotYourEvaluation(auditor=evaluation.auditor_id)
    if evaluation.state is EvaluationState.SUBMITTED:
        raise AlreadySubmitted(submitted_at=evaluation.submitted_at)
    if recording.agent_id == work.by:
        raise OwnCall(auditor=work.by)
    cause = RevisionCause.ADJUDICATED if evaluation.mode is EvaluationMode.ADJUDICATION else RevisionCause.SUBMITTED
    revised = revise(evaluation, form, recording, work, cause=cause)
    return replace(revised, state=EvaluationState.SUBMITTED, submitted_at=work.at)


def revise(
    evaluation: Evaluation, form: EvaluationForm, recording: Recording, work: Work, *, cause: RevisionCause
) -> Evaluation:
    """One more revision behind those there are, and one more version."""
    answers = complete_answers(form, recording, work.answers)
    revision = Revision(
        revision=len(evaluation.revisions) + 1,
        cause=cause,
        answers=answers,
        scores=score(form, answers),
        remark=work.remark,
        by=work.by,
        at=work.at,
    )
    return replace(evaluation, version=evaluation.version + 1, revisions=(*evaluation.revisions, revision))


def settle(
    review: Review, evaluations: Sequence[Evaluation], form: EvaluationForm, *, now: datetime
) -> tuple[Review, Evaluation | None]:
    """The review after a submission, and the evaluation that stands from here on, if there is one."""
    submitted = [one for one in evaluations if one.state is EvaluationState.SUBMITTED]
    third = next((one for one in submitted if one.mode is EvaluationMode.ADJUDICATION), None)
    if third is None and len(submitted) < review.needed:
        return replace(review, version=review.version + 1), None
    if third is None and not _agree(submitted, form):
        return replace(review, version=review.version + 1, state=ReviewState.DIFFERING), None
    standing = third or min(submitted, key=lambda one: review.evaluation_ids.index(one.id))
    settled = replace(review, version=review.version + 1, state=ReviewState.SETTLED, standing_evaluation_id=standing.id)
    until = now + timedelta(hours=form.rules.appeal_within_hours)
    return settled, replace(standing, is_settled=True, appeal_until=until)


def _agree(submitted: Sequence[Evaluation], form: EvaluationForm) -> bool:
    scores = [one.present.scores for one in submitted if one.present is not None]
    finals = [one.final_hundredths for one in scores]
    is_near = max(finals) - min(finals) <= form.rules.blind_tolerance_hundredths
    return is_near and len({one.fatal_items for one in scores}) == 1


def adjudicate(review: Review, adjudicator: str, *, evaluation_id: str, form: str, day_on: date) -> Evaluation:
    """The evaluation that a third person fills in on two that differ."""
    if review.state is not ReviewState.DIFFERING:
        raise NothingToAdjudicate(state=review.state.value)
    if adjudicator in review.auditor_ids:
        raise AdjudicatorTookPart(adjudicator=adjudicator)
    return assigned(review, adjudicator, evaluation_id, form, day_on, mode=EvaluationMode.ADJUDICATION)


def assigned(
    review: Review, auditor: str, evaluation_id: str, form: str, day_on: date, *, mode: EvaluationMode
) -> Evaluation:
    if auditor == review.agent_id:
        raise OwnCall(auditor=auditor)
    return Evaluation(
        id=evaluation_id,
        version=1,
        review_id=review.id,
        plan_id=review.plan_id,
        recording_id=review.recording_id,
        call_id=review.call_id,
        agent_id=review.agent_id,
        auditor_id=auditor,
        form=form,
        mode=mode,
        day_on=day_on,
    )


def evaluated_event(evaluation: Evaluation, recording: Recording) -> RecordingEvaluated:
    """What is published of the present revision."""
    present = evaluation.present
    assert present is not None, "only what was submitted is published"
    form_id, _, form_version = evaluation.form.rpartition(":")
    return RecordingEvaluated(
        evaluation_id=evaluation.id,
        revision=present.revision,
        cause=present.cause,
        mode=evaluation.mode,
        recording_id=evaluation.recording_id,
        call_id=evaluation.call_id,
        agent_id=evaluation.agent_id,
        auditor_id=evaluation.auditor_id,
        form_id=form_id,
        form_version=int(form_version),
        raw_hundredths=present.scores.raw_hundredths,
        fatal_items=present.scores.fatal_items,
        final_hundredths=present.scores.final_hundredths,
        plan_id=evaluation.plan_id or None,
        demand_type=recording.demand_type,
        queue=recording.queue,
        is_settled=evaluation.is_settled,
    )
