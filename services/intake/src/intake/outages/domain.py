"""What an outage is, and why a change of it is refused."""

from datetime import datetime

from contracts.refusals import Conflict, Invalid, NotFound, Stale


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


def check_restoration(began_at: datetime, restore_by: datetime | None) -> None:
    """Raises `OutageTimesInverted`."""
    if restore_by is not None and restore_by < began_at:
        raise OutageTimesInverted(began_at=began_at.isoformat(), restore_by=restore_by.isoformat())


def check_version(refusal: type[Stale], present: int, decided_on: int | None) -> None:
    """Raises the refusal when somebody says which version they decided on and it is not the present one."""
    if decided_on not in (None, present):
        raise refusal(present_version=present, expected_version=decided_on)
