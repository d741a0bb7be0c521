"""The copy of the directory that a reader keeps: work areas, staff, agents, device types, demand types, calendars, and
beside them the rules of handling orders (`work_orders.handling_rules`).

A newer version of an entity takes the older one's place; an older one, and the same one again, changes
nothing. Orders and directory are two topics: an order can name an area or a person that has not arrived.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from chassis.database import Statements, columns_of, unnest_of
from chassis.one_statement import Part
from contracts.amendment import TypesInUse
from contracts.directory import (
    AgentDefined,
    CalendarDefined,
    DemandTypeDefined,
    DeviceTypeDefined,
    DirectoryEntity,
    Names,
    StaffDefined,
    WorkAreaDefined,
)
from contracts.message import Message
from contracts.refusals import NotFound
from contracts.shipped_calendars import SHIPPED_CALENDARS
from work_orders.handling_rules import HANDLING
from work_orders.tables import DIRECTORY

_WORK_AREA, _STAFF, _DEVICE_TYPE, _DEMAND_TYPE = "work_area", "staff", "device_type", "demand_type"
_AGENT, _CALENDAR = "agent", "calendar"
_E = TypeVar("_E", bound=DirectoryEntity)
_ENTITIES: Mapping[str, type[DirectoryEntity]] = {
    _WORK_AREA: WorkAreaDefined,
    _STAFF: StaffDefined,
    _DEVICE_TYPE: DeviceTypeDefined,
    _DEMAND_TYPE: DemandTypeDefined,
    _AGENT: AgentDefined,
    _CALENDAR: CalendarDefined,
}
_AREA_OF = msgspec.json.Decoder(WorkAreaDefined)
_STAFF_OF = msgspec.json.Decoder(StaffDefined)
_UPSERT = f"""
insert into directory ({columns_of(DIRECTORY.c)}) select * from {unnest_of(DIRECTORY.c)}
on conflict (kind, id) do update set entity_version = excluded.entity_version,
work_area_id = excluded.work_area_id, body = excluded.body
where directory.entity_version < excluded.entity_version"""


class CalendarNotFound(NotFound):
    """There is no calendar {id}."""

    zh = "没有日历 {id}。"


@dataclass(frozen=True, slots=True)
class WorkAreaWithStaff:
    """A work area and everybody who belongs to it."""

    work_area_id: str
    names: Names
    is_open: bool
    staff: tuple[StaffDefined, ...]


@dataclass(frozen=True, slots=True)
class TypeNames:
    """What an order's device type and demand type are called; None while the copy does not know."""

    device_type: Names | None
    demand_type: Names | None


def directory_of(messages: Sequence[Message]) -> list[Part]:
    """Takes a batch into the copy; agents are of no use to who only acts on orders, and are left out."""
    return whole_directory_of([message for message in messages if not isinstance(message.body, AgentDefined)])


def whole_directory_of(messages: Sequence[Message]) -> list[Part]:
    """Takes a batch into the copy, agents as well."""
    newest: dict[tuple[str, str], Message] = {}
    for message in messages:
        key = _key_of(message.body)
        if key is not None and (key not in newest or (newest[key].entity_version or 0) < (message.entity_version or 0)):
            newest[key] = message
    parts = HANDLING.added(messages)
    if newest:
        # In the order of keys: two workers with overlapping batches queue instead of deadlocking.
        rows = [(*key, *_values_of(newest[key])) for key in sorted(newest)]
        parts.append(Part(_UPSERT, [list(column) for column in zip(*rows, strict=True)]))
    return parts


def order_types_of(messages: Sequence[Message]) -> list[Part]:
    """Takes the device types and demand types of a batch into the copy."""
    return whole_directory_of([one for one in messages if isinstance(one.body, DeviceTypeDefined | DemandTypeDefined)])


def _key_of(entity: object) -> tuple[str, str] | None:
    match entity:
        case WorkAreaDefined():
            return _WORK_AREA, entity.work_area_id
        case StaffDefined():
            return _STAFF, entity.staff_id
        case DeviceTypeDefined():
            return _DEVICE_TYPE, entity.device_type
        case DemandTypeDefined():
            return _DEMAND_TYPE, entity.demand_type
        case AgentDefined():
            return _AGENT, entity.agent_id
        case CalendarDefined():
            return _CALENDAR, entity.calendar_id
        case _:
            return None


def _values_of(message: Message) -> tuple[int | None, str | None, str]:
    work_area_id = message.body.work_area_id if isinstance(message.body, StaffDefined) else None
    return message.entity_version, work_area_id, msgspec.json.encode(message.body).decode()


async def find_work_areas(
    statements: Statements, work_area_ids: Iterable[str] | None = None
) -> dict[str, WorkAreaDefined]:
    """The work areas with these ids, or all; by id and in the order of ids."""
    rows = await statements.fetch(
        "select id, body from directory where kind = $1 and ($2::text[] is null or id = any($2)) order by id",
        _WORK_AREA,
        None if work_area_ids is None else list(work_area_ids),
    )
    return {row["id"]: _AREA_OF.decode(row["body"]) for row in rows}


