"""The rules of quality that belong to no form, plan or project: one row that an operator changes."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from chassis.database import Statements, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRules:
    time_zone: str
    """Of the auditors' days, and of how long an agent has been here."""
    version: int = 1
    changed_by: str | None = None
    """None: as shipped."""
    changed_at: datetime | None = None

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.time_zone)).date()


async def get_quality_rules(statements: Statements) -> QualityRules:
    row = await statements.fetchrow("select time_zone, version, changed_by, changed_at from quality_rules")
    return QualityRules(**row)


async def put_quality_rules(tx: Transaction, time_zone: str, *, by: str, now: datetime) -> QualityRules:
    row = await tx.fetchrow(
        """update quality_rules set time_zone = $1, version = version + 1, changed_by = $2, changed_at = $3
           returning time_zone, version, changed_by, changed_at""",
        time_zone,
        by,
        now,
    )
    return QualityRules(**row)
