"""Rows of follow-up: calendars, questionnaires, projects, follow-ups, findings, and which orders share an outage."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Text, and_, bindparam

from chassis.database import Statements, Transaction
from chassis.document_store import DocumentStore, condition
from contracts.directory import CalendarDefined
from contracts.message import Actor
from contracts.order import WorkOrder
from contracts.quality import FollowUpCause
from contracts.refusals import Conflict, NotFound
from qa import tables
from qa.follow_up.domain.calendar import WorkingCalendar
from qa.follow_up.domain.follow_up import Finding, FollowUp
from qa.follow_up.domain.project import FollowUpProject, HandedOut
from qa.follow_up.domain.questionnaire import Questionnaire
from qa.recordings.store import own_scope
from work_orders.directory import CalendarNotFound, find_calendar
from work_orders.order_table import to_order


class CalendarIsShared(Conflict):
    """Calendar {calendar} is defined at dispatch for every service; change it there."""

    zh = "日历 {calendar} 由调度服务统一维护，请在调度服务中修改。"


class QuestionnaireNotFound(NotFound):
    """There is no questionnaire {id}."""

    zh = "没有问卷 {id}。"


class ProjectNotFound(NotFound):
    """There is no follow-up project {id}."""

    zh = "没有回访项目 {id}。"


class FollowUpNotFound(NotFound):
    """There is no follow-up {id} that you may see."""

    zh = "没有您可以查看的回访 {id}。"


class FindingNotFound(NotFound):
    """There is no finding {id} that you may see."""

    zh = "没有您可以查看的回访发现 {id}。"


CALENDARS = DocumentStore(tables.CALENDARS, WorkingCalendar, not_found=CalendarNotFound, sort="created_at")
"""Calendars that only qa has; deprecated: `get_calendar` finds those of dispatch first."""
QUESTIONNAIRES = DocumentStore(
    tables.QUESTIONNAIRES, Questionnaire, not_found=QuestionnaireNotFound, sort="published_at"
)
PROJECTS = DocumentStore(
    tables.FOLLOW_UP_PROJECTS,
    FollowUpProject,
    not_found=ProjectNotFound,
    sort="start_at",
    columns={"start_at": lambda project: project.start, "end_at": lambda project: project.end},
)
FOLLOW_UPS = DocumentStore(
    tables.FOLLOW_UPS,
    FollowUp,
    not_found=FollowUpNotFound,
    sort="due_by",
    latest_first=False,
    columns={"end_kind": lambda follow_up: follow_up.end},
)
FINDINGS = DocumentStore(tables.FINDINGS, Finding, not_found=FindingNotFound, sort="found_at")

_OF_SUBSCRIBERS = "(select id from follow_ups where body->>'subscriber_id' = any(:subscriber_ids))"
_VISIBLE = """(:own is null or holder = :own or first_holder = :own)
    and (:areas is null or work_area_id = any(:areas))"""
VISIBLE = condition(_VISIBLE, own=Text, areas=ARRAY(Text))
"""Of an agent follow-ups that are or were with them; of a token with areas those of orders there; with the
parameters of `qa.recordings.store.own_scope`."""
# A caller who sees some areas only finds nothing by an order of another: that it is among them would say where it is.
VISIBLE_OF_ORDER = condition(
    f"""{_VISIBLE} and order_ids @> array[cast(:order_id as text)] and (:areas is null
        or exists (select from work_orders w where w.id = :order_id and w.work_area_id = any(:areas)))""",
    own=Text,
    areas=ARRAY(Text),
    order_id=Text,
)
FINDINGS_IN_AREAS = condition("work_area_id = any(:areas)", areas=ARRAY(Text))
FOLLOW_UPS_ABOUT = FOLLOW_UPS.where(condition(f"id in {_OF_SUBSCRIBERS}", subscriber_ids=ARRAY(Text)), lock=True)
FINDINGS_ABOUT = FINDINGS.where(condition(f"follow_up_id in {_OF_SUBSCRIBERS}", subscriber_ids=ARRAY(Text)), lock=True)
_BY_ID = FOLLOW_UPS.where(and_(VISIBLE, tables.FOLLOW_UPS.c.id == bindparam("follow_up")))
_OPEN_OF_ORDERS = PROJECTS.where(condition("is_open and cause in ('completion', 'complaint')"), lock=True)
_ACTIVE = FOLLOW_UPS.where(
    condition(
        "end_kind is distinct from 'withdrawn' and (order_ids && :order_ids or thing = any(:things))",
        order_ids=ARRAY(Text),
        things=ARRAY(Text),
    ),
    lock=True,
)


async def get_visible(statements: Statements, follow_up_id: str, actor: Actor, areas: Sequence[str] | None) -> FollowUp:
    """Raises `FollowUpNotFound`, also of a follow-up that the actor may not see."""
    found = await FOLLOW_UPS.fetch(statements, _BY_ID, follow_up=follow_up_id, **own_scope(actor, areas))
    if not found:
        raise FollowUpNotFound(id=follow_up_id)
    return found[0]


async def orders(statements: Statements, order_ids: Iterable[str]) -> list[WorkOrder]:
    """The orders as this service has them, by id."""
    rows = await statements.fetch("select body from work_orders where id = any($1) order by id", sorted(order_ids))
    return [to_order(row["body"]) for row in rows]


async def next_questionnaire_version(tx: Transaction, questionnaire_id: str) -> int:
    # Two who publish the same questionnaire at once take turns.
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 8))", questionnaire_id)
    latest = await tx.fetchval(
        "select max(questionnaire_version) from questionnaires where questionnaire_id = $1", questionnaire_id
    )
    return (latest or 0) + 1


async def get_calendar(statements: Statements, calendar_id: str) -> WorkingCalendar:
    """What dispatch defines for every service, or else what only qa has, or else what was shipped.

    Raises `CalendarNotFound`.
    """
    found = await find_calendar(statements, calendar_id)
    if found is None or found[0] == 0:
        own = await CALENDARS.find(statements, calendar_id)
        if own is not None:
            return own
    if found is None:
        raise CalendarNotFound(id=calendar_id)
    return _of_directory(*found)


async def is_shared_calendar(statements: Statements, calendar_id: str) -> bool:
    """Whether dispatch has defined it."""
    found = await find_calendar(statements, calendar_id)
    return found is not None and found[0] > 0


def _of_directory(version: int, calendar: CalendarDefined) -> WorkingCalendar:
    return WorkingCalendar(
        id=calendar.calendar_id,
        version=version,
        time_zone=calendar.working_time.time_zone,
        days_off=calendar.working_time.days_off,
        holidays=calendar.working_time.holidays,
        make_up_days=calendar.working_time.make_up_days,
        covered_until=calendar.covered_until,
    )


async def calendars_in_use(statements: Statements) -> list[WorkingCalendar]:
    """Those that follow-ups of open projects are counted in."""
    rows = await statements.fetch(
        """select distinct body ->> 'calendar' as id from follow_up_projects
           where is_open and end_at > now() order by id"""
    )
    return [await get_calendar(statements, row["id"]) for row in rows]


async def lock_calendar_id(tx: Transaction, calendar_id: str) -> None:
    """Makes those who define the same calendar at once take turns, also while there is no row."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 9))", calendar_id)


