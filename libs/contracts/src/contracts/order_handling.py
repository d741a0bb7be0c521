"""What handling an order makes of its parts: suspensions and supervisions. The fold is in `contracts.order`."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from contracts import events as e
from contracts.order_parts import Done, Pause, Supervision, Suspension

Supervisions = tuple[Supervision, ...]


def suspension_of(event: e.WorkOrderSuspended, done: Done) -> Suspension:
    return Suspension(reason=event.reason, until=event.until, suspended=done, reason_code=event.reason_code)


def pause_ended(suspension: Suspension | None, pauses: tuple[Pause, ...], at: datetime) -> dict[str, Any]:
    """The changes of an order whose suspension is over; none if it has none."""
    if suspension is None:
        return {}
    pause = Pause(since=suspension.suspended.at, until=at, reason_code=suspension.reason_code)
    return {"suspension": None, "pauses": (*pauses, pause)}


def supervised(supervisions: Supervisions, event: e.WorkOrderSupervised, done: Done) -> Supervisions:
    asked = Supervision(request_id=event.request_id, reply_by=event.reply_by, reason=event.reason, supervised=done)
    return (*supervisions, asked)


def supervision_answered(
    supervisions: Supervisions, event: e.WorkOrderSupervisionAnswered, done: Done
) -> Supervisions | None:
    """None where no such supervision is open."""
    if all(one.answered or one.request_id != event.supervision_id for one in supervisions):
        return None
    return tuple(
        replace(one, answer=event.answer, answered=done) if one.request_id == event.supervision_id else one
        for one in supervisions
    )
