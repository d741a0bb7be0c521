"""A follow-up: one call to a subscriber. Planned, handed out, attempted, and ended once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from contracts.events import Channel
from contracts.order import WorkOrder
from contracts.quality import (
    AttemptOutcome,
    FindingClosed,
    FindingKind,
    FindingOpened,
    FollowUpAttempted,
    FollowUpCause,
    FollowUpEnd,
    FollowUpEnded,
    FollowUpPlanned,
    SatisfactionGiven,
)
from contracts.refusals import Conflict, Forbidden, Invalid
from qa.follow_up.domain.project import FollowUpProject
from qa.follow_up.domain.questionnaire import Questionnaire, QuestionReply, check_replies, findings_of, satisfaction_of


class FollowUpState(StrEnum):
    WAITING = "waiting"
    TAKEN = "taken"
    ENDED = "ended"


class FindingState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class NotYourFollowUp(Forbidden):
    """This follow-up is assigned to {holder}."""

    zh = "该回访由 {holder} 负责。"


class FollowUpNotTaken(Conflict):
    """The follow-up is {state:follow_up_state}; take it before calling."""

    zh = "该回访处于“{state:follow_up_state}”状态；拨打前须先领取。"


class AnsweredForSomebodyElse(Invalid):
    """This follow-up is for subscriber {subscriber_no}, not for {given}."""

    zh = "该回访的对象是用户 {subscriber_no}，而非 {given}。"


class NotAnAttempt(Invalid):
    """Submit an answered questionnaire as completed; a callback time goes only with call_again."""

    zh = "已完成的问卷请提交问卷；仅在约定再次致电时给出再次致电时间。"


class FindingAlreadyClosed(Conflict):
    """The finding was already closed at {closed_at:time}."""

    zh = "该发现已于 {closed_at:time}办结。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    attempt: int
    outcome: AttemptOutcome
    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    id: str
    version: int
    project_id: str
    cause: FollowUpCause
    questionnaire: str
    subscriber_no: str
    thing: str
    """What it is about: one follow-up for each."""
    due_by: datetime
    next_call_at: datetime
    """Not before this moment."""
    subscriber_id: str | None = None
    """Known with an order; of a list, once intake was asked for them."""
    order_ids: tuple[str, ...] = ()
    outage_id: str | None = None
    work_area_id: str | None = None
    demand_type: str | None = None
    staff_id: str | None = None
    channel: Channel | None = None
    state: FollowUpState = FollowUpState.WAITING
    holder: str | None = None
    taken_at: datetime | None = None
    """When it was handed out for the first time: what quotas count."""
    first_holder: str | None = None
    attempts: tuple[Attempt, ...] = ()
    end: FollowUpEnd | None = None
    ended_at: datetime | None = None
    replies: tuple[QuestionReply, ...] = ()
    satisfaction: int | None = None
    covered_until: date | None = None
    """Until when days off were announced when `due_by` was counted: a deadline beyond it would be another today."""

    @property
    def is_untouched(self) -> bool:
        return self.state is FollowUpState.WAITING and not self.attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    id: str
    version: int
    project_id: str
    follow_up_id: str
    kind: FindingKind
    question: str
    subscriber_no: str
    found_at: datetime
    found_by: str
    order_ids: tuple[str, ...] = ()
    work_area_id: str | None = None
    state: FindingState = FindingState.OPEN
    order_id: str | None = None
    """The work order that was opened for it."""
    closed_at: datetime | None = None
    closed_by: str | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of a call in which the questionnaire was answered."""

    subscriber_no: str
    replies: tuple[QuestionReply, ...]
    note: str
    by: str
    at: datetime


def planned(
    project: FollowUpProject,
    order: WorkOrder,
    *,
    follow_up_id: str,
    thing: str,
    outage_id: str | None,
    due_by: datetime,
    covered_until: date | None = None,
    now: datetime,
) -> tuple[FollowUp, FollowUpPlanned]:
    return _planned(
        FollowUp(
            id=follow_up_id,
            version=1,
            project_id=project.id,
            cause=project.cause,
            questionnaire=project.questionnaire,
            subscriber_no=order.subscriber_no,
            thing=thing,
            due_by=due_by,
            next_call_at=now,
            subscriber_id=order.subscriber_id,
            order_ids=(order.id,),
            outage_id=outage_id,
            work_area_id=order.work_area_id,
            demand_type=order.demand_type,
            staff_id=order.assignment.staff_ids[0] if order.assignment else None,
            channel=order.channel,
            covered_until=covered_until,
        )
    )


