"""Metrics of follow-ups, from their published formulas."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts import quality as q
from contracts.message import Message
from linework.recount.counting import CountedRow, Kind
from linework.recount.orders import Life


@dataclass(slots=True)
class CountedFollowUp:
    """A follow-up, as far as its messages were read."""

    planned: q.FollowUpPlanned | None = None
    planned_at: datetime | None = None
    ended: q.FollowUpEnded | None = None
    ended_at: datetime | None = None
    given: q.SatisfactionGiven | None = None
    order_ids: set[str] = field(default_factory=set)

    @property
    def is_answered(self) -> bool:
        return self.ended is not None and self.ended.end is q.FollowUpEnd.COMPLETED

    @property
    def is_withdrawn(self) -> bool:
        return self.ended is not None and self.ended.end is q.FollowUpEnd.WITHDRAWN

    @property
    def names(self) -> dict[str, str | None]:
        said = self.planned
        return {
            "work_area_id": said.work_area_id if said else None,
            "staff_id": said.staff_id if said else None,
            "demand_type": said.demand_type if said else None,
            "channel": said.channel.value if said and said.channel else None,
            "agent_id": self.ended.caller_id if self.ended else None,
        }


class FollowUps:
    """Every follow-up by its id, whatever else quality tells."""

    def __init__(self) -> None:
        self.cases: dict[str, CountedFollowUp] = {}
        self._known: set[str] = set()

    def take(self, message: Message) -> None:
        """The same message again changes nothing."""
        said = message.body
        if message.id in self._known or not hasattr(said, "follow_up_id"):
            return
        self._known.add(message.id)
        case = self.cases.setdefault(said.follow_up_id, CountedFollowUp())
        if isinstance(said, q.FollowUpPlanned):
            case.planned, case.planned_at = said, message.occurred_at
            case.order_ids.update(said.order_ids)
        elif isinstance(said, q.FollowUpJoined):
            case.order_ids.add(said.order_id)
        elif isinstance(said, q.FollowUpEnded):
            case.ended, case.ended_at = said, message.occurred_at
        elif isinstance(said, q.SatisfactionGiven):
            case.given = said


FollowUpRule = Callable[[Mapping[str, CountedFollowUp], Iterable[Life]], Iterator[CountedRow]]


def _planned(cases: Mapping[str, CountedFollowUp], _: Iterable[Life]) -> Iterator[CountedRow]:
    for case in cases.values():
        if case.planned is not None and not case.is_withdrawn:
            yield CountedRow(case.planned_at, case.names, 1, 1)


def _coverage(cases: Mapping[str, CountedFollowUp], lives: Iterable[Life]) -> Iterator[CountedRow]:
    covered = {order_id for case in cases.values() if case.is_answered for order_id in case.order_ids}
    for life in lives:
        completions = [step for step in life.steps if step.is_completion]
        if completions:
            yield CountedRow(completions[-1].at, completions[-1].names, int(life.order_id in covered), 1)


def _ended(
    above: Callable[[CountedFollowUp], int], below: Callable[[CountedFollowUp], int] = lambda _: 1
) -> FollowUpRule:
    def rule(cases: Mapping[str, CountedFollowUp], _: Iterable[Life]) -> Iterator[CountedRow]:
        for case in cases.values():
            if case.ended is not None and not case.is_withdrawn:
                yield CountedRow(case.ended_at, case.names, above(case), below(case))

    return rule


RULES: Mapping[tuple[str, int], tuple[Kind, FollowUpRule]] = {
    ("follow_ups_planned", 1): ("count", _planned),
    ("follow_up_coverage", 1): ("ratio", _coverage),
    ("follow_ups_answered", 1): ("ratio", _ended(lambda case: int(case.is_answered))),
    ("follow_ups_in_time", 1): (
        "ratio",
        _ended(lambda case: int(case.is_answered and not (case.ended and case.ended.is_late))),
    ),
    ("follow_up_satisfaction", 1): (
        "ratio",
        _ended(
            lambda case: case.given.score if case.given else 0, lambda case: case.given.highest if case.given else 0
        ),
    ),
    ("follow_up_response_rate", 1): ("ratio", _ended(lambda case: int(case.given is not None))),
}
"""By metric and version."""
