"""What is done in follow-up projects. One function a command."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import partial

from chassis.commands import Reply, raise_if_replied
from chassis.database import Transaction
from chassis.identity import new_id
from contracts.directory import Names
from contracts.quality import AttemptOutcome, FollowUpCause
from contracts.refusals import Conflict, Invalid, NotFound
from qa.desk import ActAtDesk, QualityDesk, Sees, ThingChanged
from qa.follow_up import intake, store
from qa.follow_up.domain import follow_up as following
from qa.follow_up.domain.calendar import WorkingCalendar
from qa.follow_up.domain.follow_up import Answered, Finding, FindingState, FollowUp
from qa.follow_up.domain.project import OF_ORDERS, FollowUpProject, QuotaReached
from qa.follow_up.domain.questionnaire import Question, Questionnaire, QuestionReply
from work_orders.sealing import Sealer

_FINDING_LIMIT = 100


class NothingToCall(NotFound):
    """Nobody is to be called in this project at this moment."""

    zh = "该项目目前没有待拨打的回访。"


class ProjectFollowsOrders(Conflict):
    """The project takes its follow-ups from {cause}; nobody is put on it by hand."""

    zh = "该项目的回访来自 {cause}，不能手工加入名单。"


class CauseCannotChange(Invalid):
    """The project was begun for {cause}; what it follows up does not change."""

    zh = "该项目的回访缘由为 {cause}，不能更改。"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishQuestionnaire:
    questionnaire_id: str
    names: Names
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeAttempt:
    outcome: AttemptOutcome
    call_again_at: datetime | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandInReplies:
    subscriber_no: str
    replies: tuple[QuestionReply, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What putting subscribers on a list came to."""

    project_id: str
    planned_count: int
    known_count: int
    """Subscribers who are on the list already, or were, or whom another project calls for the same cause."""


async def define_calendar(calendar: WorkingCalendar, *, context: QualityDesk) -> Reply:
    """The calendar as it is from here on; deadlines that were counted stay as they are."""
    async with context.act() as act:  # the only commit on this path
        calendar.check()
        await act.tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 9))", calendar.id)
        present = await store.CALENDARS.find(act.tx, calendar.id)
        defined = replace(calendar, version=present.version + 1 if present else 1)
        if present:
            await store.CALENDARS.save(act.tx, defined)
        else:
            await store.CALENDARS.add(act.tx, defined)
        act.answer_with(defined)
    return act.answer


async def publish_questionnaire(command: PublishQuestionnaire, *, context: QualityDesk) -> Reply:
    async with context.act() as act:  # the only commit on this path
        number = await store.next_questionnaire_version(act.tx, command.questionnaire_id)
        questionnaire = Questionnaire(
            id=f"{command.questionnaire_id}:{number}",
            questionnaire_id=command.questionnaire_id,
            questionnaire_version=number,
            names=command.names,
            questions=command.questions,
            published_at=act.now,
            published_by=act.actor.sub,
        )
        questionnaire.check()
        await store.QUESTIONNAIRES.add(act.tx, questionnaire)
        act.answer_with(questionnaire, status=201)
    return act.answer


async def define_project(project: FollowUpProject, *, context: QualityDesk) -> Reply:
    """Begins a project, or changes one: `If-Match` then names the version that was changed."""
    async with context.act() as act:  # the only commit on this path
        project.check()
        await store.CALENDARS.get(act.tx, project.calendar)
        await store.QUESTIONNAIRES.get(act.tx, project.questionnaire)
        await act.tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 10))", project.id)
        present = await store.PROJECTS.find(act.tx, project.id)
        if present is None:
            await store.PROJECTS.add(act.tx, project)
            act.answer_with(project)
        else:
            present = await store.PROJECTS.lock(act.tx, project.id)
            act.check_version(present.version)
            if present.cause is not project.cause:
                raise CauseCannotChange(cause=present.cause.value)
            changed = replace(project, version=present.version + 1)
            await store.PROJECTS.save(act.tx, changed)
            act.answer_with(changed)
    return act.answer


