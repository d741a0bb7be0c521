"""Rows of outages."""

from chassis.database import Transaction
from intake.outages.domain import OutageNotFound

OUTAGE = "id, version, territories, cause, began_at, restore_by, ended_at, told_by"


async def get_cause(tx: Transaction, outage_id: str) -> str:
    cause = await tx.fetchval("select cause from outages where id = $1", outage_id)
    if cause is None:
        raise OutageNotFound(outage_id=outage_id)
    return cause
