"""The events of a partner's system on `partner.<id>.in`, and intake's answers on `partner.<id>.out`.

A partner is a system registered by an operator, such as a telephone switch. It names its own things: the record's key
is its reference of the call (or `agent:<agent>` for a state, or its own number for an order it asks for), and
`ce_id` is its own name for the event: the same id again with the same content changes nothing. `ce_time` is when it
happened by the partner's clock, `ce_source` is `/partner/<id>`.

Each event is answered once: accepted, or refused with a code, what was wrong and what would be right. What is asked of
an order's custodian is answered when the custodian has answered. Besides, intake tells what becomes of the orders that
the partner asked for.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.calls import AgentState, Direction, EndedBy, EndReason, LossReason, TransferTarget
from contracts.directory import Names
from contracts.events import Appointment, Channel, Urgency, Zone
from contracts.lifecycle import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerCallEvent:
    """What every telephony event may say."""

    leg: int = 1
    """Which stay in a queue or with an agent: 1 for the first, one more after each transfer to another queue."""
    queue: str | None = None
    agent: str | None = None
    """The partner's name for the agent; intake knows whose it is."""
    corrects: str | None = None
    """The `ce_id` of an earlier event of the same type that this one replaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerCallOffered(PartnerCallEvent):
    direction: Direction = Direction.INBOUND
    channel: Channel = Channel.PHONE
    caller: str | None = None
    """The number of the person outside: who called, or who was called. Goes no further than intake."""
    line: str | None = None
    """The service number of ours."""
    demand_type: str | None = None
    holds_reported: bool = False
    """The switch says of this call when a caller is put on hold, so that a leg of which it says none had none. Left
    out, the hold of a leg without any is unknown, which is not zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerCallQueued(PartnerCallEvent):
    position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerCallRangUnanswered(PartnerCallEvent):
    ring_milliseconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerCallAnswered(PartnerCallEvent):
    wait_milliseconds: int | None = None
    """As the switch measured it; left out, intake takes the difference of the times."""
    ring_milliseconds: int | None = None
    """How long it rang at the agent who answered; left out where the switch does not tell it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerCallHeld(PartnerCallEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerCallResumed(PartnerCallEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerCallTransferred(PartnerCallEvent):
    target_kind: TransferTarget = TransferTarget.UNKNOWN
    target: str | None = None
    is_attended: bool = False
    talk_milliseconds: int | None = None
    hold_milliseconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerCallAbandoned(PartnerCallEvent):
    wait_milliseconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerCallLost(PartnerCallEvent):
    reason: LossReason
    wait_milliseconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerCallEnded(PartnerCallEvent):
    ended_by: EndedBy = EndedBy.UNKNOWN
    reason: EndReason = EndReason.HUNG_UP
    talk_milliseconds: int | None = None
    hold_milliseconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerAfterCallWorkEnded(PartnerCallEvent):
    work_milliseconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerRecordingAvailable(PartnerCallEvent):
    recording_id: str
    """The partner's reference of the recording; no address with a secret in it."""
    length_milliseconds: int | None = None
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerCallRated(PartnerCallEvent):
    score: int | None = None
    """From 1 to `highest`; null: asked, not answered."""
    highest: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerAgentStateChanged:
    """The subject is `agent:<agent>`."""

    agent: str
    state: AgentState
    reason: str | None = None
    queues: tuple[str, ...] = ()
    corrects: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerOrderRequested:
    """A partner asks for a work order; its own number becomes the external reference. The subject is that number."""

    subscriber_no: str
    device_type: str
    demand_type: str
    content: str
    zone: Zone | None = None
    territory: str | None = None
    appointment: Appointment | None = None
    urgency: Urgency = Urgency.NORMAL
    """紧急程度; which ones a partner may set is a rule of the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerOrderCancelRequested:
    """A partner asks to cancel an order that it asked for. The subject is its own number of the order."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerOrderUrgeRequested:
    """A partner asks to hurry an order that it asked for 催办. The subject is its own number of the order."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerOutageReported:
    """A partner announces an outage 停电信息. The subject is its own reference of the outage."""

    territories: tuple[str, ...]
    cause: str
    is_planned: bool = False
    """Announced before it begins 计划停电; only then `began_at` may be ahead."""
    began_at: datetime | None = None
    """When it began, or will; left out, it is `ce_time`."""
    restore_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerOutageRestoreTimeChanged:
    """By when supply is expected to be back, of an outage that the partner reported."""

    restore_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerOutageRestored:
    """The outage is over since `ce_time`, or a planned one is called off."""


class SubscriberField(StrEnum):
    """What a partner may set of a subscriber, each where an operator permits it."""

    NAME = "name"
    PHONES = "phones"
    ADDRESS = "address"
    KIND = "kind"
    ZONE = "zone"
    TERRITORY = "territory"
    NOTES = "notes"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerSubscriberChanged:
    """A subscriber's data as the partner has them. The subject is `subscriber:<subscriber_no>`.

    What is left out stays as it is; `phones` are all of them.
    """

    subscriber_no: str
    name: str | None = None
    phones: tuple[str, ...] | None = None
    address: str | None = None
    kind: str | None = None
    zone: Zone | None = None
    territory: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerReplayRequested:
    """A partner requests its messages since a time again: answers and statuses, oldest first.

    The subject is a name of its own for the replay. Each message has the id that it had, and `ce_replayid` is the
    `ce_id` of this event. `PartnerReplayEnded` is the last of them.
    """

    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedEvent:
    event_id: str
    faults: tuple[str, ...] = ()
    """What was odd and has been marked, such as `before_offer`; the event counts nevertheless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerEventsAccepted:
    """Events of one subject that were taken, in the order they were read."""

    events: tuple[AcceptedEvent, ...]
    call_id: str | None = None
    order_id: str | None = None
    order_no: str | None = None
    outage_id: str | None = None


@dataclass(frozen=True, slots=True)
class Mistake:
    pointer: str
    """A JSON pointer into the data, or the name of a header (`ce_time`, in structured mode the member `time`); empty:
    the record as a whole."""
    wrong: Names
    right: str = ""
    """What would be accepted there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerEventRefused:
    """An event that was not taken. The partner mends it and sends it with a new `ce_id`."""

    code: str
    detail: Names
    event_id: str | None = None
    event_type: str | None = None
    mistakes: tuple[Mistake, ...] = ()
    partition: int | None = None
    """With `offset`, where on `partner.<id>.in` the record stands."""
    offset: int | None = None
    is_parked: bool = False
    """Its key waits, with everything behind it, until an operator has repaired or discarded it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerOrderStatusChanged:
    """What became of an order that the partner asked for: dispatched, completed, cancelled or archived.

    The subject is the partner's own number of the order, `ce_time` is when it happened. Messages of an order come in
    the order in which it happened.
    """

    order_id: str
    order_no: str
    status: Status
    order_version: int
    """Grows with each message of an order, with gaps: what happens between these statuses has versions too."""
    appointment: Appointment | None = None
    """The window that was agreed for the work."""
    reply_by: datetime | None = None
    """Until when the centre has promised a reply, where it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerReplayEnded:
    """A replay is over: everything was sent, or as much as a replay may have."""

    event_id: str
    """The event that asked for it."""
    message_count: int
    is_complete: bool
    next_since: datetime | None = None
    """Where the next replay goes on, if this one is not complete."""
