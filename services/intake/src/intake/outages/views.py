"""Outages as they are shown."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from chassis.database import Statements
from intake.outages.store import OUTAGE


class OutageShown(BaseModel):
    id: str
    version: int
    territories: list[str]
    cause: str
    began_at: datetime
    restore_by: datetime | None
    ended_at: datetime | None
    told_by: str


async def open_outages(statements: Statements, territory: str | None = None) -> list[dict[str, Any]]:
    """The outages that have not ended, of a territory or of all; the newest first, at most 200."""
    rows = await statements.fetch(
        f"""select {OUTAGE} from outages
            where ended_at is null and ($1::text is null or territories @> array[$1::text])
            order by began_at desc, id limit 200""",
        territory,
    )
    return [dict(row) for row in rows]
