"""Device and demand types as they are listed."""

from chassis.database import Database
from intake.reference.store import OrderType


async def order_types(db: Database, kind: str) -> list[OrderType]:
    async with db.statements() as statements:
        rows = await statements.fetch(
            "select code, name_en, name_zh, is_active, version from order_types where kind = $1 order by code", kind
        )
    return [OrderType(**dict(row)) for row in rows]
