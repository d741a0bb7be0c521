"""Results of quality: samples, evaluations, appeals, follow-ups, satisfaction. The topic `quality`, written by qa.

Each message reports one thing that happened once; delivered again it has the same `ce_id`. What can happen again to
the same thing carries a number of its own: an evaluation its `revision`, an attempt its `attempt`. An evaluation is
published again at the same revision when it takes effect (`is_settled`): of the highest revision the last message
counts. Scores are hundredths of a point, 0 to 10,000, so that sums stay exact.

The key is the recording for what is about a recording, the first order for a follow-up after an order, and the
plan, session or follow-up where there is neither. Numbers, names and texts of persons are not included.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.events import Channel


class ListeningPurpose(StrEnum):
    """Why a recording was opened."""

    EVALUATION = "evaluation"
    CALIBRATION = "calibration"
    APPEAL = "appeal"
    COMPLAINT = "complaint"
    TRAINING = "training"
    LEGAL = "legal"


class RevisionCause(StrEnum):
    """Why an evaluation has this revision."""

    SUBMITTED = "submitted"
    ADJUDICATED = "adjudicated"
    APPEALED = "appealed"


class EvaluationMode(StrEnum):
    SINGLE = "single"
    DOUBLE_BLIND = "double_blind"
    """Two auditors evaluate the same recording and do not see each other's."""
    ADJUDICATION = "adjudication"
    """The word of a third on two that differ."""


class FollowUpCause(StrEnum):
    COMPLETION = "completion"
    COMPLAINT = "complaint"
    NEW_SUBSCRIBER = "new_subscriber"
    LOST_SUBSCRIBER = "lost_subscriber"
    LIST = "list"


class AttemptOutcome(StrEnum):
    REACHED = "reached"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    SWITCHED_OFF = "switched_off"
    WRONG_NUMBER = "wrong_number"
    REFUSED = "refused"
    """They were reached and did not want to answer."""
    CALL_AGAIN = "call_again"
    """They asked to be called at another time."""


class FollowUpEnd(StrEnum):
    COMPLETED = "completed"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    """So many attempts as the project allows, or a wrong number."""
    WITHDRAWN = "withdrawn"
    """There is nothing to ask about any more: the order went back to work."""


class FindingKind(StrEnum):
    RISK = "risk"
    DISSATISFACTION = "dissatisfaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingOpened:
    """A user received the reference of a recording, to listen to it."""

    recording_id: str
    call_id: str
    purpose: ListeningPurpose


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingPlanCommitted:
    """A plan and its seed are fixed: the seed itself is published at the draw, and must have this hash."""

    plan_id: str
    plan_digest: str
    """SHA-256 of the plan in its canonical form, hexadecimal; see docs/quality.md."""
    seed_digest: str
    """SHA-256 of the seed's bytes, hexadecimal."""
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDrawn:
    """The sample of a plan was drawn from its frame; with both, anyone can repeat the draw."""

    plan_id: str
    plan_digest: str
    seed: str
    """The seed's bytes in hexadecimal."""
    algorithm: str
    frame_digest: str
    """SHA-256 over the facts of every recording of the frame; see docs/quality.md."""
    frame_count: int
    sample_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSampled:
    """The recording is in the sample of a plan. `numerator / denominator` is the chance it had, exactly."""

    plan_id: str
    recording_id: str
    call_id: str
    agent_id: str
    stratum: str
    numerator: int
    denominator: int
    is_mandatory: bool = False
    is_double_blind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingEvaluated:
    """An evaluation of a recording has this revision; the highest holds."""

    evaluation_id: str
    revision: int
    cause: RevisionCause
    mode: EvaluationMode
    recording_id: str
    call_id: str
    agent_id: str
    """Whose call it was."""
    auditor_id: str
    form_id: str
    form_version: int
    raw_hundredths: int
    """The weighted score before fatal items."""
    fatal_items: tuple[str, ...]
    """Fatal items that were failed."""
    final_hundredths: int
    """The raw score, or 0 after a failed fatal item."""
    plan_id: str | None = None
    demand_type: str | None = None
    queue: str | None = None
    is_settled: bool = True
    """False while a double-blind evaluation waits for the other one or for adjudication."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationAppealed:
    """The agent does not agree with an evaluation; decided until `decide_by`."""

    appeal_id: str
    evaluation_id: str
    revision: int
    recording_id: str
    agent_id: str
    auditor_id: str
    decide_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealDecided:
    """An appeal was decided; overturned, the evaluation has a further revision."""

    appeal_id: str
    evaluation_id: str
    recording_id: str
    agent_id: str
    auditor_id: str
    is_overturned: bool
    is_late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationClosed:
    """How far auditors agreed on the same recordings. Kappa in millionths; null when it is not defined."""

    session_id: str
    form_id: str
    form_version: int
    recording_count: int
    auditor_ids: tuple[str, ...]
    agreement_millionths: int
    kappa_millionths: int | None = None
    kappa_method: str | None = None
    """`cohen_within_items` or `fleiss_within_items`; null: all items pooled as one scale, as before it was recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpPlanned:
    """A subscriber is to be called. Orders that are about the same thing share one follow-up."""

    follow_up_id: str
    project_id: str
    cause: FollowUpCause
    subscriber_no: str
    due_by: datetime
    """The end of the last day on which they should be called."""
    order_ids: tuple[str, ...] = ()
    outage_id: str | None = None
    work_area_id: str | None = None
    demand_type: str | None = None
    staff_id: str | None = None
    """Of the first order, as the work area: the first named of its latest dispatch."""
    channel: Channel | None = None
    """How the first order reached us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpJoined:
    """Another order is covered by a follow-up that was planned before."""

    follow_up_id: str
    project_id: str
    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpAttempted:
    follow_up_id: str
    project_id: str
    attempt: int
    caller_id: str
    outcome: AttemptOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpEnded:
    """No further calls are made for it."""

    follow_up_id: str
    project_id: str
    end: FollowUpEnd
    caller_id: str
    attempt_count: int
    questionnaire_id: str
    questionnaire_version: int
    order_ids: tuple[str, ...] = ()
    is_late: bool = False
    """After it was due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SatisfactionGiven:
    """How content a subscriber was, in their own answer to a follow-up: `score` out of `highest`."""

    follow_up_id: str
    project_id: str
    score: int
    highest: int
    order_ids: tuple[str, ...] = ()
    work_area_id: str | None = None
    demand_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingOpened:
    """A follow-up showed a risk or dissatisfaction that has to be handled."""

    finding_id: str
    follow_up_id: str
    project_id: str
    kind: FindingKind
    order_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingClosed:
    """A finding was handled, by a work order or otherwise."""

    finding_id: str
    project_id: str
    kind: FindingKind
    order_id: str | None = None
    """The work order that it was given to."""


QualityEvent = (
    RecordingOpened
    | SamplingPlanCommitted
    | SampleDrawn
    | RecordingSampled
    | RecordingEvaluated
    | EvaluationAppealed
    | AppealDecided
    | CalibrationClosed
    | FollowUpPlanned
    | FollowUpJoined
    | FollowUpAttempted
    | FollowUpEnded
    | SatisfactionGiven
    | FindingOpened
    | FindingClosed
)
