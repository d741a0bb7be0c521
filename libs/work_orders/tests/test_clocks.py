"""How far a clock has run, against a count of every single minute; and when a limit is over."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import strategies as st

from contracts import events as e
from contracts.calendar import Hours, WorkingTime
from contracts.events import SlaClock
from contracts.lifecycle import Status
from contracts.limits import TimeLimit, TimeLimitsDefined
from work_orders.sla_clocks import (
    MINUTE_US,
    SHIPPED_ONLY,
    RuleSet,
    RuleSets,
    deadline,
    elapsed_us,
    next_due_at,
    reached,
)
from work_orders.testing import BEGIN, Stream, make_created

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 2, tzinfo=SHANGHAI)
OFFICE = (Hours(begin_minute=510, end_minute=720), Hours(begin_minute=810, end_minute=1080))


def make_calendar(**overrides) -> WorkingTime:
    return WorkingTime(**{"time_zone": "Asia/Shanghai", "days_off": (5, 6), "hours": OFFICE} | overrides)


def is_worked(calendar: WorkingTime, moment: datetime) -> bool:
    """Whether the minute that begins then is working time."""
    local = moment.astimezone(calendar.zone)
    minute = local.hour * 60 + local.minute
    is_day = local.date() in calendar.make_up_days or (
        local.weekday() not in calendar.days_off and local.date() not in calendar.holidays
    )
    return is_day and any(part.begin_minute <= minute < part.end_minute for part in calendar.hours)


DAYS = st.dates(date(2026, 3, 20), date(2026, 4, 5))
HOURS = st.lists(st.integers(0, 1440), min_size=2, max_size=6, unique=True).map(
    lambda minutes: tuple(
        Hours(begin_minute=begin, end_minute=end)
        for begin, end in zip(sorted(minutes)[::2], sorted(minutes)[1::2], strict=False)
    )
)
CALENDARS = st.builds(
    make_calendar,
    # A clock change lies in these weeks in one of the zones, and the clock of another is half an hour off.
    time_zone=st.sampled_from(["Asia/Shanghai", "Asia/Kolkata", "Europe/Berlin"]),
    days_off=st.sets(st.integers(0, 6), max_size=4).map(tuple),
    holidays=st.lists(DAYS, max_size=3).map(tuple),
    make_up_days=st.lists(DAYS, max_size=3).map(tuple),
    hours=HOURS,
)
MINUTES = st.integers(0, 12 * 1440).map(lambda minute: datetime(2026, 3, 22, tzinfo=UTC) + timedelta(minutes=minute))


def at_night(begin_minute: int, end_minute: int) -> WorkingTime:
    hours = (Hours(begin_minute=begin_minute, end_minute=end_minute),)
    return make_calendar(time_zone="Europe/Berlin", days_off=(), hours=hours)


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


# On 29 March clocks in Berlin go from 02:00 to 03:00: hours that end between, begin between, or are skipped whole.
@hypothesis.example(calendar=at_night(0, 121), begin=utc(28, 20), end=utc(29, 6))
@hypothesis.example(calendar=at_night(150, 300), begin=utc(28, 20), end=utc(29, 6))
@hypothesis.example(calendar=at_night(130, 170), begin=utc(28, 20), end=utc(29, 6))
@hypothesis.given(calendar=CALENDARS, begin=MINUTES, end=MINUTES)
@hypothesis.settings(max_examples=40, deadline=None, database=None)
def test_what_has_elapsed_is_the_count_of_every_working_minute(calendar, begin, end) -> None:
    count, minute = 0, begin
    while minute < end:
        count += is_worked(calendar, minute)
        minute += timedelta(minutes=1)
    assert elapsed_us(calendar, begin, end) == count * MINUTE_US


@hypothesis.given(calendar=st.one_of(st.none(), CALENDARS), begin=MINUTES, needed=st.integers(1, 900))
@hypothesis.settings(max_examples=60, deadline=None, database=None)
def test_a_limit_is_over_at_the_earliest_moment_at_which_so_much_has_elapsed(calendar, begin, needed) -> None:
    hypothesis.assume(calendar is None or len(calendar.days_off) < 7)
    over_at = reached(calendar, begin, needed * MINUTE_US)
    assert elapsed_us(calendar, begin, over_at) == needed * MINUTE_US
    assert elapsed_us(calendar, begin, over_at - timedelta(microseconds=1)) == needed * MINUTE_US - 1


@hypothesis.given(calendar=CALENDARS, moments=st.lists(MINUTES, min_size=3, max_size=3).map(sorted))
@hypothesis.settings(max_examples=60, deadline=None, database=None)
def test_what_has_elapsed_adds_up_over_intervals(calendar, moments) -> None:
    first, second, third = moments
    parts = elapsed_us(calendar, first, second) + elapsed_us(calendar, second, third)
    assert parts == elapsed_us(calendar, first, third)


@pytest.mark.parametrize(
    ("begin", "minutes", "over_at"),
    [
        (MONDAY.replace(hour=9), 480, MONDAY.replace(day=3, hour=9)),
        (MONDAY.replace(hour=7), 480, MONDAY.replace(hour=18)),
        (MONDAY.replace(hour=11, minute=59), 2, MONDAY.replace(hour=13, minute=31)),
        (MONDAY.replace(day=6, hour=17), 4 * 480, MONDAY.replace(day=12, hour=17)),
    ],
)
def test_working_days_are_counted_in_the_hours_of_the_calendar(begin, minutes, over_at) -> None:
    assert reached(make_calendar(), begin, minutes * MINUTE_US) == over_at


def test_a_limit_that_no_calendar_reaches_ends_in_the_year_9999() -> None:
    assert reached(make_calendar(hours=()), MONDAY, 1).year == 9999
    assert reached(None, datetime(9999, 12, 31, tzinfo=UTC), MINUTE_US).year == 9999
    for moment in (datetime(9999, 12, 31, 23, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)):
        assert reached(make_calendar(), moment, MINUTE_US).year == 9999
        assert elapsed_us(make_calendar(), moment, moment + timedelta(minutes=5)) == 0


def test_the_first_days_of_the_calendar_have_no_working_time() -> None:
    first = datetime(1, 1, 1, tzinfo=UTC)
    calendar = make_calendar(time_zone="America/New_York")
    assert elapsed_us(calendar, first, first + timedelta(days=300)) == 0
    assert reached(calendar, first, MINUTE_US).year == 2


def make_rules(*limits: TimeLimit, **overrides) -> TimeLimitsDefined:
    facts = {"applies_from": BEGIN, "limits": limits, "calendar": make_calendar(), "longest_extension_minutes": 60}
    return TimeLimitsDefined(**facts | overrides)


def test_the_first_limit_that_fits_an_order_holds() -> None:
    complaint = {"zone": e.Zone.REMOTE, "demand_type": "complaint", "urgency": e.Urgency.NORMAL}
    repair = {"zone": e.Zone.REMOTE, "demand_type": "fault_repair", "urgency": e.Urgency.NORMAL}
    shipped = SHIPPED_ONLY.of(BEGIN)
    assert shipped.limit(SlaClock.ARRIVE, **complaint) is None
    assert shipped.limit(SlaClock.ARRIVE, **repair).us == 120 * MINUTE_US
    assert shipped.limit(SlaClock.REPLY, **complaint).us == 4 * 480 * MINUTE_US
    assert shipped.limit(SlaClock.DISPATCH, **repair) is None


def test_an_order_is_judged_by_the_newest_set_that_applies_to_its_creation() -> None:
    sets = RuleSets(
        (
            RuleSet(1, make_rules(applies_from=BEGIN + timedelta(days=2))),
            RuleSet(2, make_rules(applies_from=BEGIN)),
            RuleSet(3, make_rules(applies_from=BEGIN + timedelta(days=5))),
        )
    )
    moments = (BEGIN - timedelta(days=1), BEGIN, BEGIN + timedelta(days=3), BEGIN + timedelta(days=5))
    assert [sets.of(moment).version for moment in moments] == [0, 2, 2, 3]


HOUR_TO_ARRIVE = RuleSets((RuleSet(1, make_rules(TimeLimit(clock=SlaClock.ARRIVE, minutes=60))),))


def at(minute: int) -> datetime:
    return BEGIN + timedelta(minutes=minute)


def test_no_clock_runs_while_an_order_is_suspended() -> None:
    """Each event of the stream is a minute after the one before."""
    stream = Stream().until(Status.DISPATCHED)
    assert deadline(stream.order, SlaClock.ARRIVE, HOUR_TO_ARRIVE, at=at(2)) == at(60)
    stream.add(e.WorkOrderSuspended(reason="x", until=at(500)))
    assert deadline(stream.order, SlaClock.ARRIVE, HOUR_TO_ARRIVE, at=at(100)) == at(100 + 60 - 2)
    stream.add(e.WorkOrderResumed())
    assert deadline(stream.order, SlaClock.ARRIVE, HOUR_TO_ARRIVE, at=at(100)) == at(61)


def test_a_deadline_that_had_passed_before_a_pause_stays_where_it_was() -> None:
    minute = RuleSets((RuleSet(1, make_rules(TimeLimit(clock=SlaClock.ARRIVE, minutes=1))),))
    stream = Stream().until(Status.DISPATCHED)
    stream.add(e.WorkOrderSuspended(reason="x", until=at(500)))
    assert deadline(stream.order, SlaClock.ARRIVE, minute, at=at(300)) == at(1)
    stream.add(e.WorkOrderResumed())
    assert deadline(stream.order, SlaClock.ARRIVE, minute, at=at(300)) == at(1)


def test_an_extension_moves_the_deadline_and_an_arrival_ends_it() -> None:
    stream = Stream().until(Status.DISPATCHED)
    stream.add(e.WorkOrderExtended(request_id="r", clock=SlaClock.ARRIVE, minutes=15, reason="x"))
    stream.add(e.WorkOrderExtended(request_id="q", clock=SlaClock.COMPLETE, minutes=15, reason="x"))
    assert deadline(stream.order, SlaClock.ARRIVE, HOUR_TO_ARRIVE, at=at(2)) == at(75)
    assert deadline(stream.order, SlaClock.COMPLETE, HOUR_TO_ARRIVE, at=at(2)) is None
    stream.add(e.WorkOrderArrived())
    assert deadline(stream.order, SlaClock.ARRIVE, HOUR_TO_ARRIVE, at=at(2)) is None


def test_a_complaint_waits_for_its_reply_until_somebody_called_back() -> None:
    stream = Stream()
    stream.add(make_created(demand_type="complaint"))
    assert deadline(stream.order, SlaClock.REPLY, SHIPPED_ONLY, at=BEGIN) is not None


def test_a_limit_for_an_urgency_holds_for_orders_of_it_and_follows_an_amendment() -> None:
    urgent = TimeLimit(clock=SlaClock.ARRIVE, minutes=20, urgency=e.Urgency.URGENT)
    sets = RuleSets.known([RuleSet(1, make_rules(urgent, TimeLimit(clock=SlaClock.ARRIVE, minutes=90)))])
    stream = Stream()
    stream.add(make_created())
    assert next_due_at(stream.order, sets) == BEGIN + timedelta(minutes=90)
    stream.add(e.WorkOrderAmended(reason="x", before=e.OrderDetails(), urgency=e.Urgency.URGENT))
    assert next_due_at(stream.order, sets) == BEGIN + timedelta(minutes=20)
