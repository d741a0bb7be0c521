"""Rows of outages."""

from chassis.database import Statements, Transaction
from chassis.row_store import RowStore
from intake.outages.domain import Outage, OutageNotFound
from intake.tables import OUTAGES

outages = RowStore(OUTAGES, Outage, "changed_at")


async def get_outage(statements: Statements, outage_id: str) -> Outage:
    """Raises `OutageNotFound`."""
    outage = await outages.find(statements, outage_id)
    if outage is None:
        raise OutageNotFound(outage_id=outage_id)
    return outage


async def lock_outage(tx: Transaction, outage_id: str) -> Outage:
    """Raises `OutageNotFound`."""
    outage = await outages.lock(tx, outage_id)
    if outage is None:
        raise OutageNotFound(outage_id=outage_id)
    return outage
