"""How a call is settled, and what was promised or asked because of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from services.intake.tests.unit.spoken import a_call, author, published

from contracts import calls as c
from contracts import partners as p
from intake.calls.domain.settlement import (
    Case,
    CaseChanged,
    CaseReplied,
    PromiseOutOfReach,
    Referral,
    ReferralAnswered,
    Settlement,
    check_promise,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CASE = Case(id="x", call_id="c-1", content="", contact="", reply_by=NOW, opened_by="agent-1", opened_at=NOW)
REFERRAL = Referral(id="r", call_id="c-1", department="billing", question="", asked_by="agent-1", asked_at=NOW)


def test_a_settlement_that_also_classifies_publishes_both_in_one_go_with_versions_of_their_own() -> None:
    call = a_call((p.PartnerCallOffered(), 0))
    published(call)
    call.classify(author(), subscriber_id="s-1", demand_type="test")
    outcome = c.CallOutcome.WORK_ORDER
    settlement = Settlement(
        id="s", call_id="c-1", outcome=outcome, order_id="o-1", settled_by="agent-1", settled_at=NOW
    )
    call.settle(author("agent-2"), settlement)
    assert len(call.changed) == 2
    classified, settled = published(call)
    assert call.version == 3
    assert isinstance(classified, c.CallClassified)
    assert (settled.outcome, settled.order_id, settled.subscriber_id) == (outcome, "o-1", "s-1")


def test_a_department_is_named_in_what_is_published_and_its_question_is_not() -> None:
    call = a_call((p.PartnerCallOffered(), 0))
    published(call)
    outcome = c.CallOutcome.DEPARTMENT
    settlement = Settlement(
        id="s", call_id="c-1", outcome=outcome, referral_id="r", settled_by="agent-1", settled_at=NOW
    )
    call.settle(author(), settlement, department="billing")
    (settled,) = published(call)
    assert (settled.outcome, settled.referral_id, settled.department) == (outcome, "r", "billing")


@pytest.mark.parametrize("ahead", [timedelta(seconds=-1), timedelta(0), timedelta(days=91)])
def test_a_reply_is_promised_for_a_time_ahead_and_not_too_far(ahead: timedelta) -> None:
    with pytest.raises(PromiseOutOfReach):
        check_promise(NOW + ahead, now=NOW)


@pytest.mark.parametrize("ahead", [timedelta(seconds=1), timedelta(days=90)])
def test_a_promise_within_reach_is_kept(ahead: timedelta) -> None:
    check_promise(NOW + ahead, now=NOW)


@pytest.mark.parametrize("decided_on", [None, 1])
def test_an_open_case_is_changed_on_its_version_or_on_any(decided_on: int | None) -> None:
    CASE.check_open(decided_on)


def test_a_case_that_changed_meanwhile_is_not_changed() -> None:
    with pytest.raises(CaseChanged):
        replace(CASE, version=2).check_open(1)


def test_a_case_is_replied_to_once() -> None:
    replied = CASE.replied("已答复", by="agent-2", now=NOW)
    assert (replied.version, replied.reply, replied.replied_by, replied.replied_at) == (2, "已答复", "agent-2", NOW)
    with pytest.raises(CaseReplied):
        replied.check_open(None)


def test_another_agreed_time_begins_the_warnings_again_and_is_a_promise_of_who_gave_it() -> None:
    later = NOW + timedelta(hours=1)
    promised = replace(CASE, warned_at=NOW, overdue_at=NOW).promised(later, by="supervisor-1")
    assert (promised.version, promised.reply_by) == (2, later)
    assert (promised.warned_at, promised.overdue_at) == (None, None)
    assert (CASE.promising_agent, promised.promising_agent) == ("agent-1", "supervisor-1")


def test_a_department_answers_once() -> None:
    REFERRAL.check_open()
    answered = REFERRAL.answered("是", by="agent-2", now=NOW)
    assert (answered.answer, answered.answered_by, answered.answered_at) == ("是", "agent-2", NOW)
    with pytest.raises(ReferralAnswered):
        answered.check_open()