async def list_subscribers(project_id: str, subscriber_nos: Sequence[str], *, context: QualityDesk) -> Reply:
    """Puts subscribers on a project's list, each once."""
    async with context.act() as act:  # the only commit on this path
        project = await store.PROJECTS.lock(act.tx, project_id)
        if project.cause in OF_ORDERS:
            raise ProjectFollowsOrders(cause=project.cause.value)
        project.check_open(act.now)
        calendar = await store.CALENDARS.get(act.tx, project.calendar)
        due_by = project.due_by(act.now, calendar)
        made = [
            following.listed(project, one, follow_up_id=new_id(), due_by=due_by, now=act.now)
            for one in dict.fromkeys(subscriber_nos)
        ]
        known = await store.listed_before(act.tx, [follow_up.thing for follow_up, _ in made])
        elsewhere: set[str] = set()
        if project.cause is not FollowUpCause.LIST:
            elsewhere = await store.called_elsewhere(
                act.tx, project_id, project.cause, subscriber_nos, since=project.start
            )
        new = [
            (follow_up, event)
            for follow_up, event in made
            if follow_up.thing not in known and follow_up.subscriber_no not in elsewhere
        ]
        await store.FOLLOW_UPS.add_all(act.tx, [follow_up for follow_up, _ in new])
        for follow_up, event in new:
            act.publish(event, subject=follow_up.id)
        act.answer_with(Listed(project_id=project_id, planned_count=len(new), known_count=len(made) - len(new)))
    return act.answer


async def take_follow_up(project_id: str, *, context: QualityDesk) -> Reply:
    """Hands out the follow-up that is due first, within quotas and calling hours."""
    async with context.act() as act:  # the only commit on this path
        # The project's lock makes those who take at once queue, so that no quota is passed.
        project = await store.PROJECTS.lock(act.tx, project_id)
        calendar = await store.CALENDARS.get(act.tx, project.calendar)
        project.check_may_call(act.now, calendar)
        found = await _next_to_call(act, project, calendar, context.caller.areas)
        taken = following.take(found, by=act.actor.sub, now=act.now)
        await store.FOLLOW_UPS.save(act.tx, taken)
        act.answer_with(taken)
    return act.answer


async def _next_to_call(
    act: ActAtDesk, project: FollowUpProject, calendar: WorkingCalendar, areas: tuple[str, ...] | None
) -> FollowUp:
    """The follow-up that is due first; once a quota is reached, of those that have counted in it already."""
    found = await store.lock_next(act.tx, project.id, now=act.now, areas=areas)
    if found is None:
        raise NothingToCall()
    if found.taken_at is not None:
        return found
    today = calendar.day_of(act.now)
    day, month = _begin(today, calendar), _begin(today.replace(day=1), calendar)
    out = await store.handed_out(act.tx, project.id, act.actor.sub, day=day, month=month)
    try:
        project.check_quotas(out)
    except QuotaReached:
        # Whoever asked to be called again is, whatever others are due before.
        again = await store.lock_next(act.tx, project.id, now=act.now, areas=areas, had_only=True)
        if again is None:
            raise
        return again
    return found


def _begin(day: date, calendar: WorkingCalendar) -> datetime:
    return datetime.combine(day, time(), calendar.zone)


def _sees(follow_up_id: str, context: QualityDesk) -> Sees:
    return partial(store.get_visible, follow_up_id=follow_up_id, caller=context.caller)


async def _lock(tx: Transaction, follow_up_id: str, areas: tuple[str, ...] | None) -> FollowUp:
    found = await store.FOLLOW_UPS.lock(tx, follow_up_id)
    if areas is not None and found.work_area_id not in areas:
        raise store.FollowUpNotFound(id=follow_up_id)
    return found


async def release_follow_up(follow_up_id: str, *, context: QualityDesk) -> Reply:
    async with context.act(sees=_sees(follow_up_id, context)) as act:  # the only commit on this path
        found = await _lock(act.tx, follow_up_id, context.caller.areas)
        act.check_version(found.version)
        released = following.release(found, by=act.actor.sub, is_supervisor=context.caller.role == "supervisor")
        await store.FOLLOW_UPS.save(act.tx, released)
        act.answer_with(released)
    return act.answer


async def _texts_of(follow_up_id: str, *texts: str | None, context: QualityDesk) -> tuple[Sealer, str | None]:
    """Seals what is typed about a follow-up, and says whose it is; before the act, which holds its row."""
    if not any(texts):
        return Sealer(), None
    async with context.db.statements() as statements:
        await context.raise_if_replied(statements, _sees(follow_up_id, context))
        found = await store.FOLLOW_UPS.get(statements, follow_up_id)
    subscriber_id = await intake.subscriber_of(found, context.app, token=context.caller.token)
    return await context.sealer_of(subscriber_id), subscriber_id


