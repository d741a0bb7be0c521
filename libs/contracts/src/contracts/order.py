"""What a reader knows about an order after reading its events: the fold.

Every service keeps this state for every order, and `linework verify` holds it against a fold of the
stream. Applying an event never asks a clock, a database or a person.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from contracts import events as e
from contracts.lifecycle import (
    CUSTODIANS,
    WITHOUT_DECISION,
    Act,
    ActNotAllowed,
    Status,
    allowed_acts,
)
from contracts.message import Message
from contracts.order_handling import pause_ended, supervised, supervision_answered, suspension_of
from contracts.order_parts import (
    Amendment,
    Arrival,
    Assignment,
    Audit,
    Cancellation,
    Completion,
    Decision,
    Done,
    Extension,
    Note,
    Pause,
    Reassignment,
    Recall,
    Redispatch,
    Rejection,
    SubscriberContact,
    Supervision,
    Suspension,
    Urge,
)
from contracts.work_order import WorkOrder

__all__ = [
    "ACTS",
    "DETAILS",
    "Amendment",
    "Arrival",
    "Assignment",
    "Audit",
    "Cancellation",
    "CannotApply",
    "Completion",
    "Decision",
    "Done",
    "Extension",
    "Note",
    "Pause",
    "Reassignment",
    "Recall",
    "Redispatch",
    "Rejection",
    "SubscriberContact",
    "Supervision",
    "Suspension",
    "Urge",
    "WorkOrder",
    "apply",
]

ACTS: Mapping[type, tuple[Act, ...]] = {
    e.WorkOrderDispatched: (Act.DISPATCH,),
    e.WorkOrderStarted: (Act.START,),
    e.WorkOrderRejected: (Act.REJECT,),
    e.WorkOrderRedispatchRequested: (Act.SEND_TO_REDISPATCH, Act.REDISPATCH),
    e.WorkOrderCompleted: (Act.COMPLETE,),
    e.WorkOrderAuditRequested: (Act.SUBMIT_FOR_AUDIT,),
    e.WorkOrderAudited: (Act.PASS_AUDIT, Act.FAIL_AUDIT),
    e.WorkOrderArchived: (Act.ARCHIVE,),
    e.WorkOrderCancelled: (Act.CANCEL,),
    e.WorkOrderUrged: (Act.URGE,),
    e.WorkOrderSuspended: (Act.SUSPEND,),
    e.WorkOrderResumed: (Act.RESUME,),
    e.WorkOrderNoteAdded: (Act.NOTE,),
    e.WorkOrderArrived: (Act.ARRIVE,),
    e.WorkOrderExtended: (Act.EXTEND,),
    e.WorkOrderReassigned: (Act.REASSIGN,),
    e.WorkOrderRecalled: (Act.RECALL,),
    e.WorkOrderSupervised: (Act.SUPERVISE,),
    e.WorkOrderSupervisionAnswered: (Act.ANSWER_SUPERVISION,),
    e.WorkOrderAccepted: (Act.ACCEPT,),
    e.WorkOrderContacted: (Act.CONTACT,),
    e.WorkOrderAmended: (Act.AMEND,),
}
"""The acts that each event records; of two, the order's status or the verdict says which."""


DETAILS = tuple(field.name for field in fields(e.OrderDetails))
"""What can be amended: the fields of these names in the order and in what amends it."""


class CannotApply(ValueError):
    """The event cannot follow the order's present state."""


def apply(order: WorkOrder | None, message: Message) -> WorkOrder:
    """The order after the event; raises `CannotApply`. The caller has checked the version and the chain.

    An event that the table of steps does not allow, or that is not from the custodian, cannot follow: it
    is better parked and seen than quietly believed. An event of a type this reader does not know moves
    `version` and `changed` on and changes nothing else.
    """
    done = Done(message.actor, message.occurred_at)
    if isinstance(message.body, e.WorkOrderCreated):
        if order is not None:
            raise CannotApply(f"order {message.subject} was created before")
        return _created(message.subject, message.body, done)
    if order is None:
        raise CannotApply(f"order {message.subject} was never created")
    decision = _decision(order, message)
    if message.body is None:
        return replace(order, version=order.version + 1, changed=done, decision=decision)
    status = _status_after(order, message)
    return replace(
        order,
        version=order.version + 1,
        changed=done,
        decision=decision,
        status=status,
        custodian=CUSTODIANS[status],
        **_changes(order, message.body, done),
    )


