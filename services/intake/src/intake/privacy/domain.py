"""What may be done with a subscriber's data beyond showing it: revealing, holding, erasing, keeping for a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.refusals import Conflict


class Purpose(StrEnum):
    """What somebody needs a masked phone number, name or address for."""

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
    """The subscriber is under a legal hold: nothing of theirs is erased until all holds are lifted."""

    zh = "该用户处于法律保全状态，解除全部保全之前不得删除其资料。"


class SubscriberHasOpenOrders(Conflict):
    """The subscriber has orders that are not closed: {order_nos}. Archive or cancel them first."""

    zh = "该用户尚有未结工单：{order_nos}；请先归档或作废。"


class SubscriberStillActive(Conflict):
    """Something has happened with the subscriber meanwhile; they are kept on."""

    zh = "该用户期间有新的往来，资料继续保留。"


class LegalHoldLifted(Conflict):
    """The legal hold was lifted before."""

    zh = "该法律保全此前已解除。"


class DataClass(StrEnum):
    """What is kept for a time that an operator sets."""

    SUBSCRIBERS = "subscribers"
    """Subscribers without open orders, and with them all free text about them; from the last thing that happened with
    them: a change, an order, a call, a case, a follow-up, …"""
    REVEALS = "reveals"
    """Who revealed whose data; from the reveal."""
    UNKNOWN_CALLERS = "unknown_callers"
    """Numbers of callers whom nobody knows, and what was written about their calls; from the beginning of the call."""


DEFAULT_DAYS: Mapping[DataClass, int] = {
    DataClass.SUBSCRIBERS: 1825,
    DataClass.REVEALS: 730,
    DataClass.UNKNOWN_CALLERS: 365,
}


SHIPPED_IS_ACTIVE: Mapping[DataClass, bool] = {
    DataClass.SUBSCRIBERS: False,
    DataClass.REVEALS: True,
    DataClass.UNKNOWN_CALLERS: True,
}
"""Erasing subscribers by age is off until an operator has switched it on: it cannot be undone."""


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How long a class of people's data is kept, and whether it goes afterwards."""

    keep_days: int
    is_active: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the way of an erasure."""

    is_held: bool
    open_order_nos: tuple[str, ...]


def may_erase(standing: Standing) -> None:
    """Raises `SubscriberOnLegalHold` or `SubscriberHasOpenOrders`."""
    if standing.is_held:
        raise SubscriberOnLegalHold()
    if standing.open_order_nos:
        raise SubscriberHasOpenOrders(order_nos=list(standing.open_order_nos))


def kept_since(now: datetime, keep_days: int) -> datetime:
    """What was last touched before this moment has been kept long enough."""
    return now - timedelta(days=keep_days)
