"""Rows of device and demand types, and of the rules of the desk."""

from collections.abc import Iterable
from dataclasses import asdict, replace

from chassis.database import Statements
from chassis.row_store import definition_of
from contracts.amendment import DemandTypeUnknown
from intake.reference.domain import DEMAND, DeskRules, OrderType
from intake.tables import ORDER_TYPES


async def order_types(statements: Statements, kind: str) -> list[OrderType]:
    rows = await statements.fetch(
        "select code, name_en, name_zh, is_active, version from order_types where kind = $1 order by code", kind
    )
    return [OrderType(**row) for row in rows]


_DEFINE = definition_of(ORDER_TYPES)


async def define_order_type(statements: Statements, kind: str, order_type: OrderType) -> OrderType:
    """Defines or redefines it; the version grows by one."""
    ((version,),) = await statements.select(_DEFINE, {**asdict(order_type), "kind": kind})
    return replace(order_type, version=version)


async def demand_types(statements: Statements, codes: Iterable[str | None]) -> frozenset[str]:
    """Those of the codes that are demand types in use."""
    wanted = sorted({code for code in codes if code is not None})
    if not wanted:
        return frozenset()
    rows = await statements.fetch(
        "select code from order_types where kind = $1 and is_active and code = any($2)", DEMAND, wanted
    )
    return frozenset(row["code"] for row in rows)


async def require_demand_type(statements: Statements, code: str | None) -> None:
    """Raises `DemandTypeUnknown`."""
    if code is not None and not await demand_types(statements, [code]):
        raise DemandTypeUnknown(demand_type=code)


_DESK_RULES = """warn_before_minutes, call_closes_after_hours, duplicate_hours, duplicate_least_score, country_code,
    version"""


async def desk_rules(statements: Statements) -> DeskRules:
    (row,) = await statements.fetch(f"select {_DESK_RULES} from desk_rules")
    return DeskRules(**row)


async def put_desk_rules(statements: Statements, rules: DeskRules) -> DeskRules:
    """Changes the numbers; a country's code that is left out stays."""
    (row,) = await statements.fetch(
        f"""update desk_rules set version = version + 1, warn_before_minutes = $1, call_closes_after_hours = $2,
               duplicate_hours = $3, duplicate_least_score = $4, country_code = coalesce($5, country_code)
            returning {_DESK_RULES}""",
        rules.warn_before_minutes,
        rules.call_closes_after_hours,
        rules.duplicate_hours,
        rules.duplicate_least_score,
        rules.country_code,
    )
    return DeskRules(**row)
