"""Legs: each stay of a call in a queue and with the agent who answers from it, folded from the call's facts.

Facts come in the order in which they became known. A leg is folded from all facts of its call whenever
one of them arrives, so that late, doubled and corrected facts lead to the same rows in whatever order. What
was known earlier is folded again from the record for a question as of then (`reporting.figures.as_of_store`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from chassis.database import Transaction
from contracts import calls as c
from contracts.message import Message
from reporting import tables
from reporting.projections import rings
from reporting.projections.days import days_between, days_of
from reporting.projections.rings import RingRow
from reporting.projections.table import ProjectionTable

TABLE = ProjectionTable(tables.LEGS)
LATE_TABLE = ProjectionTable(tables.LATE_LEGS)


@dataclass(slots=True)
class LegRow:
    """The fields are the columns of the table, in their order. Durations are microseconds; None is unknown."""

    call_id: str
    leg: int
    known_at: datetime
    moment: datetime
    """When it was offered to its queue; if that is missing, the earliest that is known of it."""
    is_offered: bool
    """The first leg of a call whose offer is known: counts the call once."""
    outcome: str
    """waiting, answered, abandoned, lost, or passed: it ended without ever having waited for an agent."""
    direction: str
    channel: str
    queue: str | None
    agent_id: str | None
    """Whom any fact of the leg names, also one who let it ring: the first versions of metrics count by it."""
    team: str | None
    handler_id: str | None
    """Who answered it, or dialled it: an unanswered inbound leg belongs to no agent."""
    handler_team: str | None
    demand_type: str | None
    subscriber_id: str | None
    answered_at: datetime | None
    ended_at: datetime | None
    wait_us: int | None
    ring_us: int | None
    """How long it rang at the agent who answered."""
    talk_us: int | None
    hold_us: int | None
    work_us: int | None
    is_end_unknown: bool
    """It is over, and it is not known since when: its switch stopped, or never reported the end."""
    settled: str | None
    """The ways in which the call was settled, by comma; on the first leg."""
    is_asked: bool
    """The caller was asked how content they were."""
    score: int | None
    highest: int | None
    faults: str | None
    """What is odd about its facts, by comma."""


KnownFact = tuple[Any, Message]
"""A fact and its message."""


def facts_of(messages: Iterable[Message]) -> list[KnownFact]:
    """The facts as they now stand: of each the highest revision, in the order of the stream's versions."""
    latest: dict[str, KnownFact] = {}
    for message in messages:
        body = message.body
        known = latest.get(getattr(body, "fact_id", ""))
        if body is not None and (known is None or body.revision >= known[0].revision):
            latest[body.fact_id] = (body, message)
    return sorted(latest.values(), key=lambda known: known[1].entity_version or 0)


def legs_of(messages: Sequence[Message]) -> list[LegRow]:
    """The legs of one call; none as long as nothing is known that makes one."""
    return fold(messages)[0]


def fold(messages: Sequence[Message]) -> tuple[list[LegRow], list[RingRow]]:
    """The legs of one call, and where it rang unanswered."""
    facts = facts_of(messages)
    if not facts:
        return [], []
    call = _Call(facts, max(message.recorded_at for message in messages))
    legs = [call.leg(number) for number in sorted(call.legs)]
    return legs, [ring for leg in legs for ring in call.rings(leg)]


_BY_THE_HANDLER = frozenset(
    (c.CallAnswered, c.CallHeld, c.CallResumed, c.CallTransferred, c.CallEnded, c.AfterCallWorkEnded)
)
"""The facts that only the agent who has the call causes."""
_OF_A_LEG = frozenset(
    (
        c.CallQueued,
        c.CallRangUnanswered,
        c.CallAnswered,
        c.CallHeld,
        c.CallResumed,
        c.CallTransferred,
        c.CallAbandoned,
        c.CallLost,
        c.CallEnded,
        c.AfterCallWorkEnded,
    )
)


