"""Calls and agent states: the topic `calls`, written by intake alone.

A call is one stream under its call id, an agent's states one stream under `agent:<agent id>`. Each message carries
in `ce_entityversion` the stream's version, 1, 2, 3, … without gaps: at or below the known one it is a repeat.

Messages stand in the order in which they became known, not in which things happened: an answer may be known
before the offer. So a reader keeps facts by `fact_id` and folds them by `ce_time` (when it happened, by the
partner's clock; `ce_recordedtime` is ours). **The same `fact_id` again, with a higher `revision`, replaces the
earlier one**: so a late or corrected fact repairs a wait, a queue or a time.

A call has legs: each stay in a queue and with the agent who answers from it, 1 for the first, one more after a
transfer to another queue. A leg ends with exactly one of abandoned, lost, or answered and then transferred or ended.
Durations are whole milliseconds as the switch measured them, or the difference of two times; null while a needed
fact is missing, which is not zero.
Numbers, names and texts of persons are not included: a subscriber is a reference.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.events import Channel


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class TransferTarget(StrEnum):
    QUEUE = "queue"
    EXTENSION = "extension"
    DEPARTMENT = "department"
    EXTERNAL = "external"
    UNKNOWN = "unknown"


class LossReason(StrEnum):
    """Why a waiting caller was neither answered nor hung up."""

    TIMEOUT = "timeout"
    QUEUE_EMPTY = "queue_empty"
    QUEUE_FULL = "queue_full"
    KEY_PRESSED = "key_pressed"
    SWITCH_STOPPED = "switch_stopped"
    NO_END_REPORTED = "no_end_reported"
    OTHER = "other"


class EndedBy(StrEnum):
    CALLER = "caller"
    AGENT = "agent"
    SYSTEM = "system"
    UNKNOWN = "unknown"


class EndReason(StrEnum):
    HUNG_UP = "hung_up"
    SWITCH_STOPPED = "switch_stopped"
    """The switch failed during the talk: its length is unknown."""
    NO_END_REPORTED = "no_end_reported"
    """No end came for so long that intake closed the call; its own end, should it still come, is a revision."""


class AgentState(StrEnum):
    SIGNED_OUT = "signed_out"
    READY = "ready"
    """Signed in and not paused; time on calls lies inside it unless the partner reports `busy`."""
    BUSY = "busy"
    AFTER_CALL_WORK = "after_call_work"
    PAUSED = "paused"


class CallOutcome(StrEnum):
    """The four ways in which a call ends."""

    ANSWERED = "answered"
    WORK_ORDER = "work_order"
    DEPARTMENT = "department"
    DIFFICULT_CASE = "difficult_case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """The fields of every fact of a call."""

    fact_id: str
    """The same in each revision of this fact, and in no other fact."""
    revision: int = 1
    leg: int = 1
    queue: str | None = None
    agent_id: str | None = None
    team: str | None = None
    channel: Channel = Channel.PHONE
    direction: Direction = Direction.INBOUND
    demand_type: str | None = None
    """As known when this was written; `CallClassified` has it for the whole call."""
    subscriber_id: str | None = None
    """As known when this was written; `CallClassified` has it for the whole call."""
    faults: tuple[str, ...] = ()
    """What is odd about it, such as `before_offer`, `negative_time`, `unknown_agent`; see docs/partners.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOffered(Fact):
    """A call reached us (inbound) or was dialled (outbound). Once a call, however many legs it has."""

    partner_id: str | None = None
    call_reference: str | None = None
    """The partner's own name for the call."""
    line: str | None = None
    """The service number that was dialled: ours, not the caller's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallQueued(Fact):
    """A leg began to wait in its queue."""

    position: int | None = None
    """Place in the queue on entry, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRangUnanswered(Fact):
    """It rang at an agent who did not answer; the caller waits on."""

    ring_milliseconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswered(Fact):
    """An agent answered the leg."""

    wait_milliseconds: int | None = None
    """From the leg's entry into its queue, or from the offer if it never was in one."""
    ring_milliseconds: int | None = None
    """How long it rang at the agent who answered; null where the switch does not tell it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHeld(Fact):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResumed(Fact):
    hold_milliseconds: int | None = None
    """How long this hold was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTransferred(Fact):
    """The agent passed the caller on: the end of the leg for this agent."""

    target_kind: TransferTarget = TransferTarget.UNKNOWN
    target: str | None = None
    """The queue, extension or department; null for an external number."""
    is_attended: bool = False
    talk_milliseconds: int | None = None
    """Talk of this leg without holds; where these are unknown they are part of it."""
    hold_milliseconds: int | None = None
    """Holds of this leg; null where its switch does not report them, which is not zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAbandoned(Fact):
    """The caller hung up while waiting. Short or not is for the metric's threshold to say."""

    wait_milliseconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLost(Fact):
    """The leg left its queue unanswered without the caller having hung up."""

    reason: LossReason
    wait_milliseconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Fact):
    """The talk of an answered leg ended; of a call that never had a queue or an agent, the call."""

    ended_by: EndedBy = EndedBy.UNKNOWN
    reason: EndReason = EndReason.HUNG_UP
    talk_milliseconds: int | None = None
    """Talk of this leg without holds; null when it is unknown, which is not zero. Unknown holds are part of it."""
    hold_milliseconds: int | None = None
    """Holds of this leg; null where its switch does not report them, which is not zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCallWorkEnded(Fact):
    work_milliseconds: int | None = None
    """From the leg's end, or as the switch measured it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingAvailable(Fact):
    """A recording can be listened to where it is kept; the sound itself never travels."""

    recording_id: str
    length_milliseconds: int | None = None
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRated(Fact):
    """The caller was asked how content they were."""

    score: int | None = None
    """From 1 to `highest`; null: asked, not answered."""
    highest: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CallClassified(Fact):
    """Who called and what about, for the whole call; the latest by version is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettled(Fact):
    """How the call ended for the subscriber. A call can be settled in more than one way."""

    outcome: CallOutcome
    article_id: str | None = None
    """The knowledge article that answered it; null with `answered`: the agent's own knowledge."""
    order_id: str | None = None
    order_was_open: bool = False
    """The order was there already and was urged: a repeat call."""
    referral_id: str | None = None
    department: str | None = None
    case_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentAnswered(Fact):
    referral_id: str
    department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyPromised(Fact):
    """A difficult case: the subscriber was promised a reply by a time. Again for the same case: a later time."""

    case_id: str
    reply_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyWarned(Fact):
    """The promised time is near without a reply. `agent_id` and `team` are the promising agent's."""

    case_id: str
    reply_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyOverdue(Fact):
    """The promised time has passed without a reply. `agent_id` and `team` are the promising agent's."""

    case_id: str
    reply_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyGiven(Fact):
    case_id: str
    reply_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStateChanged:
    """What an agent does from `ce_time` until the next change by `ce_time`; the subject is `agent:<agent id>`.

    Paid time runs from signing in to signing out. Available is `ready` not covered by a leg of the agent.
    """

    fact_id: str
    agent_id: str
    state: AgentState
    revision: int = 1
    team: str | None = None
    reason: str | None = None
    """The pause's code: break, training, …"""
    queues: tuple[str, ...] = ()
    """The queues that the agent serves in this state."""
    partner_id: str | None = None
    faults: tuple[str, ...] = ()


CallFact = (
    CallOffered
    | CallQueued
    | CallRangUnanswered
    | CallAnswered
    | CallHeld
    | CallResumed
    | CallTransferred
    | CallAbandoned
    | CallLost
    | CallEnded
    | AfterCallWorkEnded
    | RecordingAvailable
    | CallRated
    | CallClassified
    | CallSettled
    | DepartmentAnswered
    | ReplyPromised
    | ReplyWarned
    | ReplyOverdue
    | ReplyGiven
)
