"""Version 2 of the metrics of agents' time, which excludes silence, from their published formulas."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from linework.recount.agents import (
    EPOCH,
    MEASURES,
    Agents,
    Change,
    Interval,
    Sums,
    add,
    cut,
    in_order,
    joined,
    piece_of,
    signed_in,
    within,
)
from linework.recount.calls import Leg
from linework.recount.counting import CountedRow
from linework.recount.handled import handled

_MICROSECOND = timedelta(microseconds=1)
Pieces = dict[tuple[datetime, str | None], Sums]


def talks(legs: Iterable[Leg], at: datetime, silence: timedelta) -> Iterator[tuple[str, Interval, datetime]]:
    """Of each answered leg: its agent, the time it was handled, and the last sign of the agent."""
    for leg in legs:
        agent_id = replace(leg, is_by_handler=True).names["agent_id"]
        if "answered" not in leg.slots or agent_id is None:
            continue
        begin, length = leg.slots["answered"].at, handled(leg)
        if leg.has_no_known_end:
            yield agent_id, (begin, begin), begin
        elif length is not None:
            end = begin + length * _MICROSECOND
            yield agent_id, (begin, min(end, at)), end
        elif "ended" in leg.slots:
            end = max(leg.slots["ended"].at, begin)
            yield agent_id, (begin, min(end, at)), end
        else:
            yield agent_id, (begin, min(begin + silence, at)), begin


def entries(
    agents: Agents, metric: str, legs: Iterable[Leg], at: datetime, zone: ZoneInfo, silent_after_seconds: int
) -> Iterator[CountedRow]:
    presence = Presence(legs, at, timedelta(seconds=silent_after_seconds))
    above, below = MEASURES[metric]
    for agent_id, changes in agents.changes.items():
        pieces, silent = presence.pieces(agent_id, changes, piece_of(zone))
        for (start, team), sums in pieces.items():
            names = {"agent_id": agent_id, "team": team}
            yield CountedRow(start, names, above(sums), below(sums), start in silent)


class Presence:
    """The signs of agents, and what they handled."""

    def __init__(self, legs: Iterable[Leg], at: datetime, silence: timedelta) -> None:
        self._at = at
        self._silence = silence
        self._handled: dict[str, list[Interval]] = {}
        self._heard: dict[str, list[Interval]] = {}
        for agent_id, (begin, end), last in talks(legs, at, silence):
            self._heard.setdefault(agent_id, []).append((begin, last + silence))
            if begin < end:
                self._handled.setdefault(agent_id, []).append((begin, end))

    def pieces(self, agent_id: str, changes: Mapping[str, Change], piece: timedelta) -> tuple[Pieces, set[datetime]]:
        """Sums by piece of time and team, and the pieces in which the agent fell silent."""
        ordered = in_order(changes)
        signs = [(change.at, change.at + self._silence) for change in ordered]
        heard = joined([*signs, *self._heard.get(agent_id, [])])
        on_calls = joined(self._handled.get(agent_id, []))
        sums: dict[datetime, Sums] = {}
        teams: dict[datetime, str | None] = {}
        silent: set[datetime] = set()
        for change, end in signed_in(ordered, self._at):
            silent |= {_slot(last - _MICROSECOND, piece) for _, last in heard if change.at < last < end}
            for start, stop in cut(change.at, end, piece):
                slot = _slot(start, piece)
                teams[slot] = change.fact.team or teams.get(slot)
                for begin, last in within(heard, start, stop):
                    add(sums.setdefault(slot, Sums()), change.fact.state, begin, last, on_calls)
        return {(slot, teams[slot]): one for slot, one in sums.items()}, silent


def _slot(moment: datetime, piece: timedelta) -> datetime:
    return EPOCH + (moment - EPOCH) // piece * piece