async def lock_project_id(tx: Transaction, project_id: str) -> None:
    """The same for a project."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 10))", project_id)


async def lock_open_projects(tx: Transaction) -> list[FollowUpProject]:
    """The open projects about orders; held, so that two workers do not plan the same call."""
    return await PROJECTS.fetch(tx, _OPEN_OF_ORDERS)


async def outages_of(tx: Transaction, order_ids: Iterable[str]) -> dict[str, str]:
    """The outage that each order is linked to at present; of several the first that was linked."""
    rows = await tx.fetch(
        """select distinct on (order_id) order_id, outage_id from order_outages
           where order_id = any($1) and not is_undone order by order_id, linked_at, link_id""",
        sorted(set(order_ids)),
    )
    return {row["order_id"]: row["outage_id"] for row in rows}


async def keep_link(tx: Transaction, link_id: str, order_id: str, outage_id: str, at: datetime) -> None:
    """A link that was undone before it was read stays undone."""
    await tx.execute(
        """insert into order_outages (link_id, order_id, outage_id, linked_at, is_undone) values ($1, $2, $3, $4, false)
           on conflict (link_id) do update set order_id = excluded.order_id, outage_id = excluded.outage_id,
               linked_at = excluded.linked_at""",
        link_id,
        order_id,
        outage_id,
        at,
    )


async def undo_link(tx: Transaction, link_id: str, order_id: str) -> None:
    await tx.execute(
        """insert into order_outages (link_id, order_id, is_undone) values ($1, $2, true)
           on conflict (link_id) do update set is_undone = true""",
        link_id,
        order_id,
    )


async def lock_of_orders(tx: Transaction, order_ids: Sequence[str], things: Sequence[str]) -> list[FollowUp]:
    """The follow-ups that are not withdrawn and cover one of these orders or are about one of these things."""
    return await FOLLOW_UPS.fetch(tx, _ACTIVE, order_ids=list(order_ids), things=list(things))


async def lock_next(
    tx: Transaction, project_id: str, *, now: datetime, areas: Sequence[str] | None, had_only: bool = False
) -> FollowUp | None:
    """The follow-up of a project that is due first, among those that may be called at this moment; with `had_only`
    among those that were handed out before."""
    body = await tx.fetchval(
        """select id from follow_ups where project_id = $1 and state = 'waiting' and next_call_at <= $2
               and ($3::text[] is null or work_area_id = any($3)) and (not $4 or taken_at is not null)
           order by due_by, id limit 1 for update""",
        project_id,
        now,
        None if areas is None else list(areas),
        had_only,
    )
    return await FOLLOW_UPS.lock(tx, body) if body is not None else None


async def handed_out(
    statements: Statements, project_id: str, caller: str, *, day: datetime, month: datetime
) -> HandedOut:
    """How many follow-ups of a project were handed out since a day and a month began."""
    row: Any = await statements.fetchrow(
        """select count(*) filter (where taken_at >= $2) as today, count(*) as month,
               count(*) filter (where first_holder = $4) as caller
           from follow_ups where project_id = $1 and taken_at >= $3""",
        project_id,
        day,
        month,
        caller,
    )
    return HandedOut(today=row["today"], this_month=row["month"], to_caller_this_month=row["caller"])


async def subscriber_behind(statements: Statements, finding_id: str) -> str | None:
    """Whose follow-up a finding is of, as far as that is known."""
    return await statements.fetchval(
        """select follow_ups.body->>'subscriber_id' from findings join follow_ups on follow_ups.id = follow_up_id
           where findings.id = $1""",
        finding_id,
    )


async def listed_before(tx: Transaction, things: Sequence[str]) -> set[str]:
    rows = await tx.fetch("select thing from follow_ups where thing = any($1)", list(things))
    return {row["thing"] for row in rows}


async def called_elsewhere(
    tx: Transaction, project_id: str, cause: FollowUpCause, subscriber_nos: Sequence[str], *, since: datetime
) -> set[str]:
    """Whom another project is to call for the same cause, or has called since a moment."""
    # Two projects that are filled at once take turns.
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 11))", cause.value)
    rows = await tx.fetch(
        """select distinct subscriber_no from follow_ups
           where subscriber_no = any($1) and project_id <> $2 and body->>'cause' = $3
               and end_kind is distinct from 'withdrawn' and (state <> 'ended' or ended_at >= $4)""",
        list(subscriber_nos),
        project_id,
        cause.value,
        since,
    )
    return {row["subscriber_no"] for row in rows}