class _Call:
    def __init__(self, facts: list[KnownFact], known_at: datetime) -> None:
        self._facts = facts
        self._known_at = known_at
        self._latest: dict[tuple[type, int | None], KnownFact] = {}
        """Of a kind, the latest to be known: of each leg, and of the whole call."""
        self.legs: dict[int, list[KnownFact]] = {}
        for known in facts:
            kind, number = type(known[0]), known[0].leg
            self._latest[kind, number] = self._latest[kind, None] = known
            if kind in _OF_A_LEG:
                self.legs.setdefault(number, []).append(known)
        self.offered = self._last(c.CallOffered, None)
        if self.offered:
            self.legs.setdefault(1, [])

    def _last(self, kind: type, leg: int | None) -> KnownFact | None:
        return self._latest.get((kind, leg))

    def _last_of(self, one: type, other: type, leg: int) -> KnownFact | None:
        found = [known for known in (self._last(one, leg), self._last(other, leg)) if known]
        return max(found, key=lambda known: known[1].entity_version or 0, default=None)

    def rings(self, leg: LegRow) -> list[RingRow]:
        """Where a leg rang at an agent who did not answer."""
        return [rings.ring(leg, known) for known in self.legs[leg.leg] if isinstance(known[0], c.CallRangUnanswered)]

    def leg(self, number: int) -> LegRow:
        queued, answered = self._last(c.CallQueued, number), self._last(c.CallAnswered, number)
        left = self._last_of(c.CallAbandoned, c.CallLost, number)
        ended = self._last_of(c.CallEnded, c.CallTransferred, number)
        work = self._last(c.AfterCallWorkEnded, number)
        outcome, waited = _outcome(queued, answered, left, ended)
        is_first = number == 1
        own = self.legs[number]
        began = (self.offered if is_first else None) or min(own, key=lambda known: known[1].occurred_at)
        resolved = [known for known in (answered, *reversed(own)) if known]
        rated = self._last(c.CallRated, None) if is_first else None
        handled = self._by_the_handler(began, resolved, is_answered=answered is not None)
        return LegRow(
            call_id=began[1].subject,
            leg=number,
            known_at=self._known_at,
            moment=(queued or began)[1].occurred_at,
            is_offered=is_first and self.offered is not None,
            outcome=outcome,
            direction=began[0].direction.value,
            channel=began[0].channel.value,
            queue=_first_given("queue", [known for known in (queued, *resolved, began) if known]),
            agent_id=_first_given("agent_id", resolved),
            team=_first_given("team", resolved),
            handler_id=_first_given("agent_id", handled),
            handler_team=_first_given("team", handled),
            demand_type=self._of_the_call("demand_type"),
            subscriber_id=self._of_the_call("subscriber_id"),
            answered_at=answered[1].occurred_at if answered else None,
            ended_at=ended[1].occurred_at if ended else None,
            wait_us=_microseconds(waited, "wait_milliseconds"),
            ring_us=_microseconds(answered, "ring_milliseconds"),
            talk_us=_microseconds(ended if answered else None, "talk_milliseconds"),
            hold_us=_microseconds(ended if answered else None, "hold_milliseconds"),
            work_us=_microseconds(work, "work_milliseconds"),
            is_end_unknown=_is_end_unknown(ended),
            settled=self._settled() if is_first else None,
            is_asked=rated is not None,
            score=rated[0].score if rated else None,
            highest=rated[0].highest if rated and rated[0].score is not None else None,
            faults=_faults([*own, *([self.offered] if is_first and self.offered else ())]),
        )

    def _by_the_handler(self, began: KnownFact, resolved: list[KnownFact], *, is_answered: bool) -> list[KnownFact]:
        """The facts that say whose a leg is; of an outbound one also those of who dialled it."""
        if began[0].direction is c.Direction.OUTBOUND:
            return [*resolved, began]
        return [known for known in resolved if type(known[0]) in _BY_THE_HANDLER] if is_answered else []

    def _of_the_call(self, name: str) -> str | None:
        """As it was classified last; if it never was, as the latest fact has it."""
        classified = self._last(c.CallClassified, None)
        return _first_given(name, [known for known in (classified, *reversed(self._facts)) if known])

    def _settled(self) -> str | None:
        ways = {known[0].outcome.value for known in self._facts if isinstance(known[0], c.CallSettled)}
        return ",".join(sorted(ways)) or None


def _outcome(
    queued: KnownFact | None, answered: KnownFact | None, left: KnownFact | None, ended: KnownFact | None
) -> tuple[str, KnownFact | None]:
    """The end of a leg, and the fact with its waiting time."""
    if answered:
        return "answered", answered
    if left:
        return ("abandoned" if isinstance(left[0], c.CallAbandoned) else "lost"), left
    return ("passed" if ended and not queued else "waiting"), None


