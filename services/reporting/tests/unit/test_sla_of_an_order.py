"""The clocks that a service shows with an order are those that reporting has counted."""

from datetime import timedelta
from typing import Any

import hypothesis
from hypothesis import strategies as st
from services.reporting.tests.conftest import LimitStream, TimedStream

from contracts import events as e
from contracts.codec import MalformedMessage
from contracts.events import SlaClock
from contracts.limits import SHIPPED, TimeLimit, TimeLimitsDefined
from contracts.order import CannotApply
from reporting.projections.orders import Projected
from reporting.projections.sla import LimitHistory
from reporting.projections.sla import clocks_of as counted_clocks_of
from work_orders.sla_clocks import Phase, RuleSet, RuleSets, clocks_of
from work_orders.testing_streams import BEGIN, make_completed, make_created, make_dispatched, make_rejected

RULES = TimeLimitsDefined(
    applies_from=BEGIN,
    limits=tuple(
        TimeLimit(clock=clock, minutes=30 + 25 * place, is_working_time=place % 2 == 1)
        for place, clock in enumerate(SlaClock)
    ),
    calendar=SHIPPED.calendar,
    longest_extension_minutes=600,
)
EVENTS: dict[str, Any] = {
    "dispatch": make_dispatched,
    "start": e.WorkOrderStarted,
    "arrive": e.WorkOrderArrived,
    "reject": make_rejected,
    "rule": lambda: e.WorkOrderRedispatchRequested(is_misdispatch_valid=True, remark="x"),
    "suspend": lambda: e.WorkOrderSuspended(reason="x", until=BEGIN),
    "resume": e.WorkOrderResumed,
    "extend": lambda: e.WorkOrderExtended(request_id="r", clock=SlaClock.COMPLETE, minutes=45, reason="x"),
    "resolve": make_completed,
    "answer": lambda: make_completed(is_resolved=False),
    "give up": lambda: make_completed(is_resolved=False, is_called_back=False),
    "audit": e.WorkOrderAuditRequested,
    "archive": e.WorkOrderArchived,
    "cancel": lambda: e.WorkOrderCancelled(request_id="r", reason="x"),
}
ACTS = st.lists(st.tuples(st.sampled_from([*EVENTS]), st.integers(1, 200)), max_size=30)
WAY_BACK = ["dispatch", "start", "suspend", "resume", "give up", "rule", "dispatch", "suspend", "resume", "start"]


@hypothesis.given(acts=ACTS)
@hypothesis.example(acts=[(act, 20) for act in [*WAY_BACK, "extend", "arrive", "suspend", "resume", "resolve"]])
@hypothesis.example(acts=[(act, 7) for act in ("dispatch", "reject", "rule", "dispatch", "start", "cancel")])
@hypothesis.settings(max_examples=150, deadline=None, database=None)
def test_an_orders_clocks_are_those_that_were_counted(acts: list[tuple[str, int]]) -> None:
    stream = TimedStream("o-1", at=BEGIN)
    for event, minutes in [(make_created(), 0), *((EVENTS[act](), minutes) for act, minutes in acts)]:
        stream.after(minutes=minutes)
        _add_if_allowed(stream, event)
    assert stream.order is not None
    projected, limits = Projected(timedelta(minutes=5)), LimitStream()
    limits.add(RULES, BEGIN)
    projected.take(stream.messages)
    counted = counted_clocks_of(projected.taken, LimitHistory.of(limits.messages), timedelta(minutes=5)).present
    shown = clocks_of(stream.order, RuleSets((RuleSet(1, RULES),)), at=stream.messages[-1].occurred_at)
    expected = {
        row.clock: (row.state, row.limit_us, row.due_at, row.stopped_at, row.is_in_time)
        for (_, _), row in sorted(counted.items())
        if row.limit_us is not None
    }
    found = {
        one.clock.value: (one.phase.value, one.limit.us, one.due_at, one.stopped_at, one.is_in_time) for one in shown
    }
    assert found == {clock: said for clock, said in expected.items() if said[0] in [*Phase]}


def _add_if_allowed(stream: TimedStream, event: Any) -> None:
    before = list(stream.messages)
    try:
        stream.add(event)
    except (CannotApply, MalformedMessage):
        stream.messages[:] = before
