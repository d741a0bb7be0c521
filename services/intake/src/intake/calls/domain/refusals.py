"""What agents do with a call, and why they are told no."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.refusals import Conflict, Invalid, NotFound, Stale

_LONGEST_PROMISE = timedelta(days=90)


class CallNotFound(NotFound):
    """There is no call {call_id} that you may see."""

    zh = "没有您可以查看的通话 {call_id}。"


class CallRecordChanged(Stale):
    """The record is at version {present_version}; you decided on version {expected_version}."""

    zh = "记录当前版本为 {present_version}，您所依据的版本为 {expected_version}。"


class CallTimesInverted(Invalid):
    """The call ends at {ended_at}, before it began at {started_at}."""

    zh = "通话结束时间 {ended_at} 早于开始时间 {started_at}。"


class CaseNotFound(NotFound):
    """There is no difficult case {case_id} that you may see."""

    zh = "没有您可以查看的疑难问题 {case_id}。"


class CaseChanged(Stale):
    """The case is at version {present_version}; you decided on version {expected_version}."""

    zh = "疑难问题当前版本为 {present_version}，您所依据的版本为 {expected_version}。"


class CaseReplied(Conflict):
    """Case {case_id} was replied to at {replied_at}."""

    zh = "疑难问题 {case_id} 已于 {replied_at} 答复。"


class PromiseOutOfReach(Invalid):
    """A reply is promised for a time ahead, within 90 days; {reply_by} is not."""

    zh = "承诺答复时间应在未来 90 天之内；{reply_by} 不符合。"


class ReferralNotFound(NotFound):
    """There is no referral {referral_id} that you may see."""

    zh = "没有您可以查看的转办 {referral_id}。"


class ReferralAnswered(Conflict):
    """Referral {referral_id} was answered at {answered_at}."""

    zh = "转办 {referral_id} 已于 {answered_at} 答复。"


class OutageNotFound(NotFound):
    """There is no outage {outage_id}."""

    zh = "没有编号为 {outage_id} 的停电信息。"


class OutageEnded(Conflict):
    """Outage {outage_id} ended at {ended_at}."""

    zh = "停电 {outage_id} 已于 {ended_at} 结束。"


class OutageChanged(Stale):
    """The outage is at version {present_version}; you decided on version {expected_version}."""

    zh = "停电信息当前版本为 {present_version}，您所依据的版本为 {expected_version}。"


class OutageTimesInverted(Invalid):
    """Service is to be back at {restore_by}, before the outage began at {began_at}."""

    zh = "计划恢复时间 {restore_by} 早于停电开始时间 {began_at}。"


class LinkNotFound(NotFound):
    """There is no link {link_id} that you may see."""

    zh = "没有您可以查看的关联 {link_id}。"


class LinkUndone(Conflict):
    """Link {link_id} was undone at {undone_at}."""

    zh = "关联 {link_id} 已于 {undone_at} 解除。"


class LinkKnown(Conflict):
    """The two are linked as {kind} already, by link {link_id}."""

    zh = "二者已通过关联 {link_id} 标为 {kind}。"


class LinkToItself(Invalid):
    """An order cannot be linked to itself."""

    zh = "工单不能与自身关联。"


class LinkedToNothing(Invalid):
    """A link of kind same_outage names an outage, any other another order."""

    zh = "“同一停电”关联须指明停电信息，其他关联须指明另一工单。"


class OrderIsClosed(Conflict):
    """Order {order_no} is {order_status} and cannot be urged; create another and link them."""

    zh = "工单 {order_no} 已处于 {order_status} 状态，无法催办；请新建工单并关联。"


@dataclass(frozen=True, slots=True)
class DeskRules:
    """Numbers that an operator can change."""

    warn_before_minutes: int
    """How long before a promised reply its people are warned."""
    call_closes_after_hours: int
    """After how long without a word an open call is closed."""
    duplicate_hours: int
    duplicate_least_score: int
    country_code: str | None = None
    """Of this country: a number with it, with a leading zero and without either is one number."""
    version: int = 0


def check_promise(reply_by: datetime, *, now: datetime) -> None:
    """Raises `PromiseOutOfReach`."""
    if not now < reply_by <= now + _LONGEST_PROMISE:
        raise PromiseOutOfReach(reply_by=reply_by.isoformat())


def check_restoration(began_at: datetime, restore_by: datetime | None) -> None:
    """Raises `OutageTimesInverted`."""
    if restore_by is not None and restore_by < began_at:
        raise OutageTimesInverted(began_at=began_at.isoformat(), restore_by=restore_by.isoformat())


def check_version(refusal: type[Stale], present: int, decided_on: int | None) -> None:
    """Raises the refusal when somebody says which version they decided on and it is not the present one."""
    if decided_on not in (None, present):
        raise refusal(present_version=present, expected_version=decided_on)
