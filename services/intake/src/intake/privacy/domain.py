"""What may be done with a subscriber's data beyond showing it: revealing, holding, erasing, keeping for a time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.refusals import Conflict, NotFound


class Purpose(StrEnum):
    """The purpose of revealing a masked phone number, name or address."""

    CALL_BACK = "call_back"
    VISIT = "visit"
    COMPLAINT = "complaint"
    QUALITY_CHECK = "quality_check"
    IDENTITY_CHECK = "identity_check"
    LEGAL_REQUEST = "legal_request"


class Ground(StrEnum):
    """Why a subscriber is erased."""

    SUBSCRIBER_ASKED = "subscriber_asked"
    AUTHORITY_ORDERED = "authority_ordered"
    ENTERED_BY_MISTAKE = "entered_by_mistake"
    RETENTION_ENDED = "retention_ended"


class SubscriberOnLegalHold(Conflict):
    """The subscriber is under legal hold and cannot be erased until all holds are lifted."""

    zh = "该用户处于法律保全状态，解除全部保全之前不得删除其资料。"


class SubscriberHasOpenOrders(Conflict):
    """The subscriber has open orders: {order_nos}. Archive or cancel them first."""

    zh = "该用户尚有未结工单：{order_nos}；请先归档或作废。"


class SubscriberStillActive(Conflict):
    """The subscriber was active in the meantime and is kept."""

    zh = "该用户期间有新的往来，资料继续保留。"


class LegalHoldNotFound(NotFound):
    """There is no legal hold {hold_id}."""

    zh = "没有编号为 {hold_id} 的法律保全。"


class LegalHoldLifted(Conflict):
    """The legal hold is already lifted."""

    zh = "该法律保全此前已解除。"


class DataClass(StrEnum):
    """What is kept for a time that an operator sets."""

    SUBSCRIBERS = "subscribers"
    """Subscribers without open orders, and with them all free text about them; from the last thing that happened with
    them: a change, an order, a call, a case, a follow-up, …"""
    REVEALS = "reveals"
    """Who revealed whose data; from the reveal."""
    UNKNOWN_CALLERS = "unknown_callers"
    """Numbers of unknown callers and the records of their calls; from the start of the call."""


@dataclass(frozen=True, slots=True)
class RetentionSetting:
    """How long a class of people's data is kept, and whether the daily run goes by it."""

    data_class: DataClass
    keep_days: int
    is_active: bool
    changed_by: str | None = None
    """None: as shipped."""
    changed_at: datetime | None = None

    def kept_since(self, now: datetime) -> datetime:
        """What was last touched before this moment has been kept long enough."""
        return now - timedelta(days=self.keep_days)


SHIPPED: Mapping[DataClass, RetentionSetting] = {
    # Erasing subscribers by age is off until an operator has switched it on: it cannot be undone.
    DataClass.SUBSCRIBERS: RetentionSetting(DataClass.SUBSCRIBERS, 1825, is_active=False),
    DataClass.REVEALS: RetentionSetting(DataClass.REVEALS, 730, is_active=True),
    DataClass.UNKNOWN_CALLERS: RetentionSetting(DataClass.UNKNOWN_CALLERS, 365, is_active=True),
}


@dataclass(frozen=True, slots=True)
class RetentionOutcome:
    """What a day's run has done."""

    subscribers_erased: int
    reveals_deleted: int
    keys_wrapped_anew: int
    callers_forgotten: int
    subscribers_due: int
    """Whom erasing by age was to erase, before it did; counted also while it is off, up to `HIGHEST_COUNT`."""
    is_erasing: bool


HIGHEST_COUNT = 10_000
"""So many subscribers that are to be erased are counted at most."""


@dataclass(frozen=True, slots=True)
class RevealRecord:
    """Who revealed whose data, when and what for; the reason is sealed."""

    id: str
    subscriber_id: str
    work_order_id: str | None
    purpose: Purpose
    reason: str | None
    revealed_by: str
    revealed_by_name: str
    role: str
    revealed_at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold 法律保全: while it stands nothing of the subscriber is erased. Reasons are sealed."""

    id: str
    subscriber_id: str
    reason: str
    set_by: str
    set_at: datetime
    lift_reason: str | None = None
    lifted_by: str | None = None
    lifted_at: datetime | None = None

    def require_standing(self) -> None:
        """Raises `LegalHoldLifted`."""
        if self.lifted_at is not None:
            raise LegalHoldLifted()

    def lifted(self, reason: str, *, by: str, at: datetime) -> "Hold":
        self.require_standing()
        return replace(self, lift_reason=reason, lifted_by=by, lifted_at=at)


@dataclass(frozen=True, slots=True)
class ErasureEvidence:
    """That a subscriber was erased: nothing in it is the subscriber's own."""

    subscriber_id: str
    ground: str
    erased_by: str
    role: str
    erased_at: datetime
    order_count: int
    key_version: int
    """Of the sealing key whose destruction was published."""


@dataclass(frozen=True, slots=True)
class ErasureObstacles:
    """What stands in the way of an erasure."""

    is_held: bool
    open_order_nos: tuple[str, ...]


def may_erase(standing: ErasureObstacles) -> None:
    """Raises `SubscriberOnLegalHold` or `SubscriberHasOpenOrders`."""
    if standing.is_held:
        raise SubscriberOnLegalHold()
    if standing.open_order_nos:
        raise SubscriberHasOpenOrders(order_nos=list(standing.open_order_nos))
