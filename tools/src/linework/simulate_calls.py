"""A simulated telephone switch: callers arrive, wait, are answered or abandon, and agents change their state.

A queue with impatient callers (Erlang A: Palm 1957; Garnett, Mandelbaum and Reiman 2002, *Manufacturing & Service
Operations Management* 4, 208–227): arrivals at random, first come first served, exponential patience, talk and
after-call work. The load is chosen so that agents are busy for `OCCUPANCY` of their time. A seed gives the same calls.

The first simulation of an installation starts with half an hour of past calls, so that figures exist at once; the
other calls arrive in real time. Calls in progress are ended when the simulation ends.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from contracts import partners as p
from contracts.calls import AgentState, EndedBy
from contracts.codec import new_partner_message
from contracts.message import Message

_LOOK_EVERY_SECONDS = 0.5
PARTNER_ID = "simulated-switch"
HISTORY_SECONDS = 1_800.0
OCCUPANCY = 0.85
_PATIENCE_SECONDS = 90.0
_RING_SECONDS = 4.0
_WORK_SHARE = 0.2
"""After-call work, as a share of the time of a call."""

QUEUES = (("报修", "fault_repair"), ("咨询", "consultation"), ("投诉", "complaint"))


@dataclass(frozen=True, slots=True)
class SimulatedAgent:
    agent_id: str
    name: str
    team: str


AGENTS = (
    SimulatedAgent("agent-1", "王芳", "一组"),
    SimulatedAgent("agent-2", "李娜", "一组"),
    SimulatedAgent("agent-3", "张伟", "一组"),
    SimulatedAgent("agent-4", "陈静", "二组"),
    SimulatedAgent("agent-5", "Anna Weber", "二组"),
    SimulatedAgent("agent-6", "刘强", "二组"),
)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something the switch reports: `after` seconds from the beginning of the history."""

    after: float
    subject: str
    body: Any


def plan(count: int, seconds: float, *, run: str, seed: int) -> list[Happening]:
    """What happens to so many calls that arrive within so many seconds, and to the agents, in the order of time.

    `run` keeps the calls of one simulation apart from those of another.
    """
    chance = Random(seed)
    mean_call = OCCUPANCY * len(AGENTS) * seconds / max(count, 1)
    arrivals = sorted(chance.uniform(0, seconds) for _ in range(count))
    happenings = [Happening(0.0, f"agent:{one.agent_id}", _state(one.agent_id, AgentState.READY)) for one in AGENTS]
    free_at = {one.agent_id: 0.0 for one in AGENTS}
    for number, arrived in enumerate(arrivals, start=1):
        happenings += _call(f"{run}-{number}", arrived, free_at, mean_call, chance)
    happenings += _breaks(seconds, free_at)
    return sorted(happenings, key=lambda one: one.after)


def _call(
    reference: str, arrived: float, free_at: dict[str, float], mean_call: float, chance: Random
) -> Iterator[Happening]:
    """One call; the agent who answers is busy until their after-call work is done."""
    (queue, demand_type), caller = chance.choice(QUEUES), f"1380000{chance.randrange(10_000):04}"
    yield Happening(arrived, reference, p.PartnerCallOffered(caller=caller, line="95598", demand_type=demand_type))
    yield Happening(arrived, reference, p.PartnerCallQueued(queue=queue))
    agent = min(free_at, key=lambda name: free_at[name])
    ring = chance.uniform(1, _RING_SECONDS)
    answered = max(arrived, free_at[agent]) + ring
    patience = chance.expovariate(1 / _PATIENCE_SECONDS)
    if answered - arrived > patience:
        waited = _milliseconds(patience)
        yield Happening(arrived + patience, reference, p.PartnerCallAbandoned(queue=queue, wait_milliseconds=waited))
        return
    wait = _milliseconds(answered - arrived)
    rang = _milliseconds(ring)
    yield Happening(
        answered,
        reference,
        p.PartnerCallAnswered(queue=queue, agent=agent, wait_milliseconds=wait, ring_milliseconds=rang),
    )
    talk, work = (chance.expovariate(1 / (mean_call * share)) for share in (1 - _WORK_SHARE, _WORK_SHARE))
    yield _ended(reference, answered, answered + talk, queue, agent, chance.choice(list(EndedBy)))
    free_at[agent] = answered + talk + work
    yield Happening(answered + talk, f"agent:{agent}", _state(agent, AgentState.AFTER_CALL_WORK))
    done = p.PartnerAfterCallWorkEnded(queue=queue, agent=agent, work_milliseconds=_milliseconds(work))
    yield Happening(free_at[agent], reference, done)
    yield Happening(free_at[agent], f"agent:{agent}", _state(agent, AgentState.READY))
    if chance.random() < 0.4:
        yield Happening(free_at[agent], reference, p.PartnerCallRated(agent=agent, score=chance.choice((3, 4, 5, 5))))