def listed(
    project: FollowUpProject,
    subscriber_no: str,
    *,
    follow_up_id: str,
    due_by: datetime,
    covered_until: date | None = None,
    now: datetime,
) -> tuple[FollowUp, FollowUpPlanned]:
    """The follow-up of a subscriber who was put on a project's list."""
    return _planned(
        FollowUp(
            id=follow_up_id,
            version=1,
            project_id=project.id,
            cause=project.cause,
            questionnaire=project.questionnaire,
            subscriber_no=subscriber_no,
            thing=f"{project.cause.value}:{project.id}:{subscriber_no}",
            due_by=due_by,
            covered_until=covered_until,
            next_call_at=now,
        )
    )


def _planned(follow_up: FollowUp) -> tuple[FollowUp, FollowUpPlanned]:
    return follow_up, planned_event(follow_up)


def planned_event(follow_up: FollowUp) -> FollowUpPlanned:
    return FollowUpPlanned(
        follow_up_id=follow_up.id,
        project_id=follow_up.project_id,
        cause=follow_up.cause,
        subscriber_no=follow_up.subscriber_no,
        due_by=follow_up.due_by,
        order_ids=follow_up.order_ids,
        outage_id=follow_up.outage_id,
        work_area_id=follow_up.work_area_id,
        demand_type=follow_up.demand_type,
        staff_id=follow_up.staff_id,
        channel=follow_up.channel,
    )


def take(follow_up: FollowUp, *, by: str, now: datetime) -> FollowUp:
    return replace(
        follow_up,
        version=follow_up.version + 1,
        state=FollowUpState.TAKEN,
        holder=by,
        taken_at=follow_up.taken_at or now,
        first_holder=follow_up.first_holder or by,
    )


def release(follow_up: FollowUp, *, by: str, is_supervisor: bool) -> FollowUp:
    """Puts it back on the list."""
    if not is_supervisor:
        _check_holder(follow_up, by)
    elif follow_up.state is not FollowUpState.TAKEN:
        raise FollowUpNotTaken(state=follow_up.state.value)
    return replace(follow_up, version=follow_up.version + 1, state=FollowUpState.WAITING, holder=None)


def _check_holder(follow_up: FollowUp, by: str) -> None:
    if follow_up.state is not FollowUpState.TAKEN:
        raise FollowUpNotTaken(state=follow_up.state.value)
    if follow_up.holder != by:
        raise NotYourFollowUp(holder=follow_up.holder)


_FINAL = {
    AttemptOutcome.REFUSED: FollowUpEnd.REFUSED,
    AttemptOutcome.WRONG_NUMBER: FollowUpEnd.UNREACHABLE,
}


def attempt(
    follow_up: FollowUp,
    project: FollowUpProject,
    outcome: AttemptOutcome,
    *,
    call_again_at: datetime | None,
    note: str,
    by: str,
    now: datetime,
) -> tuple[FollowUp, list[FollowUpAttempted | FollowUpEnded]]:
    """A call that did not lead to answers; the last one that the project allows ends it."""
    _check_holder(follow_up, by)
    is_again = outcome is AttemptOutcome.CALL_AGAIN
    if outcome is AttemptOutcome.REACHED or is_again != (call_again_at is not None):
        raise NotAnAttempt()
    tried, event = _tried(follow_up, outcome, note=note, by=by, now=now)
    end = _FINAL.get(outcome)
    if end is None and len(tried.attempts) >= project.max_attempts:
        end = FollowUpEnd.UNREACHABLE
    if end is not None:
        ended, ended_event = _ended(tried, end, by=by, now=now)
        return ended, [event, ended_event]
    later = call_again_at or now + timedelta(minutes=project.retry_after_minutes)
    return replace(tried, state=FollowUpState.WAITING, holder=None, next_call_at=later), [event]


def _tried(
    follow_up: FollowUp, outcome: AttemptOutcome, *, note: str, by: str, now: datetime
) -> tuple[FollowUp, FollowUpAttempted]:
    number = len(follow_up.attempts) + 1
    made = Attempt(attempt=number, outcome=outcome, by=by, at=now, note=note)
    event = FollowUpAttempted(
        follow_up_id=follow_up.id, project_id=follow_up.project_id, attempt=number, caller_id=by, outcome=outcome
    )
    return replace(follow_up, version=follow_up.version + 1, attempts=(*follow_up.attempts, made)), event


