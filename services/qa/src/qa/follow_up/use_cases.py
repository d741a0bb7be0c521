"""What is done in follow-up projects. One function a command, each on a unit of work."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import partial

from chassis.commands import Reply
from chassis.database import Statements, Transaction
from chassis.identity import new_id
from chassis.unit_of_work import Command, Replay, ThingChanged
from contracts.directory import Names
from contracts.quality import AttemptOutcome, FollowUpCause
from contracts.refusals import Conflict, Invalid, NotFound
from qa.follow_up import store
from qa.follow_up.domain import follow_up as following
from qa.follow_up.domain.calendar import WorkingCalendar
from qa.follow_up.domain.follow_up import Answered, Finding, FindingState, FollowUp
from qa.follow_up.domain.project import OF_ORDERS, FollowUpProject, QuotaReached
from qa.follow_up.domain.questionnaire import Questionnaire, QuestionReply, SurveyQuestion
from qa.follow_up.intake_client import IntakeClient
from work_orders.sealing import Sealer
from work_orders.unit_of_work import OrderUnitOfWork

_FINDING_LIMIT = 100


class NothingToCall(NotFound):
    """This project has no follow-up to call now."""

    zh = "该项目目前没有待拨打的回访。"


class ProjectFollowsOrders(Conflict):
    """The follow-ups of this project come from {cause:cause}; subscribers cannot be added to it."""

    zh = "该项目的回访来自{cause:cause}，不能手工加入名单。"


class CauseCannotChange(Invalid):
    """The project follows up {cause:cause}; this cannot be changed."""

    zh = "该项目的回访缘由为{cause:cause}，不能更改。"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishQuestionnaire:
    questionnaire_id: str
    names: Names
    questions: tuple[SurveyQuestion, ...]


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
    """How many subscribers were put on the list."""

    project_id: str
    planned_count: int
    known_count: int
    """Subscribers who are on the list already, or were, or whom another project calls for the same cause."""


async def define_calendar(calendar: WorkingCalendar, *, uow: OrderUnitOfWork) -> Reply:
    """The calendar as it is from here on; deadlines that were counted stay as they are."""
    async with uow.command() as command:
        calendar.check()
        await store.lock_calendar_id(command.tx, calendar.id)
        if await store.is_shared_calendar(command.tx, calendar.id):
            raise store.CalendarIsShared(calendar=calendar.id)
        present = await store.CALENDARS.find(command.tx, calendar.id)
        defined = replace(calendar, version=present.version + 1 if present else 1)
        if present and present == replace(calendar, version=present.version):
            defined = present  # nothing has changed
        elif present:
            await store.CALENDARS.save(command.tx, defined)
        else:
            await store.CALENDARS.add(command.tx, defined)
        command.reply_with(defined)
    return command.reply


async def publish_questionnaire(draft: PublishQuestionnaire, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.command() as command:
        number = await store.next_questionnaire_version(command.tx, draft.questionnaire_id)
        questionnaire = Questionnaire(
            id=f"{draft.questionnaire_id}:{number}",
            questionnaire_id=draft.questionnaire_id,
            questionnaire_version=number,
            names=draft.names,
            questions=draft.questions,
            published_at=command.now,
            published_by=command.actor.sub,
        )
        questionnaire.check()
        await store.QUESTIONNAIRES.add(command.tx, questionnaire)
        command.reply_with(questionnaire, status=201)
    return command.reply


async def define_project(project: FollowUpProject, *, uow: OrderUnitOfWork) -> Reply:
    """Begins a project, or changes one: `If-Match` then names the version that was changed."""
    async with uow.command() as command:
        project.check()
        await store.get_calendar(command.tx, project.calendar)
        await store.QUESTIONNAIRES.get(command.tx, project.questionnaire)
        await store.lock_project_id(command.tx, project.id)
        present = await store.PROJECTS.find(command.tx, project.id)
        if present is None:
            await store.PROJECTS.add(command.tx, project)
            command.reply_with(project)
        else:
            present = await store.PROJECTS.lock(command.tx, project.id)
            command.check_version(present.version)
            if present.cause is not project.cause:
                raise CauseCannotChange(cause=present.cause.value)
            changed = replace(project, version=present.version + 1)
            await store.PROJECTS.save(command.tx, changed)
            command.reply_with(changed)
    return command.reply


async def list_subscribers(project_id: str, subscriber_nos: Sequence[str], *, uow: OrderUnitOfWork) -> Reply:
    """Puts subscribers on a project's list, each once."""
    async with uow.command() as command:
        project = await store.PROJECTS.lock(command.tx, project_id)
        if project.cause in OF_ORDERS:
            raise ProjectFollowsOrders(cause=project.cause.value)
        project.check_open(command.now)
        calendar = await store.get_calendar(command.tx, project.calendar)
        due_by = project.due_by(command.now, calendar)
        made = [
            following.listed(
                project,
                one,
                follow_up_id=new_id(),
                due_by=due_by,
                covered_until=calendar.covered_until,
                now=command.now,
            )
            for one in dict.fromkeys(subscriber_nos)
        ]
        known = await store.listed_before(command.tx, [follow_up.thing for follow_up, _ in made])
        elsewhere: set[str] = set()
        if project.cause is not FollowUpCause.LIST:
            elsewhere = await store.called_elsewhere(
                command.tx, project_id, project.cause, subscriber_nos, since=project.start
            )
        new = [
            (follow_up, event)
            for follow_up, event in made
            if follow_up.thing not in known and follow_up.subscriber_no not in elsewhere
        ]
        await store.FOLLOW_UPS.add_all(command.tx, [follow_up for follow_up, _ in new])
        for follow_up, event in new:
            command.publish(event, subject=follow_up.id)
        command.reply_with(Listed(project_id=project_id, planned_count=len(new), known_count=len(made) - len(new)))
    return command.reply