def _ended(
    reference: str, answered: float, ended: float, queue: str, agent: str, by: EndedBy = EndedBy.SYSTEM
) -> Happening:
    talk = _milliseconds(ended - answered)
    body = p.PartnerCallEnded(queue=queue, agent=agent, ended_by=by, talk_milliseconds=talk, hold_milliseconds=0)
    return Happening(ended, reference, body)


def _breaks(seconds: float, free_at: dict[str, float]) -> Iterator[Happening]:
    """An agent who had the last call long ago takes a break."""
    agent = min(free_at, key=lambda name: free_at[name])
    if free_at[agent] < seconds:
        paused = p.PartnerAgentStateChanged(agent=agent, state=AgentState.PAUSED, reason="就餐")
        yield Happening(free_at[agent] + 1, f"agent:{agent}", paused)


def _state(agent: str, state: AgentState) -> p.PartnerAgentStateChanged:
    return p.PartnerAgentStateChanged(agent=agent, state=state, queues=tuple(queue for queue, _ in QUEUES))


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def cut(happenings: Sequence[Happening], begin: float, end: float) -> list[Happening]:
    """What happens from `begin` until before `end`."""
    return [one for one in happenings if begin <= one.after < end]


def ended_at(happenings: Sequence[Happening], end: float) -> list[Happening]:
    """What ends everything that still runs at `end`: talks are over, waiting callers hang up, agents are ready."""
    running: dict[str, Happening] = {}
    for one in cut(happenings, 0, end):
        match one.body:
            case p.PartnerCallAbandoned() | p.PartnerCallEnded():
                del running[one.subject]
            case p.PartnerCallQueued() | p.PartnerCallAnswered() | p.PartnerAgentStateChanged():
                running[one.subject] = one
    return [last for one in running.values() if (last := _last_of(one, end))]


def _last_of(one: Happening, end: float) -> Happening | None:
    match one.body:
        case p.PartnerCallAnswered(queue=queue, agent=agent):
            return _ended(one.subject, one.after, end, queue or "", agent or "")
        case p.PartnerCallQueued(queue=queue):
            waited = _milliseconds(end - one.after)
            return replace(one, after=end, body=p.PartnerCallAbandoned(queue=queue, wait_milliseconds=waited))
        case p.PartnerAgentStateChanged(agent=agent, state=AgentState.AFTER_CALL_WORK):
            return replace(one, after=end, body=_state(agent, AgentState.READY))
    return None


def message(one: Happening, began_at: datetime) -> Message:
    """The partner's event; its id is derived from its content, so that sending it twice changes nothing."""
    occurred_at = began_at + timedelta(seconds=one.after)
    name = f"{one.subject}/{type(one.body).__name__}/{occurred_at.astimezone(UTC).isoformat()}"
    return new_partner_message(
        one.body,
        partner_id=PARTNER_ID,
        event_id=str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        subject=one.subject,
        occurred_at=occurred_at,
    )


async def play(
    happenings: Sequence[Happening],
    send: Callable[[Sequence[Message]], Awaitable[None]],
    *,
    history: float,
    over: asyncio.Event,
) -> int:
    """Sends each event when it happens, those of the history at once, until `over`; returns how many were sent."""
    began_at, loop = datetime.now(UTC) - timedelta(seconds=history), asyncio.get_running_loop()
    zero, sent, upto = loop.time() - history, 0, 0.0
    while not over.is_set():
        now = loop.time() - zero
        batch = cut(happenings, upto, now)
        await send([message(one, began_at) for one in batch])
        sent, upto = sent + len(batch), now
        try:
            await asyncio.wait_for(over.wait(), _LOOK_EVERY_SECONDS)
        except TimeoutError:
            continue
    last = ended_at(happenings, upto)
    await send([message(one, began_at) for one in last])
    return sent + len(last)
