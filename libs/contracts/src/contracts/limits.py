"""Time limits 时限, as data that an operator edits: how long each clock may run, and in which kind of time.

Each message is a whole set of limits. An order is judged by the newest set whose `applies_from` is not after its
creation, so a set that applies from a past moment changes the deadlines of existing orders. Until an operator has
defined one, `SHIPPED` holds as version 0: it is in the code of every service and must never change, or past figures
would.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.calendar import Hours, WorkingTime
from contracts.events import SlaClock, Urgency, Zone

SUBJECT = "time_limits"
"""The key of every set of limits: they are one stream with versions 1, 2, 3 …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimit:
    """For the orders of a zone, a demand type and an urgency; None is any."""

    clock: SlaClock
    minutes: int | None
    """None: these orders have no limit, whatever stands further down in the list."""
    is_working_time: bool = False
    """Counted in the hours of the calendar; otherwise around the clock."""
    zone: Zone | None = None
    demand_type: str | None = None
    calendar_id: str | None = None
    """The calendar of the directory whose working time counts; None: that of the set."""
    urgency: Urgency | None = None


@dataclass(frozen=True, slots=True)
class LimitCalendar:
    """A calendar that limits of a set name, as it was when the set was defined."""

    calendar_id: str
    """Its id in the directory."""
    working_time: WorkingTime
    """Its days and hours as they are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimitsDefined:
    applies_from: datetime
    """Judges the orders that were created then or later."""
    limits: tuple[TimeLimit, ...]
    """Of each clock the first that fits an order holds for it."""
    calendar: WorkingTime
    longest_extension_minutes: int
    """All extensions of one clock of an order together, in the kind of time of its limit."""
    calendar_id: str | None = None
    """The calendar of the directory that `calendar` was taken from; None: it stands here only."""
    calendars: tuple[LimitCalendar, ...] = ()
    """Those that single limits name, as they were when the set was defined."""


_OFFICE_HOURS = (Hours(begin_minute=510, end_minute=720), Hours(begin_minute=810, end_minute=1080))
_WORKING_DAY_MINUTES = 480
_WITHOUT_VISIT = ("complaint", "report", "consultation", "suggestion")

SHIPPED = TimeLimitsDefined(
    applies_from=datetime(1, 1, 2, tzinfo=UTC),
    limits=(
        TimeLimit(clock=SlaClock.CONTACT, minutes=24 * 60, demand_type="complaint"),
        TimeLimit(
            clock=SlaClock.REPLY, minutes=4 * _WORKING_DAY_MINUTES, is_working_time=True, demand_type="complaint"
        ),
        TimeLimit(clock=SlaClock.REPLY, minutes=9 * _WORKING_DAY_MINUTES, is_working_time=True, demand_type="report"),
        *(TimeLimit(clock=SlaClock.ARRIVE, minutes=None, demand_type=demand_type) for demand_type in _WITHOUT_VISIT),
        TimeLimit(clock=SlaClock.ARRIVE, minutes=45, zone=Zone.URBAN),
        TimeLimit(clock=SlaClock.ARRIVE, minutes=90, zone=Zone.RURAL),
        TimeLimit(clock=SlaClock.ARRIVE, minutes=120, zone=Zone.REMOTE),
    ),
    calendar=WorkingTime(time_zone="Asia/Shanghai", days_off=(5, 6), hours=_OFFICE_HOURS),
    longest_extension_minutes=2 * _WORKING_DAY_MINUTES,
)
"""Hours are 08:30 to 12:00 and 13:30 to 18:00, so a working day has 480 minutes; holidays only people know."""
