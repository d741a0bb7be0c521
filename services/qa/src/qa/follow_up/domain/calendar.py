"""Working days, as data that operators edit: weekends, holidays, and the days that are worked in their place."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contracts.refusals import Invalid

_DAYS_OF_A_WEEK = 7


class NoWorkingDays(Invalid):
    """Every day of the week is off in the calendar {calendar}: there is nothing to count."""

    zh = "日历 {calendar} 每天都休息，无法计数工作日。"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingCalendar:
    id: str
    version: int
    time_zone: str
    """A name of the IANA database, such as `Asia/Shanghai`."""
    days_off: tuple[int, ...]
    """Days of the week that are not worked: 0 is Monday, 6 is Sunday."""
    holidays: tuple[date, ...] = ()
    make_up_days: tuple[date, ...] = ()
    """Days that are worked although the week says otherwise 调休上班; stronger than a holiday."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def is_working_day(self, day: date) -> bool:
        if day in self.make_up_days:
            return True
        return day.weekday() not in self.days_off and day not in self.holidays

    def check(self) -> None:
        """Raises `NoWorkingDays`: then no deadline could be counted."""
        if len(set(self.days_off)) == _DAYS_OF_A_WEEK:
            raise NoWorkingDays(calendar=self.id)

    def after(self, day: date, working_days: int) -> date:
        """So many working days after a day; 0 is the day itself."""
        reached = day
        for _ in range(working_days):
            reached += timedelta(days=1)
            while not self.is_working_day(reached):
                reached += timedelta(days=1)
        return reached

    def nth_of_next_month(self, day: date, number: int) -> date:
        """The so many-th working day of the month after a day's."""
        last = (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return self.after(last, number)

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def end_of(self, day: date) -> datetime:
        """The first moment after a day, in UTC."""
        return datetime.combine(day + timedelta(days=1), time(), self.zone).astimezone(UTC)
