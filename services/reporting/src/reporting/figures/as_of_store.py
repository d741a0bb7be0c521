"""Calls as they were known at a past moment.

Only the present state of a leg is stored. What has not changed since the moment is as it was; the few calls
that were known by then and have changed since are folded again from the facts that were recorded by then.
"""

from chassis.database import Statements
from reporting.figures.question import Question
from reporting.projections import calls, rings
from reporting.record import event_store

_THEN = {calls.TABLE.name: "legs_then", rings.TABLE.name: "rings_then"}
# A leg is counted when it was offered, and a call that was known by a moment was offered hardly later than it.
_AHEAD = "1 day"


def table_of(table: str, live: str, question: Question) -> str:
    """The table of a set; of legs and rings as of a past moment, the rows as they were then."""
    if table not in _THEN or question.as_of is None:
        return f"{table}_{live}"
    moment = f"timestamptz '{question.as_of.isoformat()}'"
    return f"(select * from {table}_{live} where known_at <= {moment} union all select * from {_THEN[table]})"


async def fold_past(tx: Statements, live: str, question: Question) -> None:
    """Fills the temporary tables that `table_of` names; to be called in the transaction that reads it."""
    if question.as_of is None or not question.metric.source.counts_legs:
        return
    for table, then in _THEN.items():
        await tx.execute(
            f"create temporary table if not exists {then} (like {table}_{live}) on commit drop; truncate {then}"
        )
    changed = await tx.fetch(
        f"""select distinct call_id from {calls.TABLE.of(live)}
            where known_at > $1 and moment < $1 + interval '{_AHEAD}' and exists (
                select from messages where order_id = call_id and order_version = 1 and recorded_at <= $1)""",
        question.as_of,
    )
    known = await event_store.messages_of(tx, [row["call_id"] for row in changed], as_of=question.as_of)
    folded = [calls.fold(messages) for messages in calls.by_subject(known).values()]
    await calls.TABLE.copy(tx, _THEN[calls.TABLE.name], [leg for legs, _ in folded for leg in legs])
    await rings.TABLE.copy(tx, _THEN[rings.TABLE.name], [ring for _, found in folded for ring in found])
