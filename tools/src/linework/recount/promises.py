"""Metrics of promised replies, from their published formulas."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise

from contracts import calls as c
from linework.recount.calls import Call, Told
from linework.recount.counting import CountedRow, Kind

PromiseRule = Callable[[Iterable[Call], datetime], Iterator[CountedRow]]
Promise = tuple[Told, Told | None]
"""A promise, and what came of its case next: the reply, or another promise."""


def _promises(calls: Iterable[Call]) -> Iterator[Promise]:
    for call in calls:
        cases: dict[str, list[Told | None]] = {}
        for told in call.told():
            if isinstance(told.fact, c.ReplyPromised | c.ReplyGiven):
                cases.setdefault(told.fact.case_id, []).append(told)
        for steps in cases.values():
            for told, following in pairwise([*steps, None]):
                if told and isinstance(told.fact, c.ReplyPromised) and not _was_put_off(told, following):
                    yield told, following


def _was_put_off(told: Told, following: Told | None) -> bool:
    is_another = following is not None and isinstance(following.fact, c.ReplyPromised)
    return is_another and following.at <= told.fact.reply_by


def _names(told: Told) -> dict[str, str | None]:
    said = told.fact
    names = {name: getattr(said, name) for name in ("queue", "agent_id", "team", "demand_type")}
    return names | {"channel": said.channel.value}


def _promised(calls: Iterable[Call], _: datetime) -> Iterator[CountedRow]:
    for told, _following in _promises(calls):
        yield CountedRow(told.fact.reply_by, _names(told), 1, 1)


def _in_time(calls: Iterable[Call], at: datetime) -> Iterator[CountedRow]:
    for told, following in _promises(calls):
        until = told.fact.reply_by
        is_replied = following is not None and isinstance(following.fact, c.ReplyGiven)
        if is_replied or until <= at:
            yield CountedRow(until, _names(told), int(is_replied and following.at <= until), 1)


RULES: Mapping[tuple[str, int], tuple[Kind, PromiseRule]] = {
    ("replies_promised", 1): ("count", _promised),
    ("replies_in_time", 1): ("ratio", _in_time),
}
"""By metric and version."""
