"""Calls as they were known at a past moment.

Only the present state of a leg is stored. What has not changed since the moment is as it was; the few calls
that were known by then and have changed since are folded again from the facts that were recorded by then.
"""

from chassis.database import Statements
from reporting import event_store
from reporting.figures.question import Question
from reporting.projections import calls

_THEN = "legs_then"
# A leg is counted when it was offered, and a call that was known by a moment was offered hardly later than it.
_AHEAD = "1 day"


def table_of(table: str, live: str, question: Question) -> str:
    """The table of a set; of legs as of a past moment, the rows as they were then."""
    if table != calls.TABLE or question.as_of is None:
        return f"{table}_{live}"
    moment = f"timestamptz '{question.as_of.isoformat()}'"
    return f"(select * from {table}_{live} where known_at <= {moment} union all select * from {_THEN})"


async def fold_past(tx: Statements, live: str, question: Question) -> None:
    """Fills the temporary table that `table_of` names; to be called in the transaction that reads it."""
    if question.as_of is None or not question.metric.source.counts_legs:
        return
    await tx.execute(
        f"create temporary table if not exists {_THEN} (like {calls.TABLE}_{live}) on commit drop; truncate {_THEN}"
    )
    changed = await tx.fetch(
        f"""select distinct call_id from {calls.TABLE}_{live}
            where known_at > $1 and moment < $1 + interval '{_AHEAD}' and exists (
                select from messages where order_id = call_id and order_version = 1 and recorded_at <= $1)""",
        question.as_of,
    )
    known = await event_store.messages_of(tx, [row["call_id"] for row in changed], as_of=question.as_of)
    legs = [leg for messages in calls.by_subject(known).values() for leg in calls.legs_of(messages)]
    await calls.copy(tx, _THEN, legs)