def _decision(order: WorkOrder, message: Message) -> Decision:
    """The latest decision after the event; of what an event of an unknown type does, nobody can be sure."""
    acts = ACTS.get(type(message.body), ())
    if acts and WITHOUT_DECISION.issuperset(acts):
        return order.last_decision
    device = getattr(message.body, "device", None)
    return Decision(
        version=order.version + 1,
        at=message.occurred_at,
        by=message.actor.sub,
        device_id=device.device_id if device else None,
    )


def _status_after(order: WorkOrder, message: Message) -> Status:
    if type(message.body) not in ACTS:
        raise CannotApply(f"{message.type} does not change an order")
    if message.service != order.custodian:
        raise CannotApply(f"{message.service} does not hold order {order.id}, {order.custodian or 'no service'} does")
    try:
        return order.advance(_act(order, message.body))
    except ActNotAllowed as refusal:
        raise CannotApply(f"order {order.id}: {refusal}") from refusal


def _act(order: WorkOrder, event: object) -> Act:
    match event:
        case e.WorkOrderRedispatchRequested():
            return Act.SEND_TO_REDISPATCH if order.status is Status.REJECTED else Act.REDISPATCH
        case e.WorkOrderAudited():
            return Act.PASS_AUDIT if event.verdict is e.AuditVerdict.PASSED else Act.FAIL_AUDIT
        case _:
            return ACTS[type(event)][0]


def _created(order_id: str, event: e.WorkOrderCreated, done: Done) -> WorkOrder:
    return WorkOrder(
        id=order_id,
        order_no=event.order_no,
        version=1,
        status=Status.CREATED,
        custodian=CUSTODIANS[Status.CREATED],
        allowed_acts=allowed_acts(Status.CREATED),
        subscriber_id=event.subscriber_id,
        subscriber_no=event.subscriber_no,
        device_type=event.device_type,
        demand_type=event.demand_type,
        content=event.content,
        channel=event.channel,
        zone=event.zone,
        territory=event.territory,
        appointment=event.appointment,
        external_reference=event.external_reference,
        urgency=event.urgency,
        created=done,
        changed=done,
        decision=Decision(version=1, at=done.at, by=done.by.sub),
    )


def _changes(order: WorkOrder, event: object, done: Done) -> dict[str, Any]:
    """What the event changes beside the status; every event of the catalogue that does has its line here."""
    match event:
        case e.WorkOrderDispatched():
            return _dispatched(order, event, done)
        case e.WorkOrderStarted():
            return {"started": done}
        case e.WorkOrderRejected():
            return _rejected(order, event, done)
        case e.WorkOrderRedispatchRequested():
            return _redispatch_requested(order, event, done)
        case e.WorkOrderCompleted():
            return _completed(order, event, done)
        case e.WorkOrderAuditRequested():
            return {"audit_requested": done}
        case e.WorkOrderAudited():
            audit = Audit(verdict=event.verdict, remark=event.remark, audited=done)
            return {"audits": (*order.audits, audit)}
        case e.WorkOrderArchived():
            return {"archived": done}
        case e.WorkOrderCancelled():
            return _cancelled(order, event, done)
        case e.WorkOrderUrged():
            return {"urges": (*order.urges, Urge(request_id=event.request_id, reason=event.reason, urged=done))}
        case e.WorkOrderSuspended():
            return {"suspension": suspension_of(event, done)}
        case e.WorkOrderResumed():
            return pause_ended(order.suspension, order.pauses, event.ended_at or done.at)
        case e.WorkOrderNoteAdded():
            return {"notes": (*order.notes, Note(note=event.note, noted=done))}
        case e.WorkOrderArrived():
            return {"arrivals": (*order.arrivals, Arrival(place=event.place, arrived=done))}
        case e.WorkOrderExtended():
            return _extended(order, event, done)
        case e.WorkOrderReassigned():
            return _reassigned(order, event, done)
        case e.WorkOrderRecalled():
            return _recalled(order, event, done)
        case e.WorkOrderSupervised() | e.WorkOrderSupervisionAnswered():
            return _supervisions(order, event, done)
        case e.WorkOrderAccepted():
            return {"accepted": order.accepted or done}
        case e.WorkOrderContacted():
            return {"contacts": (*order.contacts, SubscriberContact(note=event.note, contacted=done))}
        case e.WorkOrderAmended():
            return _amended(order, event, done)
        case _:
            return {}


