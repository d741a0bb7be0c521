"""Outages as they are shown."""

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import Text, bindparam, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import Query, Statements
from intake.outages.domain import Outage
from intake.outages.store import outages
from intake.tables import OUTAGES


class OutageShown(BaseModel):
    id: str
    version: int
    territories: list[str]
    cause: str
    is_planned: bool
    began_at: datetime
    restore_by: datetime | None
    ended_at: datetime | None
    told_by: str


_MOST = 200
_territories = bindparam("territories", type_=ARRAY(Text))
_OPEN = Query(
    select(OUTAGES)
    .where(OUTAGES.c.ended_at.is_(None), or_(_territories.is_(None), OUTAGES.c.territories.overlap(_territories)))
    .order_by(OUTAGES.c.began_at.desc(), OUTAGES.c.id)
    .limit(bindparam("limit"))
)


async def open_outages(statements: Statements, territories: Collection[str] | None = None) -> list[Outage]:
    """The outages that have not ended, of any of the territories or of all; the newest first, at most 200."""
    wanted = None if territories is None else sorted(territories)
    rows = await statements.select(_OPEN, {"territories": wanted, "limit": _MOST})
    return [outages.row_of(row) for row in rows]
