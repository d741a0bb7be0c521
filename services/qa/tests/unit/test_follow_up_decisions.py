"""A follow-up is called by its holder, within hours and quotas, until it is answered or given up."""

from datetime import UTC, datetime, timedelta

import pytest
from services.qa.tests.unit.builders import AGENT, NOW, make_project, make_questionnaire, make_taken

from contracts.lifecycle import Status
from contracts.quality import AttemptOutcome, FindingKind, FollowUpEnd, SatisfactionGiven
from contracts.refusals import Refusal
from qa.follow_up.domain import follow_up as decisions
from qa.follow_up.domain.calendar import WorkingCalendar
from qa.follow_up.domain.follow_up import (
    Answered,
    AnsweredForSomebodyElse,
    FindingAlreadyClosed,
    FollowUp,
    FollowUpNotTaken,
    FollowUpState,
    NotAnAttempt,
    NotYourFollowUp,
)
from qa.follow_up.domain.project import (
    CallingHoursInverted,
    DeadlineRule,
    HandedOut,
    OneCallPer,
    ProjectNotOpen,
    ProjectPeriodInverted,
    QuietHours,
    QuotaReached,
    Quotas,
)
from qa.follow_up.domain.questionnaire import QuestionReply, RepliesDoNotFit
from work_orders.testing_streams import make_created, make_dispatched, make_order

CALENDAR = WorkingCalendar(id="cn", version=1, time_zone="Asia/Shanghai", days_off=(5, 6))
UNHAPPY = (QuestionReply(question="content", scale=1), QuestionReply(question="repaired", choice="no"))
HAPPY = (QuestionReply(question="content", scale=5), QuestionReply(question="repaired", choice="yes"))


COUNT_OF = {"per_day": "today", "per_month": "this_month", "per_manager_month": "to_caller_this_month"}


def tried(follow_up: FollowUp, outcome: AttemptOutcome, *, by: str = AGENT, now=NOW, again=None, **project):
    return decisions.attempt(follow_up, make_project(**project), outcome, call_again_at=again, note="", by=by, now=now)


def completed(follow_up: FollowUp, replies=HAPPY, *, subscriber_no: str = "111", by: str = AGENT, now=NOW):
    answered = Answered(subscriber_no=subscriber_no, replies=replies, note="", by=by, at=now)
    return decisions.complete(follow_up, make_questionnaire(), answered, ["x-1", "x-2"])


def test_who_takes_a_follow_up_first_is_kept() -> None:
    taken = make_taken()
    assert (taken.state, taken.holder, taken.taken_at) == (FollowUpState.TAKEN, AGENT, NOW)
    again = decisions.take(taken, by="agent-2", now=NOW + timedelta(days=1))
    assert (again.holder, again.first_holder, again.taken_at) == ("agent-2", AGENT, NOW)


def test_the_holder_or_a_supervisor_puts_it_back() -> None:
    for by, is_supervisor in ((AGENT, False), ("supervisor-1", True)):
        released = decisions.release(make_taken(), by=by, is_supervisor=is_supervisor)
        assert (released.state, released.holder) == (FollowUpState.WAITING, None)
    with pytest.raises(NotYourFollowUp):
        decisions.release(make_taken(), by="agent-2", is_supervisor=False)
    with pytest.raises(FollowUpNotTaken):
        decisions.release(released, by="supervisor-1", is_supervisor=True)


@pytest.mark.parametrize("outcome", [AttemptOutcome.NO_ANSWER, AttemptOutcome.BUSY, AttemptOutcome.SWITCHED_OFF])
def test_an_attempt_comes_back_later_and_the_last_one_ends_it(outcome: AttemptOutcome) -> None:
    once, (event,) = tried(make_taken(), outcome)
    assert (once.state, once.holder, once.next_call_at) == (FollowUpState.WAITING, None, NOW + timedelta(hours=1))
    assert (event.attempt, event.outcome) == (1, outcome)
    twice, events = tried(decisions.take(once, by=AGENT, now=NOW), outcome)
    assert (twice.state, twice.end, len(twice.attempts)) == (FollowUpState.ENDED, FollowUpEnd.UNREACHABLE, 2)
    assert (events[0].attempt, events[1].end, events[1].attempt_count) == (2, FollowUpEnd.UNREACHABLE, 2)


