"""Working days to count deadlines in; the calendar of weekends, holidays and make-up days is `contracts.calendar`'s."""

from dataclasses import dataclass
from datetime import date, timedelta

from contracts.calendar import WorkingDays
from contracts.refusals import Invalid

_DAYS_OF_A_WEEK = 7


class NoWorkingDays(Invalid):
    """Calendar {calendar} has no working day in the week."""

    zh = "日历 {calendar} 一周内没有工作日。"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingCalendar(WorkingDays):
    id: str
    version: int

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
