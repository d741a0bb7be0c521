"""What agents do with a call, and why they are told no."""

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


class OrderIsClosed(Conflict):
    """Order {order_no} is {order_status} and cannot be urged; create another and link them."""

    zh = "工单 {order_no} 已处于 {order_status} 状态，无法催办；请新建工单并关联。"


def check_promise(reply_by: datetime, *, now: datetime) -> None:
    """Raises `PromiseOutOfReach`."""
    if not now < reply_by <= now + _LONGEST_PROMISE:
        raise PromiseOutOfReach(reply_by=reply_by.isoformat())