async def take_follow_up(project_id: str, *, uow: OrderUnitOfWork) -> Reply:
    """Hands out the follow-up that is due first, within quotas and calling hours."""
    async with uow.command() as command:
        # The project's lock makes those who take at once queue, so that no quota is passed.
        project = await store.PROJECTS.lock(command.tx, project_id)
        calendar = await store.get_calendar(command.tx, project.calendar)
        project.check_may_call(command.now, calendar)
        found = await _next_to_call(command, project, calendar, uow.areas)
        taken = following.take(found, by=command.actor.sub, now=command.now)
        await store.FOLLOW_UPS.save(command.tx, taken)
        command.reply_with(taken)
    return command.reply


async def _next_to_call(
    command: Command, project: FollowUpProject, calendar: WorkingCalendar, areas: tuple[str, ...] | None
) -> FollowUp:
    """The follow-up that is due first; once a quota is reached, of those that have counted in it already."""
    found = await store.lock_next(command.tx, project.id, now=command.now, areas=areas)
    if found is None:
        raise NothingToCall()
    if found.taken_at is not None:
        return found
    today = calendar.day_of(command.now)
    day, month = _begin(today, calendar), _begin(today.replace(day=1), calendar)
    out = await store.handed_out(command.tx, project.id, command.actor.sub, day=day, month=month)
    try:
        project.check_quotas(out)
    except QuotaReached:
        # Subscribers who asked to be called again are, even if others are due before.
        again = await store.lock_next(command.tx, project.id, now=command.now, areas=areas, had_only=True)
        if again is None:
            raise
        return again
    return found


def _begin(day: date, calendar: WorkingCalendar) -> datetime:
    return datetime.combine(day, time(), calendar.zone)


def _while_visible(follow_up_id: str, uow: OrderUnitOfWork) -> Replay:
    """A repeated command gets its first reply as long as the actor may see the follow-up."""

    async def replay(statements: Statements, reply: Reply) -> Reply:
        await store.get_visible(statements, follow_up_id, uow.actor, uow.areas)
        return reply

    return replay


async def _lock(tx: Transaction, follow_up_id: str, areas: tuple[str, ...] | None) -> FollowUp:
    found = await store.FOLLOW_UPS.lock(tx, follow_up_id)
    if areas is not None and found.work_area_id not in areas:
        raise store.FollowUpNotFound(id=follow_up_id)
    return found


