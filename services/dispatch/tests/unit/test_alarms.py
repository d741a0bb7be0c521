"""Which steps of the ladder fire for an order, and when it is looked at again."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts import events as e
from contracts.calendar import Hours
from contracts.escalation import (
    SHIPPED,
    AlarmCause,
    ClockBreached,
    ClockEscalated,
    ClockWarned,
    EscalationRulesDefined,
    EscalationStep,
    Receiver,
)
from contracts.events import SlaClock
from contracts.lifecycle import Status
from contracts.limits import SHIPPED as SHIPPED_LIMITS
from contracts.limits import TimeLimit, TimeLimitsDefined
from dispatch.alarms.ladder import (
    EscalationStepRepeated,
    EscalationTimeZoneUnknown,
    Ladder,
    Look,
    WarningHoursOverlap,
    alarm,
    check_escalation_rules,
    look_at_order,
)
from work_orders.sla_clocks import RuleSet, RuleSets
from work_orders.testing_streams import BEGIN, Stream

HOUR_TO_ARRIVE = RuleSets(
    (
        RuleSet(
            1,
            TimeLimitsDefined(
                applies_from=BEGIN,
                limits=(TimeLimit(clock=SlaClock.ARRIVE, minutes=60),),
                calendar=SHIPPED_LIMITS.calendar,
                longest_extension_minutes=600,
            ),
        ),
    )
)
STAFF = (Receiver.STAFF,)


def at(minute: float) -> datetime:
    return BEGIN + timedelta(minutes=minute)


def ladder(*minutes: int, **more) -> Ladder:
    return Ladder(
        1, EscalationRulesDefined(steps=tuple(EscalationStep(minutes=m, tell=STAFF) for m in minutes), **more)
    )


def dispatched() -> Stream:
    """To be reached within the hour."""
    return Stream().until(Status.DISPATCHED)


def look(stream: Stream, minute: float, fired=None, steps: Ladder | None = None) -> Look:
    assert stream.order is not None
    return look_at_order(stream.order, HOUR_TO_ARRIVE, steps or Ladder(0, SHIPPED), fired or {}, now=at(minute))


def steps_of(found: Look) -> list[int]:
    return [firing.step.minutes for firing in found.firing]


@pytest.mark.parametrize(
    ("minute", "climbed", "steps", "next_minute"),
    [
        (44.9, None, [], 45),
        (45, None, [-15], 60),
        (45, -15, [], 60),
        (60, -15, [0], 90),
        (60, None, [0], 90),
        (90, 0, [30], 120),
        (120, 30, [60], None),
        (120, 60, [], None),
    ],
)
def test_each_step_fires_at_its_moment_and_once(minute, climbed, steps, next_minute) -> None:
    fired = {} if climbed is None else {(SlaClock.ARRIVE, at(60)): climbed}
    found = look(dispatched(), minute, fired)
    assert steps_of(found) == steps
    assert found.look_at == (None if next_minute is None else at(next_minute))


def test_after_a_downtime_the_highest_missed_step_fires_and_says_how_late() -> None:
    (firing,) = look(dispatched(), 100).firing
    assert (firing.step.minutes, firing.level, firing.late) == (30, 1, timedelta(minutes=10))


def test_a_warning_that_is_longer_than_its_limit_is_late_by_no_more_than_the_limit_runs() -> None:
    found = look(dispatched(), 2, steps=ladder(-10_000))
    assert [firing.late for firing in found.firing] == [timedelta(minutes=2)]


def test_an_extension_arms_every_step_again() -> None:
    stream, fired = dispatched(), {(SlaClock.ARRIVE, at(60)): 30}
    assert steps_of(look(stream, 95, fired)) == []
    stream.add(e.WorkOrderExtended(request_id="r", clock=SlaClock.ARRIVE, minutes=60, reason="x"))
    assert look(stream, 95, fired).look_at == at(105)
    assert steps_of(look(stream, 105, fired)) == [-15]
    assert look(stream, 105, fired).standing == {(SlaClock.ARRIVE, at(120))}


def test_nothing_fires_for_an_order_that_rests_is_closed_or_has_arrived() -> None:
    rests = dispatched()
    rests.add(e.WorkOrderSuspended(reason="x", until=at(900)))
    arrived = dispatched()
    arrived.add(e.WorkOrderArrived())
    for stream in (rests, arrived, Stream().until(Status.ARCHIVED), Stream().until(Status.CANCELLED)):
        assert look(stream, 500) == Look((), frozenset(), None)


def test_a_deadline_that_had_passed_before_a_suspension_stands_and_fires_nothing_meanwhile() -> None:
    stream = dispatched()
    stream.messages += [stream.messages[-1]] * 60  # the next event is an hour later
    message = stream.add(e.WorkOrderSuspended(reason="x", until=at(900)))
    assert message.occurred_at == at(62)
    assert look(stream, 500) == Look((), frozenset({(SlaClock.ARRIVE, at(60))}), None)


def test_a_clock_with_steps_of_its_own_has_no_others() -> None:
    own = EscalationStep(minutes=5, tell=STAFF, clock=SlaClock.ARRIVE)
    rules = EscalationRulesDefined(steps=(EscalationStep(minutes=0, tell=STAFF), own))
    assert [step.minutes for step in Ladder(1, rules).steps_of(SlaClock.ARRIVE)] == [5]
    assert [step.minutes for step in Ladder(1, rules).steps_of(SlaClock.REPLY)] == [0]


def test_a_warning_waits_for_its_hours_and_a_breach_never_does() -> None:
    """The order was created at 16:00 in Shanghai, and is to be reached by 17:00."""
    from_half_past_four = ladder(-40, 0, warning_hours=(Hours(begin_minute=16 * 60 + 30, end_minute=1440),))
    assert look(dispatched(), 25, steps=from_half_past_four).look_at == at(30)
    assert steps_of(look(dispatched(), 30, steps=from_half_past_four)) == [-40]
    mornings = ladder(-40, 0, warning_hours=(Hours(begin_minute=480, end_minute=720),))
    assert look(dispatched(), 25, steps=mornings).look_at == at(60)
    assert steps_of(look(dispatched(), 60, steps=mornings)) == [0]


def test_the_event_says_what_who_and_why() -> None:
    stream = dispatched()
    events = {}
    for minute in (45, 60, 120):
        (firing,) = look(stream, minute).firing
        event = alarm(stream.order, firing, alarm_id="a", escalation_version=0, cause=AlarmCause.TIME)  # type: ignore[arg-type]
        events[minute] = event
    assert [type(event) for event in events.values()] == [ClockWarned, ClockBreached, ClockEscalated]
    breach = events[60]
    assert (breach.clock, breach.due_at, breach.minutes, breach.late_seconds) == (SlaClock.ARRIVE, at(60), 0, 0)
    assert (breach.work_area_id, breach.staff_ids, breach.tell) == (
        "north",
        ("north-1",),
        (Receiver.STAFF, Receiver.AREA_LEAD),
    )
    assert (events[120].level, events[120].tell) == (2, (Receiver.SUPERVISOR,))


@pytest.mark.parametrize(
    ("rules", "refusal"),
    [
        (ladder(0, 30, 30).rules, EscalationStepRepeated),
        (ladder(0, time_zone="Asia/Peking").rules, EscalationTimeZoneUnknown),
        (ladder(0, warning_hours=(Hours(begin_minute=60, end_minute=60),)).rules, WarningHoursOverlap),
    ],
)
def test_a_ladder_that_makes_no_sense_is_refused(rules, refusal) -> None:
    with pytest.raises(refusal):
        check_escalation_rules(rules)


def test_the_shipped_ladder_makes_sense() -> None:
    check_escalation_rules(SHIPPED)
    assert datetime(2026, 3, 2, 8, tzinfo=UTC) == BEGIN
