"""Why commands on calls are refused."""

from contracts.refusals import Invalid, NotFound, Stale


class CallNotFound(NotFound):
    """There is no call {call_id} that you may see."""

    zh = "没有您可以查看的通话 {call_id}。"


class CallRecordChanged(Stale):
    """The record is at version {present_version}; the request is based on version {expected_version}."""

    zh = "记录当前版本为 {present_version}，您所依据的版本为 {expected_version}。"


class CallTimesInverted(Invalid):
    """The call ends at {ended_at:time}, before its start at {started_at:time}."""

    zh = "通话结束时间 {ended_at:time}早于开始时间 {started_at:time}。"