def _is_end_unknown(ended: KnownFact | None) -> bool:
    body = ended[0] if ended else None
    is_cut_off = isinstance(body, c.CallEnded) and body.reason is not c.EndReason.HUNG_UP
    return is_cut_off and body.talk_milliseconds is None


def _faults(facts: Iterable[KnownFact]) -> str | None:
    return ",".join(sorted({fault for body, _ in facts for fault in body.faults})) or None


def _first_given(name: str, facts: Iterable[KnownFact]) -> Any:
    return next((value for value in (getattr(body, name) for body, _ in facts) if value is not None), None)


def _microseconds(known: KnownFact | None, name: str) -> int | None:
    milliseconds = getattr(known[0], name, None) if known else None
    return None if milliseconds is None else max(milliseconds, 0) * 1000


def late_facts(messages: Iterable[Message], late_after: timedelta) -> list[tuple[str, int, int, datetime]]:
    """Rows of the late facts among some messages: call, version, leg, when it was recorded."""
    return [
        (message.subject, message.entity_version, message.body.leg, message.recorded_at)
        for message in messages
        if isinstance(message.body, c.Fact) and message.recorded_at - message.occurred_at > late_after
    ]


async def apply(
    tx: Transaction,
    name: str,
    new: Sequence[Message],
    earlier: Sequence[Message],
    late_after: timedelta,
    newest: datetime,
) -> set[date]:
    """Folds calls; returns the days that have changed.

    `new` are the messages that have come, `earlier` those that were there of the same calls, `newest` the latest
    `recorded_at` that was read: no day beyond it was summed up.
    """
    known = {message.subject for message in earlier}
    days = await _days(tx, name, known, newest)
    folded = [fold(messages) for messages in by_subject([*earlier, *new]).values()]
    legs = [leg for own, _ in folded for leg in own]
    await rings.replace(tx, name, known, [ring for _, own in folded for ring in own])
    await TABLE.add(tx, name, [leg for leg in legs if leg.call_id not in known])
    await TABLE.upsert(tx, name, [leg for leg in legs if leg.call_id in known])
    late = late_facts(new, late_after)
    if late:
        await tx.copy(LATE_TABLE.of(name), LATE_TABLE.columns, late)
    return days.union(*(days_of_leg(*_times_of(leg), newest) for leg in legs))


_TIMES = ("moment", "answered_at", "ended_at", "talk_us", "hold_us", "work_us")
_times_of = attrgetter(*_TIMES)


def days_of_leg(
    moment: datetime,
    answered_at: datetime | None,
    ended_at: datetime | None,
    talk_us: int | None,
    hold_us: int | None,
    work_us: int | None,
    newest: datetime,
) -> set[date]:
    """The days whose figures a leg is part of: that of its offer, and those on which its agent handled it.

    Until its end is reported, it is counted as handled day after day.
    """
    days = days_of((moment,))
    if answered_at is not None:
        until = ended_at or newest
        if talk_us is not None:
            until = answered_at + timedelta(microseconds=talk_us + (hold_us or 0) + (work_us or 0))
            if hold_us is None and ended_at is not None:
                # Where the switch tells no hold, talk and hold together last until the end.
                until = max(until, ended_at + timedelta(microseconds=work_us or 0))
        days |= days_between(answered_at, max(answered_at, until))
    return days


async def _days(tx: Transaction, name: str, call_ids: set[str], newest: datetime) -> set[date]:
    """The days on which these calls were counted before."""
    if not call_ids:
        return set()
    rows = await tx.fetch(
        f"""select {", ".join(_TIMES)} from unnest($1::text[]) as asked (id) cross join lateral (
                select * from {TABLE.of(name)} where call_id = asked.id order by call_id, leg limit 100) as legs""",
        sorted(call_ids),
    )
    return set().union(*(days_of_leg(*row, newest) for row in rows))


async def refold(tx: Transaction, name: str, whole: Sequence[Message], late_after: timedelta) -> None:
    """Puts calls into a set from the whole of their messages, whatever the set had of them."""
    for table in (TABLE, LATE_TABLE, rings.TABLE):
        await table.delete(tx, name, "call_id", by_subject(whole))
    await apply(tx, name, whole, (), late_after, max(message.recorded_at for message in whole))


def by_subject(messages: Iterable[Message]) -> Mapping[str, list[Message]]:
    ordered = sorted(messages, key=lambda message: (message.subject, message.entity_version or 0))
    return {subject: list(group) for subject, group in groupby(ordered, key=attrgetter("subject"))}