@pytest.mark.parametrize(
    ("outcome", "end"),
    [(AttemptOutcome.REFUSED, FollowUpEnd.REFUSED), (AttemptOutcome.WRONG_NUMBER, FollowUpEnd.UNREACHABLE)],
)
def test_some_outcomes_end_it_at_once(outcome: AttemptOutcome, end: FollowUpEnd) -> None:
    ended, events = tried(make_taken(), outcome, max_attempts=9)
    assert (ended.end, ended.ended_at, len(events)) == (end, NOW, 2)


def test_who_asks_to_be_called_again_is_called_at_that_time() -> None:
    later = NOW + timedelta(hours=3)
    assert tried(make_taken(), AttemptOutcome.CALL_AGAIN, again=later)[0].next_call_at == later


@pytest.mark.parametrize(
    ("outcome", "again"),
    [(AttemptOutcome.CALL_AGAIN, None), (AttemptOutcome.REACHED, None), (AttemptOutcome.BUSY, NOW)],
)
def test_an_attempt_that_is_none_is_refused(outcome: AttemptOutcome, again: datetime | None) -> None:
    with pytest.raises(NotAnAttempt):
        tried(make_taken(), outcome, again=again)


@pytest.mark.parametrize(
    "act", [lambda one, by: tried(one, AttemptOutcome.BUSY, by=by), lambda one, by: completed(one, by=by)]
)
def test_only_the_holder_calls_and_takes_it_first(act) -> None:
    with pytest.raises(NotYourFollowUp):
        act(make_taken(), "agent-2")
    with pytest.raises(FollowUpNotTaken):
        act(decisions.release(make_taken(), by=AGENT, is_supervisor=False), AGENT)


def test_replies_end_it_say_how_content_they_are_and_open_findings() -> None:
    ended, findings, events = completed(make_taken(), UNHAPPY)
    assert (ended.end, ended.satisfaction, ended.replies) == (FollowUpEnd.COMPLETED, 1, UNHAPPY)
    assert [(one.id, one.kind, one.question) for one in findings] == [
        ("x-1", FindingKind.DISSATISFACTION, "content"),
        ("x-2", FindingKind.RISK, "repaired"),
    ]
    assert [type(event).__name__ for event in events] == [
        "FollowUpAttempted",
        "FollowUpEnded",
        "SatisfactionGiven",
        "FindingOpened",
        "FindingOpened",
    ]
    (satisfaction,) = [event for event in events if isinstance(event, SatisfactionGiven)]
    assert (satisfaction.score, satisfaction.highest) == (1, 5)
    assert completed(make_taken(), HAPPY)[1] == []


@pytest.mark.parametrize(("days", "is_late"), [(3, False), (4, True)])
def test_an_end_after_the_deadline_is_late(days: int, is_late: bool) -> None:
    events = completed(make_taken(), now=NOW + timedelta(days=days))[2]
    assert events[1].is_late == is_late


