"""A work order at one version, as every reader knows it: the state that `contracts.order` folds from events."""

from dataclasses import dataclass
from datetime import datetime

from contracts import events as e
from contracts.lifecycle import Act, Service, Status, allowed_acts, step
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


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """An order at one version. Lists are oldest first; the last rejection, completion or audit is the present one."""

    id: str
    order_no: str
    version: int
    status: Status
    custodian: Service | None
    allowed_acts: tuple[Act, ...]
    subscriber_id: str
    subscriber_no: str
    device_type: str
    demand_type: str
    content: str
    channel: e.Channel
    zone: e.Zone
    territory: str | None
    appointment: e.Appointment | None
    external_reference: str | None
    created: Done
    changed: Done
    """The latest event's author and `occurred_at`."""
    assignment: Assignment | None = None
    """The latest dispatch; kept after a rejection and after completion."""
    started: Done | None = None
    rejections: tuple[Rejection, ...] = ()
    completions: tuple[Completion, ...] = ()
    audit_requested: Done | None = None
    audits: tuple[Audit, ...] = ()
    redispatches: tuple[Redispatch, ...] = ()
    suspension: Suspension | None = None
    urges: tuple[Urge, ...] = ()
    notes: tuple[Note, ...] = ()
    cancellation: Cancellation | None = None
    archived: Done | None = None
    pauses: tuple[Pause, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    extensions: tuple[Extension, ...] = ()
    urgency: e.Urgency = e.Urgency.NORMAL
    contact_id: str | None = None
    """Whom to contact, where that is not the subscriber; intake has name and phone."""
    amendments: tuple[Amendment, ...] = ()
    first_dispatched_at: datetime | None = None
    """Of an order that was dispatched again, which `assignment` and `started` do not tell any more."""
    first_started_at: datetime | None = None
    reassignments: tuple[Reassignment, ...] = ()
    recalls: tuple[Recall, ...] = ()
    supervisions: tuple[Supervision, ...] = ()
    accepted: Done | None = None
    """Who first accepted the latest dispatch."""
    contacts: tuple[SubscriberContact, ...] = ()
    decision: Decision | None = None
    """None in a state that was folded by a release before it, until the next event."""

    def __post_init__(self) -> None:
        # Derived wherever an order is made or read: what an earlier release has stored lacks the acts that came later.
        acts = allowed_acts(self.status, is_suspended=self.suspension is not None)
        object.__setattr__(self, "allowed_acts", acts)

    @property
    def open_supervision(self) -> Supervision | None:
        """The oldest that was not answered."""
        return next((each for each in self.supervisions if each.answered is None), None)

    def suspension_ended_before(self, moment: datetime) -> datetime | None:
        """When the suspension was over, if that was before the moment."""
        until = self.suspension.until if self.suspension else moment
        return until if until < moment else None

    @property
    def work_area_id(self) -> str | None:
        """The work area of the latest dispatch."""
        return self.assignment.work_area_id if self.assignment else None

    @property
    def last_decision(self) -> Decision:
        """What an act must have been decided on, or on something later; the last event where nothing else is known."""
        return self.decision or Decision(version=self.version, at=self.changed.at, by=self.changed.by.sub)

    @property
    def decision_version(self) -> int:
        return self.last_decision.version

    @property
    def earliest_dispatch(self) -> datetime | None:
        """When it was first dispatched; what a release without `first_dispatched_at` has folded knows the latest."""
        return self.first_dispatched_at or (self.assignment.dispatched.at if self.assignment else None)

    @property
    def earliest_start(self) -> datetime | None:
        """When work was first started."""
        return self.first_started_at or (self.started.at if self.started else None)

    def advance(self, act: Act) -> Status:
        """Where the act would lead; raises `ActNotAllowed`."""
        return step(self.status, act, is_suspended=self.suspension is not None)
