"""What agents were doing: every change of state in every revision. A state lasts until the next one.

The revisions stay, so that an earlier state of knowledge can be shown; figures take the highest that was known.
"""

from collections.abc import Sequence
from datetime import date, datetime

from chassis.database import Transaction
from contracts.calls import AgentStateChanged
from contracts.message import Message
from reporting import tables
from reporting.projections.days import days_between
from reporting.projections.table import ProjectionTable

TABLE = ProjectionTable(tables.AGENT_STATES)


async def apply(tx: Transaction, name: str, messages: Sequence[Message]) -> None:
    rows = {(one.body.fact_id, one.body.revision): _row(one) for one in messages if _is_state(one)}
    await TABLE.add_missing(tx, name, rows.values())


def days_of(messages: Sequence[Message], newest: datetime) -> set[date]:
    """The days that changes of state change: all since the first, because until then the state before it went on.

    `newest` is the latest `recorded_at` that was read: no day beyond it was summed up.
    """
    if not messages:
        return set()
    first = min(message.occurred_at for message in messages)
    return days_between(first, max(first, newest))


def _is_state(message: Message) -> bool:
    return isinstance(message.body, AgentStateChanged)


def _row(message: Message) -> tuple[object, ...]:
    body = message.body
    return (
        body.agent_id,
        body.fact_id,
        body.revision,
        message.recorded_at,
        message.occurred_at,
        body.state.value,
        body.team,
        body.reason,
    )
