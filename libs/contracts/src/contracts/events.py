"""What happens to a work order. Past tense; a field is added with a default or not at all.

Times of an event travel in its envelope: `occurred_at` (when it was done) and `recorded_at` (when the
service wrote it). `FreeText` is what people typed, sealed under the subscriber's key (`contracts.sealing`);
no field holds a phone number, a person's name or an address.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.device_time import DeviceTime
from contracts.holders import Holder
from contracts.sealing import FreeText


class Channel(StrEnum):
    PHONE = "phone"
    SELF_SERVICE_VOICE = "self_service_voice"
    SMS = "sms"
    FAX = "fax"
    EMAIL = "email"
    WEB = "web"
    APP = "app"
    SOCIAL = "social"
    WALK_IN = "walk_in"
    PARTNER = "partner"


class Zone(StrEnum):
    URBAN = "urban"
    RURAL = "rural"
    REMOTE = "remote"


class Urgency(StrEnum):
    """紧急程度"""

    NORMAL = "normal"
    URGENT = "urgent"
    EMERGENCY = "emergency"


class RejectionReason(StrEnum):
    OUTSIDE_AREA = "outside_area"
    WRONG_TRADE = "wrong_trade"
    MISSING_INFORMATION = "missing_information"
    SUBSCRIBERS_WISH = "subscribers_wish"
    DUPLICATE = "duplicate"
    UNREACHABLE = "unreachable"
    UNSAFE = "unsafe"
    OTHER = "other"


class AuditVerdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"


class SlaClock(StrEnum):
    """What a time limit is for. All begin with the creation of the order, but `accept` and `follow_up`."""

    DISPATCH = "dispatch"
    """Until the first dispatch."""
    ACCEPT = "accept"
    """From each dispatch until the work area accepts or starts; nothing of it counts where the area sends the order
    back."""
    CONTACT = "contact"
    """Until the subscriber was first contacted, or work was first started."""
    ARRIVE = "arrive"
    """Until the first arrival; until completion where no arrival was recorded."""
    COMPLETE = "complete"
    """Until the first completion."""
    REPLY = "reply"
    """Until the first completion with the subscriber called back; until the archive where there is none."""
    RESTORE = "restore"
    """Until the first completion that resolved the matter; until the archive where there is none."""
    FOLLOW_UP = "follow_up"
    """From the first completion until a completion with the subscriber called back; until the archive where there is
    none."""


@dataclass(frozen=True, slots=True)
class Appointment:
    """The window in which the subscriber wants the work done; `end` is after `start`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderCreated:
    order_no: str
    subscriber_id: str
    subscriber_no: str
    device_type: str
    demand_type: str
    content: FreeText
    channel: Channel
    zone: Zone
    territory: str | None = None
    appointment: Appointment | None = None
    external_reference: str | None = None
    urgency: Urgency = Urgency.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDetails:
    """What can be amended of an order; None: it has none, or is left as it is."""

    content: FreeText | None = None
    appointment: Appointment | None = None
    contact_id: str | None = None
    """Whom to contact: name and phone are kept by intake under this reference."""
    urgency: Urgency | None = None
    device_type: str | None = None
    demand_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderAmended:
    """What was entered is corrected 变更, or the appointment is moved 改约."""

    reason: FreeText
    before: OrderDetails
    """What each of the details that change was."""
    content: FreeText | None = None
    """None, of this and each of the next: left as it is."""
    appointment: Appointment | None = None
    is_appointment_withdrawn: bool = False
    """The order has no appointment any more."""
    contact_id: str | None = None
    urgency: Urgency | None = None
    device_type: str | None = None
    demand_type: str | None = None
    request_id: str | None = None
    """The request that this grants; None where the custodian's own people amended it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderDispatched:
    work_area_id: str
    staff_ids: tuple[str, ...]
    remark: FreeText | None = None
    is_binding: bool = False
    """A supervisor's decision: the work area cannot reject it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderStarted:
    device: DeviceTime | None = None
    """Of an act that a phone sent later; so in every event of the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderRejected:
    reason: RejectionReason
    explanation: FreeText
    """The misdispatch explanation 误派说明."""
    device: DeviceTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderRedispatchRequested:
    """From `rejected` by dispatch with a ruling, or from `completed` by qa with a reason."""

    is_misdispatch_valid: bool | None = None
    remark: FreeText | None = None
    reason: FreeText | None = None
    request_id: str | None = None
    """Of the request that this grants, where an agent asked from a call that the order be reopened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderReassigned:
    """Other staff of the same work area 改派; no rejection."""

    staff_ids: tuple[str, ...]
    reason: FreeText


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderRecalled:
    """The grant of a recall request 撤回: it waits to be dispatched again; no rejection, and a suspension is over."""

    request_id: str
    reason: FreeText
    ended_at: datetime | None = None
    """When the suspension was over, where that was before the recall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderCompleted:
    staff_ids: tuple[str, ...]
    handling: FreeText
    is_resolved: bool
    is_petitioned: bool
    is_called_back: bool
    device: DeviceTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderAuditRequested:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderAudited:
    verdict: AuditVerdict
    remark: FreeText


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderArchived:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderCancelled:
    """The grant of a cancel request."""

    request_id: str
    reason: FreeText


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderUrged:
    """The grant of an urge request."""

    request_id: str
    reason: FreeText


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderSuspended:
    reason: FreeText
    until: datetime
    reason_code: str | None = None
    """One of the reasons of the handling rules; None of before there were any."""
    held_by: Holder | None = None
    """Whose the time of the suspension is, as the handling rules said; None of before they did: the house's."""
    device: DeviceTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderResumed:
    ended_at: datetime | None = None
    """When the suspension was over, where it ended by itself; the event itself may be later."""
    device: DeviceTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderNoteAdded:
    note: FreeText
    device: DeviceTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderArrived:
    """Staff are on site. `occurred_at` is by the clock of their device."""

    place: FreeText | None = None
    """The place, as the device or the person reports it."""
    device: DeviceTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderAccepted:
    """Somebody of the work area will see to it 接单; stops `accept`, as the start of the work does."""

    device: DeviceTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderContacted:
    """The subscriber was contacted 联系用户; the first time stops `contact`, as the start of the work does."""

    note: FreeText | None = None
    device: DeviceTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderExtended:
    """The grant of an extension request 延期: the clock's limit is so much longer."""

    request_id: str
    clock: SlaClock
    minutes: int
    """Of working time, where the limit is of working time."""
    reason: FreeText


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderSupervised:
    """A supervisor watches over the order 督办: its custodian answers by a moment."""

    request_id: str
    reply_by: datetime
    reason: FreeText


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderSupervisionAnswered:
    """The custodian's people answer the oldest supervision that is open."""

    supervision_id: str
    """The `request_id` of the supervision."""
    answer: FreeText


WorkOrderEvent = (
    WorkOrderCreated
    | WorkOrderDispatched
    | WorkOrderStarted
    | WorkOrderRejected
    | WorkOrderRedispatchRequested
    | WorkOrderCompleted
    | WorkOrderAuditRequested
    | WorkOrderAudited
    | WorkOrderArchived
    | WorkOrderCancelled
    | WorkOrderUrged
    | WorkOrderSuspended
    | WorkOrderResumed
    | WorkOrderNoteAdded
    | WorkOrderArrived
    | WorkOrderAccepted
    | WorkOrderContacted
    | WorkOrderExtended
    | WorkOrderReassigned
    | WorkOrderRecalled
    | WorkOrderSupervised
    | WorkOrderSupervisionAnswered
    | WorkOrderAmended
)
