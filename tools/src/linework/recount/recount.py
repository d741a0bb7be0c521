"""Consumes every message of the streams and computes any figure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from contracts.calls import AgentStateChanged, Fact
from contracts.limits import TimeLimitsDefined
from contracts.message import Message
from contracts.order import WorkOrder, apply
from contracts.quality import QualityEvent
from linework.recount import agents, calls, clocks, follow_ups, handled, holders, orders, presence, promises
from linework.recount.counting import Asked, CountedRow, Kind, count

KINDS: dict[tuple[str, int], Kind] = {
    **{
        key: kind
        for rules in (orders.RULES, holders.RULES, calls.RULES, handled.RULES, follow_ups.RULES, promises.RULES)
        for key, (kind, _) in rules.items()
    },
    **{(metric, 1): kind for metric, (kind, _) in clocks.RULES.items()},
    **{(metric, version): "ratio" for metric in agents.MEASURES for version in (1, 2)},
}
VERSIONS: dict[str, int] = {}
"""The newest version of each metric."""
for _metric, _version in KINDS:
    VERSIONS[_metric] = max(_version, VERSIONS.get(_metric, 0))


class Recount:
    """Told of every event (`verify.laws.Witness`), each order's in its versions, and of every fact of a call."""

    def __init__(self) -> None:
        self._lives: dict[str, orders.Life] = {}
        self._minutes: dict[str, holders.Minutes] = {}
        self._calls: dict[str, calls.Call] = {}
        self._agents = agents.Agents()
        self._follow_ups = follow_ups.FollowUps()
        self._clocks = clocks.Clocks()

    def __call__(self, before: WorkOrder | None, message: Message, after: WorkOrder) -> None:
        life = self._lives.get(after.id)
        if life is None:
            life = self._lives[after.id] = orders.Life(after.id, after.subscriber_id, after.demand_type)
        life.take(before, message, after)
        self._minutes.setdefault(after.id, holders.Minutes()).take(before, message, after)
        self._clocks.take(message, after)

    def take_fact(self, message: Message) -> None:
        """A message of `calls` or `deadlines`; a repeat changes nothing."""
        if isinstance(message.body, AgentStateChanged):
            self._agents.take(message)
        elif isinstance(message.body, TimeLimitsDefined):
            self._clocks.take_limits(message)
        elif isinstance(message.body, Fact):
            self._calls.setdefault(message.subject, calls.Call(message.subject)).take(message)

    def take_notice(self, message: Message) -> None:
        """A message of `quality`; a repeat changes nothing."""
        self._follow_ups.take(message)

    def take(self, messages: Iterable[Message], *, as_of: datetime | None = None) -> None:
        """Raw messages, each stream's in the order of its versions; those recorded after `as_of` are not known yet."""
        folded: dict[str, WorkOrder] = {}
        unknown: set[str] = set()
        for message in messages:
            if as_of and message.recorded_at > as_of:
                unknown.add(message.subject)  # and whatever follows it
            if message.subject in unknown:
                continue
            if message.order_version is not None:
                before = folded.get(message.subject)
                folded[message.subject] = apply(before, message)
                self(before, message, folded[message.subject])
            elif message.entity_version is not None:
                self.take_fact(message)
            elif isinstance(message.body, QualityEvent):
                self.take_notice(message)

    def rows(self, asked: Asked, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows of a figure, as of the moment, in the zone and by the thresholds that reporting's answer tells."""
        asked, at = asked.as_answered(answer), datetime.fromisoformat(answer["at"])
        version = asked.version or VERSIONS[asked.metric]
        is_of_time = asked.metric in agents.MEASURES
        return count(asked, KINDS[asked.metric, version], self._entries(asked, version, at), is_of_time=is_of_time)

    def _entries(self, asked: Asked, version: int, at: datetime) -> Iterator[CountedRow]:
        key = (asked.metric, version)
        if key in orders.RULES:
            return orders.RULES[key][1](self._lives.values(), at)
        if key in holders.RULES:
            return holders.RULES[key][1](self._minutes.values())
        if key in follow_ups.RULES:
            return follow_ups.RULES[key][1](self._follow_ups.cases, self._lives.values())
        if key in promises.RULES:
            return promises.RULES[key][1](self._calls.values(), at)
        if asked.metric in clocks.RULES:
            return self._clocks.entries(asked.metric, at, asked.parameters)
        legs = [leg for call in self._calls.values() for leg in calls.legs_of(call)]
        if key in calls.RULES:
            return calls.RULES[key][1](legs, asked.parameters)
        if key in handled.RULES:
            return handled.RULES[key][1](legs, asked.parameters)
        if version > 1:
            silent_after = asked.parameters["silent_after_seconds"]
            return presence.entries(self._agents, asked.metric, legs, at, asked.zone, silent_after)
        return self._agents.entries(asked.metric, legs, at, asked.zone)
