"""Working days and working hours, as data that operators edit: weekends, holidays, days worked in their place."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class DayKind(StrEnum):
    WORKDAY = "workday"
    REST = "rest"
    STATUTORY = "statutory"
    """A holiday that the law names 法定节假日; only these are paid threefold."""
    MAKE_UP = "make_up"
    """Worked although the week says otherwise 调休."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingDays:
    time_zone: str
    """A name of the IANA database, such as `Asia/Shanghai`."""
    days_off: tuple[int, ...]
    """Days of the week that are not worked: 0 is Monday, 6 is Sunday."""
    holidays: tuple[date, ...] = ()
    make_up_days: tuple[date, ...] = ()
    """Days that are worked although the week says otherwise 调休上班; stronger than a holiday."""
    covered_until: date | None = None
    """The last day whose days off are announced; what is counted beyond it may move. None: none are."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def is_working_day(self, day: date) -> bool:
        # The week first: it decides most days off without a search through the dates.
        is_off = day.weekday() in self.days_off or day in self.holidays
        return not is_off or day in self.make_up_days

    def covers(self, moment: datetime) -> bool:
        """Whether the days off until a moment are announced."""
        return self.covered_until is not None and moment <= self.end_of(self.covered_until)

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def end_of(self, day: date) -> datetime:
        """The first moment after a day, in UTC."""
        return datetime.combine(day + timedelta(days=1), time(), self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A part of each working day, in minutes since local midnight: 08:30 is 510, and 1,440 is the end of the day."""

    begin_minute: int
    end_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingTime(WorkingDays):
    hours: tuple[Hours, ...]
    """In their order, none touching another."""