async def release_follow_up(follow_up_id: str, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.command(replay=_while_visible(follow_up_id, uow)) as command:
        found = await _lock(command.tx, follow_up_id, uow.areas)
        command.check_version(found.version)
        released = following.release(found, by=command.actor.sub, is_supervisor=uow.actor.role == "supervisor")
        await store.FOLLOW_UPS.save(command.tx, released)
        command.reply_with(released)
    return command.reply


async def _sealer_for(
    follow_up_id: str, *texts: str | None, intake: IntakeClient, uow: OrderUnitOfWork
) -> tuple[Sealer, str | None]:
    """Seals texts about a follow-up, and gives its subscriber; before the command, which locks the row."""
    if not any(texts):
        return Sealer(), None
    async with uow.db.statements() as statements:
        await uow.raise_if_replied(statements, _while_visible(follow_up_id, uow))
        found = await store.FOLLOW_UPS.get(statements, follow_up_id)
    subscriber_id = await intake.subscriber_of(found)
    return await uow.sealer_of(subscriber_id), subscriber_id


async def note_attempt(follow_up_id: str, attempt: MakeAttempt, *, intake: IntakeClient, uow: OrderUnitOfWork) -> Reply:
    """A call that did not lead to answers."""
    seal, subscriber_id = await _sealer_for(follow_up_id, attempt.note, intake=intake, uow=uow)
    async with uow.command(replay=_while_visible(follow_up_id, uow)) as command:
        found = await _lock_to_call(command, follow_up_id, subscriber_id, uow.areas)
        project = await store.PROJECTS.get(command.tx, found.project_id)
        tried, events = following.attempt(
            found,
            project,
            attempt.outcome,
            call_again_at=attempt.call_again_at,
            note=seal(attempt.note, follow_up_id),
            by=command.actor.sub,
            now=command.now,
        )
        await store.FOLLOW_UPS.save(command.tx, tried)
        for event in events:
            command.publish(event, subject=subject_of(tried))
        command.reply_with(tried)
    return command.reply


async def complete_follow_up(
    follow_up_id: str, hand_in: HandInReplies, *, intake: IntakeClient, uow: OrderUnitOfWork
) -> Reply:
    """The questionnaire as it was answered; replies that are findings open them."""
    texts = [reply.text for reply in hand_in.replies]
    seal, subscriber_id = await _sealer_for(follow_up_id, hand_in.note, *texts, intake=intake, uow=uow)
    async with uow.command(replay=_while_visible(follow_up_id, uow)) as command:
        found = await _lock_to_call(command, follow_up_id, subscriber_id, uow.areas)
        questionnaire = await store.QUESTIONNAIRES.get(command.tx, found.questionnaire)
        answered = Answered(
            subscriber_no=hand_in.subscriber_no,
            replies=tuple(_sealed(reply, seal, follow_up_id) for reply in hand_in.replies),
            note=seal(hand_in.note, follow_up_id),
            by=command.actor.sub,
            at=command.now,
        )
        ids = [new_id() for _ in range(_FINDING_LIMIT)]
        ended, findings, events = following.complete(found, questionnaire, answered, ids)
        await store.FOLLOW_UPS.save(command.tx, ended)
        for finding in findings:
            await store.FINDINGS.add(command.tx, finding)
        for event in events:
            command.publish(event, subject=subject_of(ended))
        command.reply_with(ended)
    return command.reply


def _sealed(reply: QuestionReply, seal: Sealer, follow_up_id: str) -> QuestionReply:
    return replace(reply, text=seal(reply.text, follow_up_id)) if reply.text else reply


async def _lock_to_call(
    command: Command, follow_up_id: str, subscriber_id: str | None, areas: tuple[str, ...] | None
) -> FollowUp:
    """The follow-up at the version decided on, at an hour at which its project calls; from here on it knows whose."""
    found = await _lock(command.tx, follow_up_id, areas)
    command.check_version(found.version)
    project = await store.PROJECTS.get(command.tx, found.project_id)
    project.check_may_call(command.now, await store.get_calendar(command.tx, project.calendar))
    return replace(found, subscriber_id=found.subscriber_id or subscriber_id)


def subject_of(thing: FollowUp | Finding) -> str:
    """The key of what is published: the first order, or the follow-up where there is none."""
    follow_up_id = thing.id if isinstance(thing, FollowUp) else thing.follow_up_id
    return thing.order_ids[0] if thing.order_ids else follow_up_id


async def finding_to_close(finding_id: str, *, uow: OrderUnitOfWork) -> Finding:
    """The finding if it can be closed at the version decided on: looked at before anything is asked of intake.

    No transaction stays open: no lock is held while another service is asked.
    """
    async with uow.db.statements() as statements:
        await uow.raise_if_replied(statements)
        found = await store.FINDINGS.get(statements, finding_id)
    _check_area(found, uow.areas)
    versions = uow.headers.versions
    if not versions.fits(found.version):
        raise ThingChanged(present_version=found.version, expected_version=versions.newest)
    if found.state is FindingState.CLOSED:
        raise following.FindingAlreadyClosed(closed_at=found.closed_at)
    return found


def _check_area(finding: Finding, areas: tuple[str, ...] | None) -> None:
    if areas is not None and finding.work_area_id not in areas:
        raise store.FindingNotFound(id=finding.id)


async def close_finding(finding_id: str, *, order_id: str | None, remark: str, uow: OrderUnitOfWork) -> Reply:
    """Closes a finding that was dealt with, by a work order or otherwise."""
    seal = await uow.sealer(partial(store.subscriber_behind, finding_id=finding_id), remark)
    async with uow.command() as command:
        found = await store.FINDINGS.lock(command.tx, finding_id)
        _check_area(found, uow.areas)
        command.check_version(found.version)
        closed, event = following.close(
            found, order_id=order_id, remark=seal(remark, finding_id), by=command.actor.sub, now=command.now
        )
        await store.FINDINGS.save(command.tx, closed)
        command.publish(event, subject=subject_of(closed))
        command.reply_with(closed)
    return command.reply
