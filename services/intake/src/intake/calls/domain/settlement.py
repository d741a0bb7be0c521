"""The ways in which a call is settled, and what follows of them: promised replies, answers of departments."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.calls import CallOutcome
from contracts.refusals import Conflict, Invalid, NotFound, Stale
from intake.orders.domain.creation import CreateWorkOrder

_LONGEST_PROMISE = timedelta(days=90)


class CaseNotFound(NotFound):
    """There is no difficult case {case_id} that you may see."""

    zh = "没有您可以查看的疑难问题 {case_id}。"


class CaseChanged(Stale):
    """The case is at version {present_version}; the request is based on version {expected_version}."""

    zh = "疑难问题当前版本为 {present_version}，您所依据的版本为 {expected_version}。"


class CaseReplied(Conflict):
    """Case {case_id} was already answered at {replied_at:time}."""

    zh = "疑难问题 {case_id} 已于 {replied_at:time}答复。"


class PromiseOutOfReach(Invalid):
    """The promised reply time must be within the next 90 days, not {reply_by:time}."""

    zh = "承诺答复时间应在未来 90 天之内，不能是 {reply_by:time}。"


class ReferralNotFound(NotFound):
    """There is no referral {referral_id} that you may see."""

    zh = "没有您可以查看的转办 {referral_id}。"


class ReferralAnswered(Conflict):
    """Referral {referral_id} was already answered at {answered_at:time}."""

    zh = "转办 {referral_id} 已于 {answered_at:time}答复。"


class OrderIsClosed(Conflict):
    """Order {order_no} is {order_status:status} and cannot be urged; create a new order and link them."""

    zh = "工单 {order_no} 已处于“{order_status:status}”状态，无法催办；请新建工单并关联。"


@dataclass(frozen=True, slots=True)
class AnsweredAtOnce:
    """With an article, or from the agent's own knowledge."""

    article_id: str | None = None


@dataclass(frozen=True, slots=True)
class NewOrder:
    order: CreateWorkOrder
    occurred_at: datetime | None = None
    """When it was asked for, if not at this moment."""
    outage_id: str | None = None
    """The outage that the caller is inside: the order links to it."""


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """A repeat call: the order is there already and is urged."""

    order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ToDepartment:
    department: str
    question: str


@dataclass(frozen=True, slots=True)
class DifficultCase:
    content: str
    contact: str
    reply_by: datetime


Settling = AnsweredAtOnce | NewOrder | OpenOrder | ToDepartment | DifficultCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a call was settled, and by what."""

    id: str
    call_id: str
    outcome: CallOutcome
    article_id: str | None = None
    order_id: str | None = None
    order_was_open: bool = False
    referral_id: str | None = None
    case_id: str | None = None
    settled_by: str
    settled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A difficult case 疑难问题: a reply that is promised by a time. Its texts are sealed."""

    id: str
    version: int = 1
    call_id: str
    content: str
    contact: str
    reply_by: datetime
    opened_by: str
    promised_by: str | None = None
    opened_at: datetime
    warned_at: datetime | None = None
    overdue_at: datetime | None = None
    reply: str | None = None
    replied_by: str | None = None
    replied_at: datetime | None = None

    @property
    def promising_agent(self) -> str:
        """Whom a warning concerns: who gave the present promise."""
        return self.promised_by or self.opened_by

    def check_open(self, decided_on: int | None) -> None:
        """Raises `CaseReplied`, or `CaseChanged` unless it is at the version decided on; None is any."""
        if self.replied_at is not None:
            raise CaseReplied(case_id=self.id, replied_at=self.replied_at.isoformat())
        if decided_on not in (None, self.version):
            raise CaseChanged(present_version=self.version, expected_version=decided_on)

    def replied(self, reply: str, *, by: str, now: datetime) -> "Case":
        return replace(self, version=self.version + 1, reply=reply, replied_by=by, replied_at=now)

    def promised(self, reply_by: datetime, *, by: str) -> "Case":
        """With another time agreed with the subscriber; warnings begin again."""
        version = self.version + 1
        return replace(self, version=version, reply_by=reply_by, promised_by=by, warned_at=None, overdue_at=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """What a department is asked about a call. Its texts are sealed."""

    id: str
    call_id: str
    department: str
    question: str
    asked_by: str
    asked_at: datetime
    answer: str | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None

    def check_open(self) -> None:
        """Raises `ReferralAnswered`."""
        if self.answered_at is not None:
            raise ReferralAnswered(referral_id=self.id, answered_at=self.answered_at.isoformat())

    def answered(self, answer: str, *, by: str, now: datetime) -> "Referral":
        return replace(self, answer=answer, answered_by=by, answered_at=now)


def check_promise(reply_by: datetime, *, now: datetime) -> None:
    """Raises `PromiseOutOfReach`."""
    if not now < reply_by <= now + _LONGEST_PROMISE:
        raise PromiseOutOfReach(reply_by=reply_by.isoformat())