async def find_staff(statements: Statements, staff_ids: Iterable[str]) -> dict[str, StaffDefined]:
    """Those of these people that are known, by id; also people who have left."""
    rows = await statements.fetch(
        "select id, body from directory where kind = $1 and id = any($2) order by id", _STAFF, list(staff_ids)
    )
    return {row["id"]: _STAFF_OF.decode(row["body"]) for row in rows}


async def find_staff_of_person(statements: Statements, person_id: str) -> list[StaffDefined]:
    """The members of staff whose token has this subject; one person may be several, such as of two areas."""
    rows = await statements.fetch(
        "select body from directory where kind = 'staff' and body ->> 'person_id' = $1 order by id", person_id
    )
    return [_STAFF_OF.decode(row["body"]) for row in rows]


async def find_work_areas_with_staff(
    statements: Statements, work_area_ids: Iterable[str] | None = None
) -> list[WorkAreaWithStaff]:
    """The work areas with these ids, or all, each with everybody who belongs to it."""
    areas = await find_work_areas(statements, work_area_ids)
    rows = await statements.fetch(
        "select body from directory where kind = 'staff' and work_area_id = any($1) order by id", list(areas)
    )
    staff = [_STAFF_OF.decode(row["body"]) for row in rows]
    return [
        WorkAreaWithStaff(area_id, area.names, area.is_open, tuple(one for one in staff if one.work_area_id == area_id))
        for area_id, area in areas.items()
    ]


async def find_names(statements: Statements) -> dict[tuple[str, str], Names]:
    """What everything in the copy is called, by kind (`work_area`, `staff`, `agent`, …) and id.

    A person is called the same in both languages.
    """
    rows = await statements.fetch("select kind, id, body from directory")
    found = {}
    for row in rows:
        entity = msgspec.json.decode(row["body"], type=_ENTITIES[row["kind"]])
        found[row["kind"], row["id"]] = (
            Names(en=entity.name, zh=entity.name) if isinstance(entity, StaffDefined | AgentDefined) else entity.names
        )
    return found


async def find_agents(statements: Statements, agent_ids: Sequence[str]) -> dict[str, AgentDefined]:
    """The agents among these ids that have arrived, by id."""
    return await _find_entities(statements, _AGENT, agent_ids, AgentDefined)


async def find_area_names(statements: Statements, area_ids: Sequence[str]) -> dict[str, Names]:
    """The names of the work areas among these ids that have arrived, by id."""
    areas = await _find_entities(statements, _WORK_AREA, area_ids, WorkAreaDefined)
    return {area_id: area.names for area_id, area in areas.items()}


async def find_calendar(statements: Statements, calendar_id: str) -> tuple[int, CalendarDefined] | None:
    """The calendar and its version, if it has arrived; version 0 is what was shipped."""
    row = await statements.fetchrow(
        "select entity_version, body from directory where kind = $1 and id = $2", _CALENDAR, calendar_id
    )
    if row is not None:
        return row["entity_version"], msgspec.json.decode(row["body"], type=CalendarDefined)
    shipped = SHIPPED_CALENDARS.get(calendar_id)
    return (0, shipped) if shipped else None


async def _find_entities(statements: Statements, kind: str, ids: Sequence[str], shape: type[_E]) -> dict[str, _E]:
    rows = await statements.fetch("select id, body from directory where kind = $1 and id = any($2)", kind, list(ids))
    return {row["id"]: msgspec.json.decode(row["body"], type=shape) for row in rows}


async def find_types_in_use(statements: Statements, device_type: str | None, demand_type: str | None) -> TypesInUse:
    """Whether these types have arrived and are active."""
    devices = await _find_entities(statements, _DEVICE_TYPE, [device_type or ""], DeviceTypeDefined)
    demands = await _find_entities(statements, _DEMAND_TYPE, [demand_type or ""], DemandTypeDefined)
    return TypesInUse(
        any(device.is_active for device in devices.values()), any(demand.is_active for demand in demands.values())
    )


async def find_type_names(statements: Statements, device_type: str, demand_type: str) -> TypeNames:
    rows = await statements.fetch(
        "select kind, body from directory where (kind, id) in (($1, $2), ($3, $4))",
        _DEVICE_TYPE,
        device_type,
        _DEMAND_TYPE,
        demand_type,
    )
    bodies: Mapping[str, str] = {row["kind"]: row["body"] for row in rows}
    device, demand = bodies.get(_DEVICE_TYPE), bodies.get(_DEMAND_TYPE)
    return TypeNames(
        msgspec.json.decode(device, type=DeviceTypeDefined).names if device else None,
        msgspec.json.decode(demand, type=DemandTypeDefined).names if demand else None,
    )
