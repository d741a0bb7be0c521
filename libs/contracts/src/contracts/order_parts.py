"""What an order consists of: the parts that its events add, such as dispatches, rejections and completions."""

from dataclasses import dataclass
from datetime import datetime

from contracts import events as e
from contracts.lifecycle import Status
from contracts.message import Actor


@dataclass(frozen=True, slots=True)
class Done:
    """Who did something, and when."""

    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The latest event that others cannot overlook; after it come only acts of `lifecycle.WITHOUT_DECISION`."""

    version: int
    at: datetime
    by: str
    """The subject of who decided."""
    device_id: str | None = None
    """The phone that sent it later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    work_area_id: str
    staff_ids: tuple[str, ...]
    remark: str | None
    is_binding: bool
    dispatched: Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    work_area_id: str
    reason: e.RejectionReason
    explanation: str
    rejected: Done
    is_misdispatch_valid: bool | None = None
    ruling_remark: str | None = None
    ruled: Done | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    work_area_id: str
    staff_ids: tuple[str, ...]
    handling: str
    is_resolved: bool
    is_petitioned: bool
    is_called_back: bool
    completed: Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    verdict: e.AuditVerdict
    remark: str
    audited: Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Redispatch:
    """Sent back by quality after completion."""

    reason: str | None
    requested: Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    reason: str
    until: datetime
    suspended: Done
    reason_code: str | None = None
    """None of before suspensions had one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A suspension that is over: no clock ran from one moment until the other."""

    since: datetime
    until: datetime
    reason_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    place: str | None
    arrived: Done


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberContact:
    note: str | None
    contacted: Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    request_id: str
    clock: e.SlaClock
    minutes: int
    reason: str
    extended: Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Urge:
    request_id: str
    reason: str
    urged: Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """What was corrected or moved: each detail that changed, before and after."""

    version: int
    """The order's version after it."""
    reason: str
    before: e.OrderDetails
    after: e.OrderDetails
    is_appointment_withdrawn: bool
    request_id: str | None
    amended: Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    note: str
    noted: Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    request_id: str
    reason: str
    status_before: Status
    """Its custodian granted the request, and answers later ones."""
    cancelled: Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassignment:
    """Other staff of the same work area 改派."""

    staff_ids: tuple[str, ...]
    """Who had it before."""
    reason: str
    reassigned: Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    request_id: str
    work_area_id: str
    reason: str
    recalled: Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    request_id: str
    reply_by: datetime
    reason: str
    supervised: Done
    answer: str | None = None
    answered: Done | None = None