async def note_attempt(follow_up_id: str, command: MakeAttempt, *, context: QualityDesk) -> Reply:
    """A call that did not lead to answers."""
    seal, subscriber_id = await _texts_of(follow_up_id, command.note, context=context)
    async with context.act(sees=_sees(follow_up_id, context)) as act:  # the only commit on this path
        found = await _lock_to_call(act, follow_up_id, context, subscriber_id)
        project = await store.PROJECTS.get(act.tx, found.project_id)
        tried, events = following.attempt(
            found,
            project,
            command.outcome,
            call_again_at=command.call_again_at,
            note=seal(command.note, follow_up_id),
            by=act.actor.sub,
            now=act.now,
        )
        await store.FOLLOW_UPS.save(act.tx, tried)
        for event in events:
            act.publish(event, subject=subject_of(tried))
        act.answer_with(tried)
    return act.answer


async def complete_follow_up(follow_up_id: str, command: HandInReplies, *, context: QualityDesk) -> Reply:
    """The questionnaire as it was answered; replies that are findings open them."""
    texts = [reply.text for reply in command.replies]
    seal, subscriber_id = await _texts_of(follow_up_id, command.note, *texts, context=context)
    async with context.act(sees=_sees(follow_up_id, context)) as act:  # the only commit on this path
        found = await _lock_to_call(act, follow_up_id, context, subscriber_id)
        questionnaire = await store.QUESTIONNAIRES.get(act.tx, found.questionnaire)
        answered = Answered(
            subscriber_no=command.subscriber_no,
            replies=tuple(_sealed(reply, seal, follow_up_id) for reply in command.replies),
            note=seal(command.note, follow_up_id),
            by=act.actor.sub,
            at=act.now,
        )
        ids = [new_id() for _ in range(_FINDING_LIMIT)]
        ended, findings, events = following.complete(found, questionnaire, answered, ids)
        await store.FOLLOW_UPS.save(act.tx, ended)
        for finding in findings:
            await store.FINDINGS.add(act.tx, finding)
        for event in events:
            act.publish(event, subject=subject_of(ended))
        act.answer_with(ended)
    return act.answer


def _sealed(reply: QuestionReply, seal: Sealer, follow_up_id: str) -> QuestionReply:
    return replace(reply, text=seal(reply.text, follow_up_id)) if reply.text else reply


async def _lock_to_call(act: ActAtDesk, follow_up_id: str, context: QualityDesk, subscriber_id: str | None) -> FollowUp:
    """The follow-up at the version decided on, at an hour at which its project calls; from here on it knows whose."""
    found = await _lock(act.tx, follow_up_id, context.caller.areas)
    act.check_version(found.version)
    project = await store.PROJECTS.get(act.tx, found.project_id)
    project.check_may_call(act.now, await store.CALENDARS.get(act.tx, project.calendar))
    return replace(found, subscriber_id=found.subscriber_id or subscriber_id)


def subject_of(thing: FollowUp | Finding) -> str:
    """The key of what is published: the first order, or the follow-up where there is none."""
    follow_up_id = thing.id if isinstance(thing, FollowUp) else thing.follow_up_id
    return thing.order_ids[0] if thing.order_ids else follow_up_id


async def finding_to_close(finding_id: str, *, context: QualityDesk) -> Finding:
    """The finding if it can be closed at the version decided on: looked at before anything is asked of intake.

    No transaction is open afterwards: nobody waits in the database for another service.
    """
    async with context.db.statements() as statements:
        await raise_if_replied(statements, context.headers.idempotency)
        found = await store.FINDINGS.get(statements, finding_id)
    _check_area(found, context.caller.areas)
    if found.version != context.headers.expected_version:
        raise ThingChanged(present_version=found.version, expected_version=context.headers.expected_version)
    if found.state is FindingState.CLOSED:
        raise following.FindingAlreadyClosed(closed_at=found.closed_at)
    return found


def _check_area(finding: Finding, areas: tuple[str, ...] | None) -> None:
    if areas is not None and finding.work_area_id not in areas:
        raise store.FindingNotFound(id=finding.id)


async def close_finding(finding_id: str, *, order_id: str | None, remark: str, context: QualityDesk) -> Reply:
    """Somebody dealt with it, by a work order or otherwise."""
    seal = await context.sealer(partial(store.subscriber_behind, finding_id=finding_id), remark)
    async with context.act() as act:  # the only commit on this path
        found = await store.FINDINGS.lock(act.tx, finding_id)
        _check_area(found, context.caller.areas)
        act.check_version(found.version)
        closed, event = following.close(
            found, order_id=order_id, remark=seal(remark, finding_id), by=act.actor.sub, now=act.now
        )
        await store.FINDINGS.save(act.tx, closed)
        act.publish(event, subject=subject_of(closed))
        act.answer_with(closed)
    return act.answer
