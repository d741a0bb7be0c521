"""Rows that every feature of quality reads: the rules of quality, and which orders are in which work areas."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ARRAY, DateTime, Text, any_, bindparam, literal_column, select, update

from chassis.database import Query, Statements, Transaction
from qa import tables
from qa.domain.rules import QualityRules
from work_orders.tables import WORK_ORDERS

_RULES = [column for column in tables.QUALITY_RULES.c if column.name != "only_row"]
_GET_RULES = Query(select(*_RULES))
_PUT_RULES = Query(
    update(tables.QUALITY_RULES)
    .values(
        time_zone=bindparam("zone", type_=Text),
        version=tables.QUALITY_RULES.c.version + literal_column("1"),
        changed_by=bindparam("by", type_=Text),
        changed_at=bindparam("now", type_=DateTime(timezone=True)),
    )
    .returning(*_RULES)
)
_IN_AREAS = Query(
    select(WORK_ORDERS.c.id).where(
        WORK_ORDERS.c.id == any_(bindparam("order_ids", type_=ARRAY(Text))),
        WORK_ORDERS.c.work_area_id == any_(bindparam("areas", type_=ARRAY(Text))),
    )
)


async def get_quality_rules(statements: Statements) -> QualityRules:
    (row,) = await statements.select(_GET_RULES, {})
    return QualityRules(**row)


async def put_quality_rules(tx: Transaction, time_zone: str, *, by: str, now: datetime) -> QualityRules:
    (row,) = await tx.select(_PUT_RULES, {"zone": time_zone, "by": by, "now": now})
    return QualityRules(**row)


async def orders_in_areas(statements: Statements, order_ids: Iterable[str], areas: Sequence[str]) -> set[str]:
    """Those of the orders whose present work area is one of `areas`."""
    rows = await statements.select(_IN_AREAS, {"order_ids": sorted(order_ids), "areas": list(areas)})
    return {row["id"] for row in rows}
