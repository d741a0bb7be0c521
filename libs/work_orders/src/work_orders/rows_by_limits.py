"""Keeps `next_due_at` up with the sets of limits: a job of the worker.

A row says by which set it was computed. When a newer one is known, orders that somebody keeps are computed again in
chunks, the oldest set first. A chunk is one short transaction: commands and the stream go on between two.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence

from chassis.database import Database, Transaction
from chassis.jobs import repeat
from chassis.telemetry import METRICS
from chassis.wakeup import Wakeup
from chassis.worker import Job
from work_orders.order_table import to_order
from work_orders.sla_clocks import Deadline, RuleSets, next_due_at
from work_orders.time_limits import rule_sets

log = logging.getLogger(__name__)

_LOOK_SECONDS = 5.0
_ORDERS_A_CHUNK = 200


Beside = Callable[[Transaction, Sequence[Deadline]], Awaitable[None]]
"""What a service keeps beside the orders whose deadline another set of limits has moved."""


async def _nothing(tx: Transaction, deadlines: Sequence[Deadline]) -> None:
    pass


def keeping_rows_by_limits(beside: Beside = _nothing) -> Job:
    """Looks every few seconds for as long as the worker runs."""

    async def keep_rows_by_limits(db: Database, wakeup: Wakeup) -> None:
        await repeat("recomputing deadlines", lambda: recompute(db, beside), seconds=_LOOK_SECONDS, rest=wakeup.wait)

    return keep_rows_by_limits


async def recompute(db: Database, beside: Beside = _nothing) -> int:
    """Computes what an earlier set of limits says of orders; returns of how many."""
    async with db.statements() as statements:
        sets = await rule_sets(statements)
        left = await statements.fetchval(_COUNT, sets.newest.version)
    done = 0
    while left > done:
        METRICS.job_rows_left.labels("rows_by_limits").set(left - done)
        async with db.begin() as tx:
            changed = await _recompute_chunk(tx, sets, beside)
        if not changed:
            break  # what is left is locked: who changes it computes it, or the next look does
        done += changed
        log.info("recomputed deadlines", extra={"orders": done, "of": left, "rules_version": sets.newest.version})
    METRICS.job_rows_left.labels("rows_by_limits").set(max(left - done, 0))
    return done


_EARLIER = "from work_orders where custodian is not null and rules_version < $1"
_COUNT = f"select count(*) {_EARLIER}"
# A row that is locked is being changed. Its new values are computed from the newest set that this process knows.
_CHUNK = f"select id, body {_EARLIER} order by rules_version, id limit $2 for update skip locked"
_SET = """
update work_orders set next_due_at = computed.next_due_at, rules_version = $3
from unnest($1::text[], $2::timestamptz[]) as computed (id, next_due_at) where work_orders.id = computed.id"""


async def _recompute_chunk(tx: Transaction, sets: RuleSets, beside: Beside) -> int:
    rows = await tx.fetch(_CHUNK, sets.newest.version, _ORDERS_A_CHUNK)
    deadlines = [(row["id"], next_due_at(to_order(row["body"]), sets)) for row in rows]
    ids, moments = [one for one, _ in deadlines], [moment for _, moment in deadlines]
    await tx.execute(_SET, ids, moments, sets.newest.version)
    await beside(tx, deadlines)
    return len(rows)