def _ended(follow_up: FollowUp, end: FollowUpEnd, *, by: str, now: datetime) -> tuple[FollowUp, FollowUpEnded]:
    questionnaire_id, _, number = follow_up.questionnaire.rpartition(":")
    event = FollowUpEnded(
        follow_up_id=follow_up.id,
        project_id=follow_up.project_id,
        end=end,
        caller_id=by,
        attempt_count=len(follow_up.attempts),
        questionnaire_id=questionnaire_id,
        questionnaire_version=int(number),
        order_ids=follow_up.order_ids,
        is_late=now > follow_up.due_by,
    )
    return replace(follow_up, state=FollowUpState.ENDED, end=end, ended_at=now), event


def withdraw(follow_up: FollowUp, *, by: str, now: datetime) -> tuple[FollowUp, FollowUpEnded]:
    """Ends a follow-up without a call: there is nothing left to ask about."""
    ended, event = _ended(follow_up, FollowUpEnd.WITHDRAWN, by=by, now=now)
    return replace(ended, version=follow_up.version + 1), event


def complete(
    follow_up: FollowUp, questionnaire: Questionnaire, answered: Answered, finding_ids: Sequence[str]
) -> tuple[FollowUp, list[Finding], list[FollowUpAttempted | FollowUpEnded | SatisfactionGiven | FindingOpened]]:
    """The questionnaire answered by whom it was meant for. Findings take their ids from those given, in order."""
    _check_holder(follow_up, answered.by)
    if answered.subscriber_no != follow_up.subscriber_no:
        raise AnsweredForSomebodyElse(subscriber_no=follow_up.subscriber_no, given=answered.subscriber_no)
    check_replies(questionnaire, answered.replies)
    tried, reached = _tried(follow_up, AttemptOutcome.REACHED, note=answered.note, by=answered.by, now=answered.at)
    satisfaction = satisfaction_of(questionnaire, answered.replies)
    filled = replace(tried, replies=answered.replies, satisfaction=satisfaction.score if satisfaction else None)
    ended, end_event = _ended(filled, FollowUpEnd.COMPLETED, by=answered.by, now=answered.at)
    events: list[FollowUpAttempted | FollowUpEnded | SatisfactionGiven | FindingOpened] = [reached, end_event]
    if satisfaction is not None:
        events.append(
            SatisfactionGiven(
                follow_up_id=follow_up.id,
                project_id=follow_up.project_id,
                score=satisfaction.score,
                highest=satisfaction.highest,
                order_ids=follow_up.order_ids,
                work_area_id=follow_up.work_area_id,
                demand_type=follow_up.demand_type,
            )
        )
    shown = findings_of(questionnaire, answered.replies)
    findings = [
        _finding(follow_up, answered, finding_id, question, kind)
        for finding_id, (question, kind) in zip(finding_ids, shown, strict=False)
    ]
    return ended, findings, [*events, *map(_opened, findings)]


def _finding(follow_up: FollowUp, answered: Answered, finding_id: str, question: str, kind: FindingKind) -> Finding:
    return Finding(
        id=finding_id,
        version=1,
        project_id=follow_up.project_id,
        follow_up_id=follow_up.id,
        kind=kind,
        question=question,
        subscriber_no=follow_up.subscriber_no,
        found_at=answered.at,
        found_by=answered.by,
        order_ids=follow_up.order_ids,
        work_area_id=follow_up.work_area_id,
    )


def _opened(finding: Finding) -> FindingOpened:
    return FindingOpened(
        finding_id=finding.id,
        follow_up_id=finding.follow_up_id,
        project_id=finding.project_id,
        kind=finding.kind,
        order_ids=finding.order_ids,
    )


def close(
    finding: Finding, *, order_id: str | None, remark: str, by: str, now: datetime
) -> tuple[Finding, FindingClosed]:
    if finding.state is FindingState.CLOSED:
        raise FindingAlreadyClosed(closed_at=finding.closed_at)
    closed = replace(
        finding,
        version=finding.version + 1,
        state=FindingState.CLOSED,
        order_id=order_id,
        remark=remark,
        closed_at=now,
        closed_by=by,
    )
    return closed, FindingClosed(
        finding_id=finding.id, project_id=finding.project_id, kind=finding.kind, order_id=order_id
    )