def _dispatched(order: WorkOrder, event: e.WorkOrderDispatched, done: Done) -> dict[str, Any]:
    assignment = Assignment(
        work_area_id=event.work_area_id,
        staff_ids=event.staff_ids,
        remark=event.remark,
        is_binding=event.is_binding,
        dispatched=done,
    )
    first = {"first_dispatched_at": order.earliest_dispatch, "first_started_at": order.earliest_start}
    return {"assignment": assignment, "started": None, "accepted": None, **first}


def _rejected(order: WorkOrder, event: e.WorkOrderRejected, done: Done) -> dict[str, Any]:
    rejection = Rejection(
        work_area_id=order.work_area_id or "", reason=event.reason, explanation=event.explanation, rejected=done
    )
    return {"rejections": (*order.rejections, rejection)}


def _redispatch_requested(order: WorkOrder, event: e.WorkOrderRedispatchRequested, done: Done) -> dict[str, Any]:
    if order.status is Status.REJECTED and order.rejections:
        ruled = replace(
            order.rejections[-1],
            is_misdispatch_valid=event.is_misdispatch_valid,
            ruling_remark=event.remark,
            ruled=done,
        )
        return {"rejections": (*order.rejections[:-1], ruled)}
    redispatch = Redispatch(reason=event.reason or event.remark, requested=done)
    return {"redispatches": (*order.redispatches, redispatch)}


def _reassigned(order: WorkOrder, event: e.WorkOrderReassigned, done: Done) -> dict[str, Any]:
    if order.assignment is None:
        raise CannotApply(f"order {order.id} was never dispatched")
    before = Reassignment(staff_ids=order.assignment.staff_ids, reason=event.reason, reassigned=done)
    assignment = replace(order.assignment, staff_ids=event.staff_ids)
    return {"assignment": assignment, "reassignments": (*order.reassignments, before)}


def _recalled(order: WorkOrder, event: e.WorkOrderRecalled, done: Done) -> dict[str, Any]:
    recall = Recall(
        request_id=event.request_id, work_area_id=order.work_area_id or "", reason=event.reason, recalled=done
    )
    return {
        "recalls": (*order.recalls, recall),
        **pause_ended(order.suspension, order.pauses, event.ended_at or done.at),
    }


def _supervisions(
    order: WorkOrder, event: e.WorkOrderSupervised | e.WorkOrderSupervisionAnswered, done: Done
) -> dict[str, Any]:
    if isinstance(event, e.WorkOrderSupervised):
        return {"supervisions": supervised(order.supervisions, event, done)}
    supervisions = supervision_answered(order.supervisions, event, done)
    if supervisions is None:
        raise CannotApply(f"order {order.id} has no open supervision {event.supervision_id}")
    return {"supervisions": supervisions}


def _extended(order: WorkOrder, event: e.WorkOrderExtended, done: Done) -> dict[str, Any]:
    extension = Extension(
        request_id=event.request_id, clock=event.clock, minutes=event.minutes, reason=event.reason, extended=done
    )
    return {"extensions": (*order.extensions, extension)}


def _amended(order: WorkOrder, event: e.WorkOrderAmended, done: Done) -> dict[str, Any]:
    changes = {name: value for name in DETAILS if (value := getattr(event, name)) is not None}
    amendment = Amendment(
        version=order.version + 1,
        reason=event.reason,
        before=event.before,
        after=e.OrderDetails(**changes),
        is_appointment_withdrawn=event.is_appointment_withdrawn,
        request_id=event.request_id,
        amended=done,
    )
    if event.is_appointment_withdrawn:
        changes["appointment"] = None
    return {**changes, "amendments": (*order.amendments, amendment)}


def _cancelled(order: WorkOrder, event: e.WorkOrderCancelled, done: Done) -> dict[str, Any]:
    cancellation = Cancellation(
        request_id=event.request_id, reason=event.reason, status_before=order.status, cancelled=done
    )
    return {"cancellation": cancellation, "suspension": None}


def _completed(order: WorkOrder, event: e.WorkOrderCompleted, done: Done) -> dict[str, Any]:
    completion = Completion(
        work_area_id=order.work_area_id or "",
        staff_ids=event.staff_ids,
        handling=event.handling,
        is_resolved=event.is_resolved,
        is_petitioned=event.is_petitioned,
        is_called_back=event.is_called_back,
        completed=done,
    )
    return {"completions": (*order.completions, completion)}
