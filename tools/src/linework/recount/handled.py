"""Version 2 of the metrics of calls, and rings: by the handler of a call, with inbound and outbound separated."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from contracts import calls as c
from linework.recount import calls
from linework.recount.calls import Leg, LegRule, Legs, Told
from linework.recount.counting import CountedRow, Kind, Thresholds

_MICROSECOND = timedelta(microseconds=1)
_TIMED = ("talk_time", "hold_time", "after_call_work", "handle_time")


def handled(leg: Leg) -> int | None:
    """Microseconds of talk, hold and after-call work; None where the talk is not known.

    Where no hold was told the talk and the hold are known together, as the time from the answer to the end.
    """
    talk, hold = leg.part("ended", "talk_milliseconds"), leg.part("ended", "hold_milliseconds")
    if talk is None:
        return None
    if hold is None:
        talk = max(talk, (leg.slots["ended"].at - leg.slots["answered"].at) // _MICROSECOND)
    return talk + (hold or 0) + (leg.part("worked", "work_milliseconds") or 0)


def _talk(leg: Leg) -> int | None:
    return leg.part("ended", "talk_milliseconds")


def _hold(leg: Leg) -> int | None:
    return None if _talk(leg) is None else leg.part("ended", "hold_milliseconds")


def _work(leg: Leg) -> int | None:
    return None if leg.has_no_known_end else leg.part("worked", "work_milliseconds")


_MEASURES = {"talk_time": _talk, "hold_time": _hold, "after_call_work": _work, "handle_time": handled}


def _by_handler(rule: LegRule) -> LegRule:
    return lambda legs, thresholds: rule([replace(leg, is_by_handler=True) for leg in legs], thresholds)


def _time(name: str, direction: c.Direction) -> LegRule:
    def rule(legs: Legs, _: Thresholds) -> Iterator[CountedRow]:
        for leg in legs:
            if not leg.has_talked or leg.began.fact.direction is not direction:
                continue
            if name == "after_call_work" and leg.part("worked", "work_milliseconds") is None:
                continue
            yield CountedRow(leg.moment, leg.names, _MEASURES[name](leg), 1, leg.is_marked)

    return _by_handler(rule)


def _unanswered(legs: Legs) -> Iterator[tuple[Leg, Told]]:
    for leg in legs:
        if leg.began.fact.direction is c.Direction.INBOUND:
            yield from ((leg, told) for told in leg.own if isinstance(told.fact, c.CallRangUnanswered))


def _names_of_ring(leg: Leg, told: Told) -> dict[str, str | None]:
    fact = told.fact
    return {**leg.names, "queue": fact.queue or leg.names["queue"], "agent_id": fact.agent_id, "team": fact.team}


def _rang_not_answered(legs: Legs, thresholds: Thresholds) -> Iterator[CountedRow]:
    longest = thresholds["three_rings_seconds"] * 1000
    for leg, told in _unanswered(legs):
        rang = told.fact.ring_milliseconds
        is_missed = None if rang is None else rang >= longest
        yield CountedRow(leg.moment, _names_of_ring(leg, told), is_missed, 1, bool(told.fact.faults))


def _answered_in_three_rings(legs: Legs, thresholds: Thresholds) -> Iterator[CountedRow]:
    longest = thresholds["three_rings_seconds"] * 1000
    for leg in legs:
        if "answered" in leg.slots and leg.began.fact.direction is c.Direction.INBOUND:
            rang = leg.slots["answered"].fact.ring_milliseconds
            yield CountedRow(leg.moment, leg.names, None if rang is None else rang <= longest, 1, leg.is_marked)
    for leg, told in _unanswered(legs):
        rang = told.fact.ring_milliseconds
        if rang is None or rang >= longest:
            yield CountedRow(
                leg.moment, _names_of_ring(leg, told), None if rang is None else 0, 1, bool(told.fact.faults)
            )


def _outbound_connected(legs: Legs, _: Thresholds) -> Iterator[CountedRow]:
    for leg in legs:
        if leg.began.fact.direction is c.Direction.OUTBOUND and leg.outcome != "waiting":
            yield CountedRow(leg.moment, leg.names, leg.outcome == "answered", 1, leg.is_marked)


def _not_reached(legs: Legs, _: Thresholds) -> Iterator[CountedRow]:
    for leg in legs:
        if leg.began.fact.direction is c.Direction.INBOUND and leg.outcome in ("answered", "abandoned", "lost"):
            yield CountedRow(leg.moment, leg.names, leg.outcome != "answered", 1, leg.is_marked)


RULES: Mapping[tuple[str, int], tuple[Kind, LegRule]] = {
    **{
        (metric, 2): (kind, _by_handler(rule))
        for (metric, _), (kind, rule) in calls.RULES.items()
        if metric not in _TIMED
    },
    **{(name, 2): ("distribution", _time(name, c.Direction.INBOUND)) for name in _TIMED},
    **{(f"outbound_{name}", 1): ("distribution", _time(name, c.Direction.OUTBOUND)) for name in _TIMED},
    ("outbound_connect_rate", 1): ("ratio", _by_handler(_outbound_connected)),
    ("call_loss_rate", 1): ("ratio", _by_handler(_not_reached)),
    ("rang_not_answered", 1): ("count", _rang_not_answered),
    ("answered_in_three_rings", 1): ("ratio", _by_handler(_answered_in_three_rings)),
}
"""By metric and version."""
