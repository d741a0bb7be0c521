"""Who and what the company has: the compacted topic that every service keeps a copy of.

Each message is the whole entity as it now is. Compaction keeps the newest, so versions may be skipped:
a reader takes a higher `entityversion` and ignores a lower one.
"""

from dataclasses import dataclass, replace
from datetime import date

from contracts.calendar import DayKind, WorkingTime


@dataclass(frozen=True, slots=True)
class Names:
    """What a person sees, in both languages."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkAreaDefined:
    work_area_id: str
    names: Names
    territories: tuple[str, ...] = ()
    """Empty: every territory."""
    demand_types: tuple[str, ...] = ()
    """Empty: every demand type."""
    device_types: tuple[str, ...] = ()
    """Empty: every device type."""
    is_open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffDefined:
    staff_id: str
    name: str
    work_area_id: str
    skills: tuple[str, ...] = ()
    is_active: bool = True
    person_id: str | None = None
    """The subject of their token; None: who they are to the services is not known."""
    is_lead: bool = False
    """Whether they lead their work area 工区负责人; an area may have several leads, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTypeDefined:
    device_type: str
    names: Names
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandTypeDefined:
    demand_type: str
    names: Names
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDefined:
    agent_id: str
    """The subject of the agent's token."""
    name: str
    team: str | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDefined:
    calendar_id: str
    names: Names
    working_time: WorkingTime
    statutory_days: tuple[date, ...] = ()
    """Those of the holidays that the law names 法定节假日; the others are days off around them."""
    announced_years: tuple[int, ...] = ()
    """Years whose holidays and make-up days have been announced."""
    provisional_years: tuple[int, ...] = ()
    """Years whose holidays are known by rule only: make-up days are missing, and days may move."""

    @property
    def covered_until(self) -> date | None:
        """The last day of the last announced year that no unannounced year precedes; None while none is announced."""
        if not self.announced_years:
            return None
        year = min(self.announced_years)
        while year + 1 in self.announced_years:
            year += 1
        return date(year, 12, 31)

    @property
    def covered_working_time(self) -> WorkingTime:
        """The working time, which says itself until when it is covered."""
        return replace(self.working_time, covered_until=self.covered_until)

    def kind_of(self, day: date) -> DayKind:
        if not self.working_time.is_working_day(day):
            return DayKind.STATUTORY if day in self.statutory_days else DayKind.REST
        return DayKind.MAKE_UP if day in self.working_time.make_up_days else DayKind.WORKDAY


DirectoryEntity = (
    WorkAreaDefined | StaffDefined | DeviceTypeDefined | DemandTypeDefined | AgentDefined | CalendarDefined
)
