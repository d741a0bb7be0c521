"""The simulated switch: what it plans hangs together, and nothing of it is left running."""

import asyncio
from collections import defaultdict
from itertools import pairwise

import pytest

from contracts import partners as p
from contracts.calls import AgentState
from linework.simulate_calls import AGENTS, HISTORY_SECONDS, Happening, cut, ended_at, message, plan, play


def by_call(happenings: list[Happening]) -> dict[str, list[Happening]]:
    calls = defaultdict(list)
    for one in happenings:
        if not one.subject.startswith("agent:"):
            calls[one.subject].append(one)
    return calls


def test_every_call_is_offered_waits_and_is_answered_or_given_up() -> None:
    calls = by_call(plan(200, HISTORY_SECONDS, run="x", seed=1))
    assert len(calls) == 200
    ends = {tuple(type(one.body).__name__ for one in call)[:4] for call in calls.values()}
    assert ends == {
        ("PartnerCallOffered", "PartnerCallQueued", "PartnerCallAbandoned"),
        ("PartnerCallOffered", "PartnerCallQueued", "PartnerCallAnswered", "PartnerCallEnded"),
    }


def test_every_answer_says_how_long_it_rang_which_is_part_of_the_wait() -> None:
    bodies = [one.body for one in plan(200, HISTORY_SECONDS, run="x", seed=1)]
    answers = [body for body in bodies if isinstance(body, p.PartnerCallAnswered)]
    assert answers
    assert all(1000 <= (one.ring_milliseconds or 0) <= (one.wait_milliseconds or 0) for one in answers)


def test_an_agent_has_one_call_at_a_time() -> None:
    talks = defaultdict(list)
    for call in by_call(plan(200, HISTORY_SECONDS, run="x", seed=2)).values():
        answered = [one for one in call if isinstance(one.body, p.PartnerCallAnswered)]
        ended = [one for one in call if isinstance(one.body, p.PartnerCallEnded)]
        if answered:
            talks[answered[0].body.agent].append((answered[0].after, ended[0].after))
    assert set(talks) == {one.agent_id for one in AGENTS}
    for spans in talks.values():
        spans.sort()
        assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_a_seed_gives_the_same_calls() -> None:
    assert plan(30, 600, run="x", seed=3) == plan(30, 600, run="x", seed=3)
    assert plan(30, 600, run="x", seed=3) != plan(30, 600, run="x", seed=4)


@pytest.mark.parametrize("end", [0.0, 1.0, 300.0, 900.0, 1_799.0, 1e6])
def test_whenever_it_ends_no_call_is_left_open_and_no_agent_at_work(end: float) -> None:
    happenings = plan(100, HISTORY_SECONDS, run="x", seed=5)
    told = cut(happenings, 0, end) + ended_at(happenings, end)
    for call in by_call(told).values():
        over = [one for one in call if isinstance(one.body, p.PartnerCallEnded | p.PartnerCallAbandoned)]
        assert len(over) == 1
    states = {one.subject: one.body.state for one in told if isinstance(one.body, p.PartnerAgentStateChanged)}
    assert AgentState.AFTER_CALL_WORK not in states.values()


async def test_what_happened_before_is_sent_at_once_and_nothing_of_the_future() -> None:
    sent, over = [], asyncio.Event()

    async def send(messages: list) -> None:
        sent.extend(messages)
        over.set()

    happenings = plan(50, 2 * HISTORY_SECONDS, run="x", seed=6)
    count = await play(happenings, send, history=HISTORY_SECONDS, over=over)
    assert len(sent) == count
    assert len({one.id for one in sent}) == count
    latest = max(one.occurred_at for one in sent)
    first = min(one.occurred_at for one in sent)
    assert 0 < (latest - first).total_seconds() < HISTORY_SECONDS + 60
    began_at = first
    assert [one.id for one in sent[:1]] == [message(happenings[0], began_at).id]
