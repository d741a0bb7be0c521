"""What agents were doing: every change of state in every revision. A state lasts until the next one.

The revisions stay, so that what was known earlier can be told; figures take the highest that was known.
"""

from collections.abc import Sequence
from datetime import date, datetime

from chassis.database import Transaction
from contracts.calls import AgentStateChanged
from contracts.message import Message
from reporting.projections.days import days_between

TABLE = "agent_states"
KEY = ("agent_id", "fact_id", "revision")


async def apply(tx: Transaction, name: str, messages: Sequence[Message]) -> None:
    rows = {(one.body.fact_id, one.body.revision): _row(one) for one in messages if _is_state(one)}
    if rows:
        await tx.execute(
            f"""insert into {TABLE}_{name} (agent_id, fact_id, revision, known_at, since, state, team, reason)
                select * from unnest(
                    $1::text[], $2::text[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[],
                    $8::text[])
                on conflict do nothing""",
            *(list(column) for column in zip(*rows.values(), strict=True)),
        )


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
