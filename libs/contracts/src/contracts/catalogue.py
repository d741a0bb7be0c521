"""Every message there is: its stable type name, its shape, its topic and the services that may write it.

The list is the catalogue. `docs/events.md`, the JSON Schemas and the AsyncAPI document are generated from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from contracts import directory, events, requests
from contracts.lifecycle import Service
from contracts.topics import DIRECTORY, WORK_ORDERS, Topic


class Kind(StrEnum):
    EVENT = "event"
    """Changes the order: has an order version and a place in the chain."""
    REQUEST = "request"
    ANSWER = "answer"
    ENTITY = "entity"


# Inside `Entry` the word `type` is the field.
Shape = type[Any]


@dataclass(frozen=True, slots=True)
class Entry:
    type: str
    body: Shape
    kind: Kind
    topic: Topic
    owners: tuple[Service, ...]
    description: str


_CUSTODIANS = (Service.DISPATCH, Service.FIELDWORK, Service.QA)


def _event(name: str, body: Shape, owners: tuple[Service, ...], description: str) -> Entry:
    return Entry(f"linework.work_order.{name}.v1", body, Kind.EVENT, WORK_ORDERS, owners, description)


def _entity(name: str, body: Shape, owner: Service, description: str) -> Entry:
    return Entry(f"linework.directory.{name}.v1", body, Kind.ENTITY, DIRECTORY, (owner,), description)


CATALOGUE: tuple[Entry, ...] = (
    _event("created", events.WorkOrderCreated, (Service.INTAKE,), "An agent created the order 生成表单."),
    _event(
        "dispatched", events.WorkOrderDispatched, (Service.DISPATCH,), "It was given to a work area and staff 调度."
    ),
    _event("started", events.WorkOrderStarted, (Service.FIELDWORK,), "The work area works on it 处理."),
    _event("rejected", events.WorkOrderRejected, (Service.FIELDWORK,), "The work area sent it back 反单."),
    _event(
        "redispatch_requested",
        events.WorkOrderRedispatchRequested,
        (Service.DISPATCH, Service.QA),
        "It waits to be dispatched again 重复派单.",
    ),
    _event("completed", events.WorkOrderCompleted, (Service.FIELDWORK,), "The work is finished 完成."),
    _event("audit_requested", events.WorkOrderAuditRequested, (Service.QA,), "It was submitted for audit 审核."),
    _event("audited", events.WorkOrderAudited, (Service.QA,), "The audit has a verdict 审核完成."),
    _event("archived", events.WorkOrderArchived, (Service.QA,), "It is closed for good 归档."),
    _event(
        "cancelled",
        events.WorkOrderCancelled,
        (Service.DISPATCH, Service.FIELDWORK),
        "Its custodian granted a cancel request 作废.",
    ),
    _event("urged", events.WorkOrderUrged, (Service.DISPATCH, Service.FIELDWORK), "Its custodian noted an urge 催办."),
    _event("suspended", events.WorkOrderSuspended, (Service.FIELDWORK,), "Work on it rests until a time 挂起."),
    _event("resumed", events.WorkOrderResumed, (Service.FIELDWORK,), "Work on it goes on."),
    _event("note_added", events.WorkOrderNoteAdded, (Service.FIELDWORK,), "The work area noted something."),
    Entry(
        "linework.work_order.cancel_requested.v1",
        requests.WorkOrderCancelRequested,
        Kind.REQUEST,
        WORK_ORDERS,
        (Service.INTAKE, *_CUSTODIANS),
        "Intake asks the custodian to cancel; a custodian that handed over forwards it.",
    ),
    Entry(
        "linework.work_order.urge_requested.v1",
        requests.WorkOrderUrgeRequested,
        Kind.REQUEST,
        WORK_ORDERS,
        (Service.INTAKE, *_CUSTODIANS),
        "Intake asks the custodian to hurry; a custodian that handed over forwards it.",
    ),
    Entry(
        "linework.work_order.request_refused.v1",
        requests.WorkOrderRequestRefused,
        Kind.ANSWER,
        WORK_ORDERS,
        _CUSTODIANS,
        "The custodian refused a request.",
    ),
    _entity("work_area", directory.WorkAreaDefined, Service.DISPATCH, "A work area 工区."),
    _entity("staff", directory.StaffDefined, Service.DISPATCH, "A member of a work area's repair staff 维修人员."),
    _entity("device_type", directory.DeviceTypeDefined, Service.INTAKE, "A device type 设备类型."),
    _entity("demand_type", directory.DemandTypeDefined, Service.INTAKE, "A demand type 需求类型."),
)

BY_TYPE: Mapping[str, Entry] = {entry.type: entry for entry in CATALOGUE}
BY_BODY: Mapping[type, Entry] = {entry.body: entry for entry in CATALOGUE}
