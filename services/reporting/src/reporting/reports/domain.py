"""Why a report is refused, and how long a period may be."""

from datetime import date

from contracts.refusals import Conflict, Invalid, NotFound

LAST_ID = 2**62
LONGEST_DAYS = 3670
"""Of a period of free days: ten years and a little."""


class ReportNotFound(NotFound):
    """There is no report {report_id} that you may see."""

    zh = "没有您可以查看的报表 {report_id}。"


class ReportNotReady(Conflict):
    """Report {report_id} is {state:report_state}; its file is available once it is ready."""

    zh = "报表 {report_id} 状态为“{state:report_state}”，就绪后才能下载。"


class ReportOutsideTime(Invalid):
    """The day of a report must be between 2000 and ten years ahead."""

    zh = "报表日期须在 2000 年至未来十年之间。"


class ReportPeriodInvalid(Invalid):
    """Only a report of kind `period` has a last day: not before its first day, at most {longest_days} days in all."""

    zh = "仅类型为 period 的报表有结束日，不得早于起始日，且总共不超过 {longest_days} 天。"


def last_day_of(day: date, last_day: date | None, *, is_free: bool, today: date) -> date:
    """The last day that is asked for; raises `ReportOutsideTime` or `ReportPeriodInvalid`."""
    last = day if last_day is None else last_day
    if not (2000 <= day.year <= today.year + 10 and 2000 <= last.year <= today.year + 10):
        raise ReportOutsideTime()
    if is_free != (last_day is not None) or not 0 <= (last - day).days < LONGEST_DAYS:
        raise ReportPeriodInvalid(longest_days=LONGEST_DAYS)
    return last
