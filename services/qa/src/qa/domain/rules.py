"""The rules of quality that belong to no form, plan or project: one row that an operator changes."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo


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
