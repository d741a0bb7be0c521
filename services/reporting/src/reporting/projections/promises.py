"""Promised replies to difficult cases: until when each was promised, and whether it was given or another time agreed.

A case has one promise after another on the stream of its call; they are folded from all facts of the call
whenever one of them arrives.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chassis.database import Transaction
from contracts import calls as c
from contracts.message import Message
from reporting import tables
from reporting.projections.calls import by_subject, facts_of
from reporting.projections.days import days_of
from reporting.projections.table import ProjectionTable

TABLE = ProjectionTable(tables.PROMISES)
EVENTS = (c.ReplyPromised, c.ReplyGiven)


@dataclass(slots=True)
class PromiseRow:
    """The fields are the columns of the table, in their order."""

    call_id: str
    promised_version: int
    case_id: str
    promised_at: datetime
    promised_known_at: datetime
    reply_by: datetime
    queue: str | None
    agent_id: str | None
    """Who gave the promise."""
    team: str | None
    channel: str
    demand_type: str | None
    ended_version: int | None = None
    ended_at: datetime | None = None
    ended_known_at: datetime | None = None
    is_replied: bool | None = None
    """How it ended: with the reply, or with another promise."""


def promises_of(messages: Iterable[Message]) -> list[PromiseRow]:
    """The promises of one call, in the order in which they were given."""
    found: list[PromiseRow] = []
    latest: dict[str, PromiseRow] = {}
    for fact, message in facts_of(messages):
        if not isinstance(fact, EVENTS):
            continue
        is_reply, version = isinstance(fact, c.ReplyGiven), message.entity_version or 0
        before = latest.pop(fact.case_id, None)
        if before:
            before.ended_version, before.is_replied = version, is_reply
            before.ended_at, before.ended_known_at = message.occurred_at, message.recorded_at
        if not is_reply:
            latest[fact.case_id] = PromiseRow(
                call_id=message.subject,
                promised_version=version,
                case_id=fact.case_id,
                promised_at=message.occurred_at,
                promised_known_at=message.recorded_at,
                reply_by=fact.reply_by,
                queue=fact.queue,
                agent_id=fact.agent_id,
                team=fact.team,
                channel=fact.channel.value,
                demand_type=fact.demand_type,
            )
            found.append(latest[fact.case_id])
    return found


async def apply(tx: Transaction, name: str, new: Sequence[Message], earlier: Iterable[Message]) -> set[date]:
    """Folds the promises of calls; returns the days on which they are counted. The time of a promise never changes.

    `new` are the messages that have come, `earlier` those that were there of the same calls.
    """
    changed = {message.subject for message in new if isinstance(message.body, EVENTS)}
    if not changed:
        return set()
    calls = by_subject(message for message in (*earlier, *new) if message.subject in changed)
    promises = [promise for messages in calls.values() for promise in promises_of(messages)]
    await TABLE.delete(tx, name, "call_id", changed)
    await TABLE.add(tx, name, promises)
    return days_of(promise.reply_by for promise in promises)
