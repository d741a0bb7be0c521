"""Reads: the directory, and the form of an order. Lists of orders are those of `work_orders.views`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from asyncpg import Record
from sqlalchemy import ARRAY, Integer, Text, any_, bindparam, select

from chassis.database import Database, Query, Statements
from chassis.paging import from_cursor, page_of
from contracts.calendar import DayKind, Hours, WorkingDays
from contracts.directory import CalendarDefined
from contracts.look_alikes import LookAlike, look_alikes
from contracts.names import DAY_KINDS
from contracts.order import WorkOrder
from contracts.refusals import NotFound
from contracts.shipped_calendars import SHIPPED_CALENDARS
from dispatch import store
from dispatch.alarms.views import Alarm, alarms_of
from dispatch.domain.assignment import has_rejected, is_budget_spent
from dispatch.domain.coverage import can_take
from dispatch.tables import CALENDARS, STAFF, WORK_AREAS
from work_orders.facts_views import OrderFact
from work_orders.handling_rules import HANDLING, HandlingRules
from work_orders.sealing import WorkOrderShown
from work_orders.subscribers import OrderForm, SubscriberFields
from work_orders.time_limits import LIMITS, TimeLimits, rule_sets


class WorkAreaNotFound(NotFound):
    """There is no work area {work_area_id}."""

    zh = "没有工区 {work_area_id}。"


class HandlingRulesNotFound(NotFound):
    """There are no handling rules of version {version}."""

    zh = "没有版本 {version} 的工单处理规则。"


class StaffNotFound(NotFound):
    """There is no staff member {staff_id}."""

    zh = "没有维修人员 {staff_id}。"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    staff_id: str
    name: str
    work_area_id: str
    skills: tuple[str, ...]
    is_active: bool
    version: int
    person_id: str | None = None
    """The subject of their token, if it is known."""
    is_lead: bool = False
    """Whether they lead their work area."""
    look_alikes: tuple[LookAlike, ...] = ()
    """In the answer to a definition only: what of it people may take for something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkArea:
    work_area_id: str
    name_en: str
    name_zh: str
    territories: tuple[str, ...]
    demand_types: tuple[str, ...]
    device_types: tuple[str, ...]
    is_open: bool
    version: int
    staff: tuple[StaffMember, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkAreas:
    items: list[WorkArea]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPage:
    items: list[StaffMember]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarShown:
    calendar_id: str
    name_en: str
    name_zh: str
    time_zone: str
    days_off: tuple[int, ...]
    holidays: tuple[date, ...]
    make_up_days: tuple[date, ...]
    hours: tuple[Hours, ...]
    statutory_days: tuple[date, ...]
    announced_years: tuple[int, ...]
    provisional_years: tuple[int, ...]
    covered_until: date | None
    """The last day whose holidays and make-up days have been announced."""
    version: int
    """0: as shipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarPage:
    items: list[CalendarShown]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    day: date
    kind: DayKind
    name_en: str
    """Of the kind."""
    name_zh: str
    is_worked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDays:
    items: list[CalendarDay]
    covered_until: date | None
    """After this day the kinds follow from the week, and from what is expected, alone."""


_MOST_LOOK_ALIKES = 20
_ROWS, _AFTER = bindparam("rows", type_=Integer), bindparam("after")
_AREA = Query(select(WORK_AREAS).where(WORK_AREAS.c.id == bindparam("id")))
_AREAS = Query(select(WORK_AREAS).where(WORK_AREAS.c.id > _AFTER).order_by(WORK_AREAS.c.id).limit(_ROWS))
_OPEN_AREAS = Query(select(WORK_AREAS).where(WORK_AREAS.c.is_open).order_by(WORK_AREAS.c.id))
_CALENDARS = Query(select(CALENDARS).where(CALENDARS.c.id > _AFTER).order_by(CALENDARS.c.id).limit(_ROWS))
_MEMBER = Query(select(STAFF).where(STAFF.c.id == bindparam("id")))
_OTHERS = Query(select(STAFF.c.id, STAFF.c.name).where(STAFF.c.id != bindparam("id")).order_by(STAFF.c.id))
_STAFF = select(STAFF).where(STAFF.c.id > _AFTER).order_by(STAFF.c.id).limit(_ROWS)
_ALL_STAFF, _STAFF_OF = Query(_STAFF), Query(_STAFF.where(STAFF.c.work_area_id == bindparam("work_area_id")))
_OF_AREAS = (
    select(STAFF).where(STAFF.c.work_area_id == any_(bindparam("areas", type_=ARRAY(Text)))).order_by(STAFF.c.id)
)
_STAFF_OF_AREAS, _ACTIVE_OF_AREAS = Query(_OF_AREAS), Query(_OF_AREAS.where(STAFF.c.is_active))


async def get_work_area(db: Database, work_area_id: str) -> WorkArea:
    async with db.statements() as statements:
        rows = await statements.select(_AREA, {"id": work_area_id})
        if not rows:
            raise WorkAreaNotFound(work_area_id=work_area_id)
        return (await _with_staff(statements, rows, _STAFF_OF_AREAS))[0]


async def list_work_areas(db: Database, *, cursor: str | None, limit: int) -> WorkAreas:
    """A page of areas by id, each with all its staff."""
    (after,) = from_cursor("work-areas", cursor, str) if cursor else ("",)
    async with db.statements() as statements:
        rows = await statements.select(_AREAS, {"after": after, "rows": limit + 1})
        shown, next_cursor = page_of("work-areas", rows, limit, lambda row: (row["id"],))
        return WorkAreas(items=await _with_staff(statements, shown, _STAFF_OF_AREAS), next_cursor=next_cursor)


async def get_staff(db: Database, staff_id: str) -> StaffMember:
    async with db.statements() as statements:
        rows = await statements.select(_MEMBER, {"id": staff_id})
    if not rows:
        raise StaffNotFound(staff_id=staff_id)
    return _member(rows[0])


async def get_defined_staff(db: Database, staff_id: str) -> StaffMember:
    """A member with the ids and names of others that look like theirs."""
    member = await get_staff(db, staff_id)
    async with db.statements() as statements:
        others = await statements.select(_OTHERS, {"id": staff_id})
    found = [
        *look_alikes("staff_id", staff_id, (row["id"] for row in others)),
        *look_alikes("name", member.name, (row["name"] for row in others)),
    ]
    return replace(member, look_alikes=tuple(found[:_MOST_LOOK_ALIKES]))


async def list_staff(db: Database, *, work_area_id: str | None, cursor: str | None, limit: int) -> StaffPage:
    """A page of staff by id, of one work area or of all."""
    (after,) = from_cursor("staff", cursor, str) if cursor else ("",)
    query = _ALL_STAFF if work_area_id is None else _STAFF_OF
    async with db.statements() as statements:
        rows = await statements.select(query, {"work_area_id": work_area_id, "after": after, "rows": limit + 1})
    shown, next_cursor = page_of("staff", rows, limit, lambda row: (row["id"],))
    return StaffPage(items=[_member(row) for row in shown], next_cursor=next_cursor)


async def get_calendar(db: Database, calendar_id: str) -> CalendarShown:
    async with db.statements() as statements:
        return _calendar(*await store.get_calendar(statements, calendar_id))


async def list_days(db: Database, calendar_id: str, first: date, last: date) -> CalendarDays:
    """Every day from the first to the last, of which kind it is."""
    async with db.statements() as statements:
        _, calendar = await store.get_calendar(statements, calendar_id)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return CalendarDays(
        items=[_day(day, calendar.kind_of(day)) for day in days],
        covered_until=calendar.covered_until,
    )


def _day(day: date, kind: DayKind) -> CalendarDay:
    names = DAY_KINDS[kind]
    return CalendarDay(
        day=day, kind=kind, name_en=names.en, name_zh=names.zh, is_worked=kind in (DayKind.WORKDAY, DayKind.MAKE_UP)
    )


async def list_calendars(db: Database, *, cursor: str | None, limit: int) -> CalendarPage:
    """A page of calendars by id."""
    (after,) = from_cursor("calendars", cursor, str) if cursor else ("",)
    async with db.statements() as statements:
        rows = await statements.select(_CALENDARS, {"after": after, "rows": limit + 1})
    found = {row["id"]: (row["version"], store.to_calendar(row)) for row in rows}
    # One that is stored beyond these rows lies beyond the page as well.
    found = {name: (0, shipped) for name, shipped in SHIPPED_CALENDARS.items() if name > after} | found
    shown, next_cursor = page_of("calendars", sorted(found.items())[: limit + 1], limit, lambda entry: (entry[0],))
    return CalendarPage(items=[_calendar(*entry) for _, entry in shown], next_cursor=next_cursor)


def _calendar(version: int, calendar: CalendarDefined) -> CalendarShown:
    working_time = calendar.working_time
    return CalendarShown(
        calendar_id=calendar.calendar_id,
        name_en=calendar.names.en,
        name_zh=calendar.names.zh,
        time_zone=working_time.time_zone,
        days_off=working_time.days_off,
        holidays=working_time.holidays,
        make_up_days=working_time.make_up_days,
        hours=working_time.hours,
        statutory_days=calendar.statutory_days,
        announced_years=calendar.announced_years,
        provisional_years=calendar.provisional_years,
        covered_until=calendar.covered_until,
        version=version,
    )


async def _with_staff(statements: Statements, areas: Sequence[Record], staff_of: Query) -> list[WorkArea]:
    members: dict[str, list[StaffMember]] = {row["id"]: [] for row in areas}
    for row in await statements.select(staff_of, {"areas": list(members)}):
        members[row["work_area_id"]].append(_member(row))
    return [_area(row, members[row["id"]]) for row in areas]


def _area(row: Record, members: Sequence[StaffMember]) -> WorkArea:
    area = store.to_work_area(row)
    return WorkArea(
        work_area_id=area.work_area_id,
        name_en=area.names.en,
        name_zh=area.names.zh,
        territories=area.territories,
        demand_types=area.demand_types,
        device_types=area.device_types,
        is_open=area.is_open,
        version=row["version"],
        staff=tuple(members),
    )


def _member(row: Record) -> StaffMember:
    return StaffMember(
        staff_id=row["id"],
        name=row["name"],
        work_area_id=row["work_area_id"],
        skills=tuple(row["skills"]),
        is_active=row["is_active"],
        version=row["version"],
        person_id=row["person_id"],
        is_lead=row["is_lead"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A work area that can take the order, with the staff to choose from."""

    work_area_id: str
    name_en: str
    name_zh: str
    staff: tuple[StaffMember, ...]
    has_rejected: bool
    """It rejected this order before: only a supervisor may choose it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchForm(OrderForm):
    """The form of an order in dispatch."""

    work_areas: tuple[Candidate, ...]
    rejection_budget: int
    is_budget_spent: bool
    """Rejected so often that only a supervisor may dispatch it, for good."""
    alarms: tuple[Alarm, ...]
    """Every alarm of its time limits, the newest first."""


async def dispatch_form(
    db: Database, order: WorkOrderShown, subscriber: SubscriberFields, facts: tuple[OrderFact, ...]
) -> DispatchForm:
    async with db.statements() as statements:
        rows = await statements.select(_OPEN_AREAS, {})
        able = [row for row in rows if can_take(store.to_work_area(row), order)]
        areas = await _with_staff(statements, able, _ACTIVE_OF_AREAS)
        budget = (await store.get_rule(statements, store.REJECTION_BUDGET)).value
        alarms = await alarms_of(statements, order.id)
    return DispatchForm(
        order=order,
        work_areas=tuple(_candidate(area, order) for area in areas),
        rejection_budget=budget,
        is_budget_spent=is_budget_spent(order, budget),
        alarms=alarms,
        facts=facts,
        **subscriber,
    )


def _candidate(area: WorkArea, order: WorkOrder) -> Candidate:
    return Candidate(
        work_area_id=area.work_area_id,
        name_en=area.name_en,
        name_zh=area.name_zh,
        staff=area.staff,
        has_rejected=has_rejected(area.work_area_id, order),
    )


async def calendars_in_use(statements: Statements) -> list[WorkingDays]:
    """Those of the newest limits, if any of these is counted in working time."""
    rules = (await rule_sets(statements)).newest.rules
    counted = {limit.calendar_id for limit in rules.limits if limit.is_working_time}
    named = [one.working_time for one in rules.calendars if one.calendar_id in counted]
    return [rules.calendar, *named] if None in counted else list(named)


async def time_limits(db: Database) -> TimeLimits:
    """The newest set."""
    async with db.statements() as statements:
        return await LIMITS.newest(statements)


async def get_handling_rules(db: Database, version: int | None = None) -> HandlingRules:
    """The newest rules, or those of a version; raises `HandlingRulesNotFound`."""
    async with db.statements() as statements:
        rules = await HANDLING.find(statements, version)
    if rules is None:
        raise HandlingRulesNotFound(version=version)
    return rules
