"""What an outage is, and why a change of it is refused."""

from dataclasses import dataclass, replace
from datetime import datetime

from contracts.refusals import Conflict, Invalid, NotFound, Stale


class OutageNotFound(NotFound):
    """There is no outage {outage_id}."""

    zh = "没有编号为 {outage_id} 的停电信息。"


class OutageReferenceTaken(Conflict):
    """Outage {outage_id} was reported before. Its restore time and its end are events of their own."""

    zh = "停电 {outage_id} 此前已上报；恢复时间变更和恢复供电请用各自的事件上报。"


class OutageEnded(Conflict):
    """Outage {outage_id} ended at {ended_at:time}."""

    zh = "停电 {outage_id} 已于 {ended_at:time}结束。"


class OutageChanged(Stale):
    """The outage is at version {present_version}; the request is based on version {expected_version}."""

    zh = "停电信息当前版本为 {present_version}，您所依据的版本为 {expected_version}。"


class OutageTimesInverted(Invalid):
    """The expected restoration at {restore_by:time} is before the start of the outage at {began_at:time}."""

    zh = "计划恢复时间 {restore_by:time}早于停电开始时间 {began_at:time}。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Where service fails, why and until when."""

    id: str
    version: int = 1
    territories: tuple[str, ...]
    cause: str
    is_planned: bool = False
    """Announced before it begins 计划停电."""
    began_at: datetime
    restore_by: datetime | None = None
    ended_at: datetime | None = None
    told_by: str

    def check_times(self, restore_by: datetime | None) -> None:
        """Raises `OutageTimesInverted`."""
        if restore_by is not None and restore_by < self.began_at:
            raise OutageTimesInverted(began_at=self.began_at.isoformat(), restore_by=restore_by.isoformat())

    def changed(self, *, restore_by: datetime | None, is_over: bool, decided_on: int | None, now: datetime) -> "Outage":
        """With another time of restoration, or ended; `decided_on` is a version, None for any.

        Raises `OutageEnded`, `OutageChanged` or `OutageTimesInverted`.
        """
        if self.ended_at is not None:
            raise OutageEnded(outage_id=self.id, ended_at=self.ended_at.isoformat())
        if decided_on not in (None, self.version):
            raise OutageChanged(present_version=self.version, expected_version=decided_on)
        self.check_times(restore_by)
        return replace(
            self,
            version=self.version + 1,
            restore_by=restore_by or self.restore_by,
            ended_at=now if is_over else None,
        )
