"""Where calls rang at an agent who did not answer: of each such fact its present revision.

A row is of its leg: it belongs to the moment at which the leg was offered and is known as long as the leg's row, so
that it changes, grows stale and is folded again with the leg.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.database import Transaction
from reporting import tables
from reporting.projections.table import ProjectionTable

TABLE = ProjectionTable(tables.RINGS)


@dataclass(slots=True)
class RingRow:
    """The fields are the columns of the table, in their order."""

    call_id: str
    version: int
    """Of its message."""
    leg: int
    known_at: datetime
    moment: datetime
    direction: str
    channel: str
    queue: str | None
    agent_id: str | None
    """At whom it rang."""
    team: str | None
    demand_type: str | None
    ring_us: int | None
    """Microseconds; None is unknown."""
    faults: str | None


def ring(leg: Any, known: tuple[Any, Any]) -> RingRow:
    """The row of one fact of a leg."""
    body, message = known
    milliseconds = body.ring_milliseconds
    return RingRow(
        call_id=leg.call_id,
        version=message.entity_version or 0,
        leg=leg.leg,
        known_at=leg.known_at,
        moment=leg.moment,
        direction=leg.direction,
        channel=leg.channel,
        queue=body.queue or leg.queue,
        agent_id=body.agent_id,
        team=body.team,
        demand_type=leg.demand_type,
        ring_us=None if milliseconds is None else max(milliseconds, 0) * 1000,
        faults=",".join(sorted(set(body.faults))) or None,
    )


async def replace(tx: Transaction, name: str, call_ids: Collection[str], found: Sequence[RingRow]) -> None:
    """Writes rows, in place of those that were there of these calls: a revision has another version."""
    if call_ids:
        await TABLE.delete(tx, name, "call_id", call_ids)
    await TABLE.add(tx, name, found)
