"""Metrics of agents' time, second by second on a timeline, from their published formulas."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.calls import AgentState, AgentStateChanged
from contracts.message import Message
from linework.recount.calls import Leg
from linework.recount.counting import CountedRow

_MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AT_WORK = (AgentState.BUSY, AgentState.AFTER_CALL_WORK)


@dataclass(slots=True)
class Change:
    fact: AgentStateChanged
    at: datetime


class Agents:
    """Every change of state of every agent, in its highest revision."""

    def __init__(self) -> None:
        self.changes: dict[str, dict[str, Change]] = {}

    def take(self, message: Message) -> None:
        fact = message.body
        known = self.changes.setdefault(fact.agent_id, {})
        if fact.fact_id not in known or fact.revision > known[fact.fact_id].fact.revision:
            known[fact.fact_id] = Change(fact, message.occurred_at)

    def entries(self, metric: str, legs: Iterable[Leg], at: datetime, zone: ZoneInfo) -> Iterator[CountedRow]:
        handled = _handled(legs, at)
        above, below = MEASURES[metric]
        piece = piece_of(zone)
        for agent_id, changes in self.changes.items():
            for (start, team), sums in _pieces(changes, handled.get(agent_id, []), at, piece).items():
                yield CountedRow(start, {"agent_id": agent_id, "team": team}, above(sums), below(sums))


@dataclass(slots=True)
class Sums:
    paid: int = 0
    available: int = 0
    handling: int = 0


MEASURES: Mapping[str, tuple[Callable[[Sums], int], Callable[[Sums], int]]] = {
    "occupancy": (lambda sums: sums.handling, lambda sums: sums.handling + sums.available),
    "utilisation": (lambda sums: sums.handling + sums.available, lambda sums: sums.paid),
}

Interval = tuple[datetime, datetime]


def piece_of(zone: ZoneInfo) -> timedelta:
    """How finely time is cut, so that hours of the zone are made of whole pieces."""
    return timedelta(minutes=15) if _has_odd_offset(zone) else timedelta(hours=1)


def _has_odd_offset(zone: ZoneInfo) -> bool:
    offsets = (datetime(2026, month, 1, tzinfo=zone).utcoffset() for month in (1, 7))
    return any((offset or timedelta()).total_seconds() % 3600 for offset in offsets)


def _handled(legs: Iterable[Leg], at: datetime) -> dict[str, list[Interval]]:
    found: dict[str, list[Interval]] = {}
    for leg in legs:
        agent_id = leg.names["agent_id"]
        if "answered" not in leg.slots or agent_id is None:
            continue
        start = leg.slots["answered"].at
        talk = leg.part("ended", "talk_milliseconds")
        if talk is not None:
            more = (leg.part("ended", "hold_milliseconds") or 0) + (leg.part("worked", "work_milliseconds") or 0)
            end = start + (talk + more) * _MICROSECOND
        else:
            end = leg.slots["ended"].at if "ended" in leg.slots else at
        if start < min(end, at):
            found.setdefault(agent_id, []).append((start, min(end, at)))
    return found


def _pieces(
    changes: Mapping[str, Change], handled: list[Interval], at: datetime, piece: timedelta
) -> dict[tuple[datetime, str | None], Sums]:
    """By piece of time, with the team of the latest state in it: cut wherever anything begins or ends."""
    handled = joined(handled)
    sums: dict[datetime, Sums] = {}
    teams: dict[datetime, str | None] = {}
    for change, end in signed_in(in_order(changes), at):
        for start, stop in cut(change.at, end, piece):
            slot = EPOCH + (start - EPOCH) // piece * piece
            teams[slot] = change.fact.team or teams.get(slot)
            add(sums.setdefault(slot, Sums()), change.fact.state, start, stop, handled)
    return {(slot, teams[slot]): one for slot, one in sums.items()}


def in_order(changes: Mapping[str, Change]) -> list[Change]:
    return sorted(changes.values(), key=lambda change: (change.at, change.fact.fact_id))


def signed_in(ordered: list[Change], at: datetime) -> Iterator[tuple[Change, datetime]]:
    """Each state of a signed-in agent, with its begin and end."""
    ends = [min(change.at, at) for change in ordered[1:]] + [at]
    for change, end in zip(ordered, ends, strict=True):
        if change.fact.state is not AgentState.SIGNED_OUT and change.at < end:
            yield change, end


def cut(start: datetime, end: datetime, piece: timedelta) -> Iterator[Interval]:
    while start < end:
        stop = min(EPOCH + ((start - EPOCH) // piece + 1) * piece, end)
        yield start, stop
        start = stop


def add(sums: Sums, state: AgentState, start: datetime, stop: datetime, handled: list[Interval]) -> None:
    length = (stop - start) // _MICROSECOND
    sums.paid += length
    if state in _AT_WORK:
        sums.handling += length
        return
    on_calls = _covered(start, stop, handled)
    sums.handling += on_calls
    if state is AgentState.READY:
        sums.available += length - on_calls


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """The same stretches of time, none overlapping, in their order."""
    joined: list[Interval] = []
    for begin, end in sorted(intervals):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def _covered(start: datetime, stop: datetime, intervals: list[Interval]) -> int:
    """Microseconds of a stretch that lie in one of the intervals."""
    return sum((end - begin) // _MICROSECOND for begin, end in within(intervals, start, stop))


def within(intervals: list[Interval], start: datetime, stop: datetime) -> Iterator[Interval]:
    """The parts of joined intervals that lie in a stretch of time."""
    for begin, end in intervals[max(bisect_left(intervals, (start,)) - 1, 0) :]:
        if begin >= stop:
            break
        if end > start:
            yield max(begin, start), min(end, stop)
