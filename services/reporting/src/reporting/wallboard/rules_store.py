"""The rules of the wallboard: one row that an operator changes. What it does not say is as shipped."""

from dataclasses import asdict, dataclass
from datetime import datetime

import msgspec

from chassis.database import Statements
from reporting.wallboard.levels import WallboardRules

_RULES = msgspec.json.Decoder(WallboardRules)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRules:
    rules: WallboardRules
    version: int
    changed_by: str | None
    """None: as shipped."""
    changed_at: datetime | None


async def get_wallboard_rules(statements: Statements) -> StoredRules:
    return _stored(await statements.fetchrow("select body, version, changed_by, changed_at from wallboard_rules"))


async def put_wallboard_rules(statements: Statements, rules: WallboardRules, *, by: str, now: datetime) -> StoredRules:
    row = await statements.fetchrow(
        """update wallboard_rules set body = $1, version = version + 1, changed_by = $2, changed_at = $3
           returning body, version, changed_by, changed_at""",
        msgspec.json.encode(asdict(rules)).decode(),
        by,
        now,
    )
    return _stored(row)


def _stored(row) -> StoredRules:
    return StoredRules(
        rules=_RULES.decode(row["body"]),
        version=row["version"],
        changed_by=row["changed_by"],
        changed_at=row["changed_at"],
    )
