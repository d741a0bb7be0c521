"""Whether an order that is about to be created is there already: candidates with a score and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.lifecycle import Status

CLOSED = (Status.ARCHIVED, Status.CANCELLED)


class Reason(StrEnum):
    SAME_SUBSCRIBER = "same_subscriber"
    SAME_PHONE = "same_phone"
    SAME_ADDRESS = "same_address"
    SAME_DEMAND = "same_demand"
    SAME_DEVICE = "same_device"
    STILL_OPEN = "still_open"


POINTS = {
    Reason.SAME_SUBSCRIBER: 40,
    Reason.SAME_PHONE: 25,
    Reason.SAME_ADDRESS: 25,
    Reason.SAME_DEMAND: 20,
    Reason.SAME_DEVICE: 10,
    Reason.STILL_OPEN: 20,
}
"""What each likeness counts; of subscriber, phone and address only the strongest one. At most 90 without recency."""
_MOST_FOR_RECENCY = 10
_WHO = (Reason.SAME_SUBSCRIBER, Reason.SAME_PHONE, Reason.SAME_ADDRESS)


@dataclass(frozen=True, slots=True)
class Intended:
    """An order that is about to be created."""

    subscriber_no: str
    demand_type: str
    device_type: str | None = None


@dataclass(frozen=True, slots=True)
class LikeOrder:
    """An order beside the one about to be created, and how it is like it."""

    order_id: str
    order_no: str
    status: Status
    created_at: datetime
    reasons: frozenset[Reason]


@dataclass(frozen=True, slots=True)
class LikelyDuplicate:
    order_id: str
    order_no: str
    status: Status
    is_open: bool
    score: int
    """0 to 100."""
    reasons: tuple[Reason, ...]


def candidates(
    found: Iterable[LikeOrder], *, now: datetime, window_hours: int, least_score: int
) -> Sequence[LikelyDuplicate]:
    """The orders that score enough, the likeliest first."""
    scored = [_candidate(likeness, now, window_hours) for likeness in found]
    kept = [candidate for candidate in scored if candidate.score >= least_score]
    return sorted(kept, key=lambda candidate: (-candidate.score, candidate.order_id))


def _candidate(likeness: LikeOrder, now: datetime, window_hours: int) -> LikelyDuplicate:
    is_open = likeness.status not in CLOSED
    reasons = likeness.reasons | ({Reason.STILL_OPEN} if is_open else set())
    who = max((POINTS[reason] for reason in reasons if reason in _WHO), default=0)
    what = sum(POINTS[reason] for reason in reasons if reason not in _WHO)
    age_hours = max(0.0, (now - likeness.created_at).total_seconds() / 3600)
    recency = round(_MOST_FOR_RECENCY * max(0.0, 1 - age_hours / window_hours))
    shown = tuple(reason for reason in Reason if reason in reasons)
    return LikelyDuplicate(likeness.order_id, likeness.order_no, likeness.status, is_open, who + what + recency, shown)