@pytest.mark.parametrize(
    ("subscriber_no", "replies", "refusal"),
    [("222", HAPPY, AnsweredForSomebodyElse), ("111", HAPPY[:1], RepliesDoNotFit)],
)
def test_replies_of_another_subscriber_or_not_to_these_questions_are_refused(
    subscriber_no: str, replies: tuple[QuestionReply, ...], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        completed(make_taken(), replies, subscriber_no=subscriber_no)


def test_a_finding_is_closed_once_and_names_its_order() -> None:
    finding = completed(make_taken(), UNHAPPY)[1][0]
    closed, event = decisions.close(finding, order_id="o-9", remark="已派单", by="s", now=NOW)
    assert (closed.order_id, closed.closed_by, closed.version, event.order_id) == ("o-9", "s", 2, "o-9")
    with pytest.raises(FindingAlreadyClosed):
        decisions.close(closed, order_id=None, remark="", by="s", now=NOW)


def test_a_withdrawn_follow_up_has_ended_without_a_call() -> None:
    ended, event = decisions.withdraw(make_taken(), by="qa", now=NOW)
    assert (ended.end, ended.attempts, event.end, event.attempt_count) == ("withdrawn", (), "withdrawn", 0)


def test_an_order_is_followed_up_under_its_area_and_its_first_member_of_staff() -> None:
    order = make_order(make_created(subscriber_no="7"), make_dispatched(staff_ids=("n-1", "n-2")))
    made, event = decisions.planned(
        make_project(), order, follow_up_id="f", thing="order:o-1", outage_id=None, due_by=NOW, now=NOW
    )
    assert (made.subscriber_no, made.order_ids, made.work_area_id, made.staff_id) == ("7", ("o-1",), "north", "n-1")
    assert (made.is_untouched, event.order_ids, event.due_by) == (True, ("o-1",), NOW)


@pytest.mark.parametrize(
    ("moment", "is_quiet"),
    [
        ("2026-03-02T00:29:59", True),
        ("2026-03-02T00:30:00", False),
        ("2026-03-02T12:29:59", False),
        ("2026-03-02T12:30:00", True),
        ("2026-03-07T04:00:00", True),  # a Saturday
    ],
)
def test_calls_are_made_within_hours_of_working_days(moment: str, is_quiet: bool) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    if not is_quiet:
        make_project().check_may_call(now, CALENDAR)
        return
    with pytest.raises(QuietHours):
        make_project().check_may_call(now, CALENDAR)
    assert make_project(working_days_only=False).check_may_call(NOW, CALENDAR) is None


@pytest.mark.parametrize("name", COUNT_OF)
def test_each_quota_holds_by_itself(name: str) -> None:
    project = make_project(quotas=Quotas(**{name: 3}))
    project.check_quotas(HandedOut(**dict.fromkeys(COUNT_OF.values(), 99) | {COUNT_OF[name]: 2}))
    with pytest.raises(QuotaReached) as refused:
        project.check_quotas(HandedOut(**dict.fromkeys(COUNT_OF.values(), 0) | {COUNT_OF[name]: 3}))
    assert refused.value.context["quota"] == 3


@pytest.mark.parametrize(
    ("overrides", "is_wanted"),
    [
        ({}, True),
        ({"is_open": False}, False),
        ({"start": NOW}, True),
        ({"start": NOW + timedelta(seconds=1)}, False),
        ({"end": NOW}, False),
        ({"demand_types": ("test",)}, True),
        ({"demand_types": ("complaint",)}, False),
        ({"work_area_ids": ("north", "south")}, True),
        ({"work_area_ids": ("south",)}, False),
        ({"cause": "list"}, False),
    ],
)
def test_a_project_wants_completed_orders_of_its_period_kind_and_area(overrides: dict, is_wanted: bool) -> None:
    order = make_order(status=Status.COMPLETED)
    assert make_project(**overrides).wants(order, NOW) == is_wanted


@pytest.mark.parametrize(
    ("per", "outage_id", "thing"),
    [
        (OneCallPer.OUTAGE, None, "order:o-1"),
        (OneCallPer.OUTAGE, "x", "outage:x"),
        (OneCallPer.SUBSCRIBER, "x", "outage:x:subscriber:111"),
    ],
)
def test_one_call_is_made_for_one_thing(per: OneCallPer, outage_id: str | None, thing: str) -> None:
    assert make_project(one_call_per=per).thing_of(make_order(make_created()), outage_id) == thing


@pytest.mark.parametrize(
    ("rule", "days", "due_by"),
    [
        ("working_days_after", 3, "2026-03-05T16:00:00Z"),
        ("working_days_after", 5, "2026-03-09T16:00:00Z"),
        ("working_day_of_next_month", 5, "2026-04-07T16:00:00Z"),
    ],
)
def test_a_deadline_is_the_end_of_a_working_day_where_the_calendar_is(rule: str, days: int, due_by: str) -> None:
    project = make_project(deadline_rule=DeadlineRule(rule), deadline_days=days)
    assert project.due_by(NOW, CALENDAR) == datetime.fromisoformat(due_by)


@pytest.mark.parametrize("overrides", [{"is_open": False}, {"start": NOW + timedelta(days=1)}, {"end": NOW}])
def test_nobody_is_put_on_the_list_of_a_project_that_is_not_open(overrides: dict) -> None:
    make_project().check_open(NOW)
    with pytest.raises(ProjectNotOpen):
        make_project(**overrides).check_open(NOW)


@pytest.mark.parametrize(
    ("overrides", "refusal"),
    [
        ({"end": make_project().start}, ProjectPeriodInverted),
        ({"calls_until": make_project().calls_from}, CallingHoursInverted),
    ],
)
def test_a_period_that_ends_before_it_begins_is_refused(overrides: dict, refusal: type[Refusal]) -> None:
    make_project().check()
    with pytest.raises(refusal):
        make_project(**overrides).check()
