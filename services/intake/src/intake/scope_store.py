"""What a caller with work areas sees of calls, and of the orders that other records name.

A call has no area of its own. A token with areas sees the calls that led to orders of those areas, and the calls
that the caller had on the line; cases, referrals and article uses follow their call. The area of an order is read
with each request, never copied: an order that moves takes its calls along.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from chassis.database import Statements
from chassis.request_context import RequestContext
from chassis.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Scope:
    """The caller and their work areas; None is every area."""

    sub: str
    areas: tuple[str, ...] | None = None

    @classmethod
    def of(cls, uow: UnitOfWork) -> Self:
        """What the actor of a command may see."""
        return cls(uow.actor.sub, uow.areas)

    @property
    def area_list(self) -> list[str] | None:
        """The areas as a query parameter."""
        return None if self.areas is None else list(self.areas)


def scope_of(context: RequestContext) -> Scope:
    return Scope(context.caller.sub, context.caller.areas)


def led_to_areas(areas: str) -> str:
    """SQL: the ids of the calls that led to an order of these areas.

    As a subquery of `in`, so that PostgreSQL may begin with the orders of a small area or with the latest calls.
    """
    return f"""select settlements.call_id from settlements join work_orders on work_orders.id = settlements.order_id
        where work_orders.work_area_id = any({areas}::text[])"""


def sees_call(sub: str, areas: str) -> str:
    """SQL: whether a caller with these areas sees the row of `calls`; the arguments are two of its parameters."""
    return f"""({areas}::text[] is null or calls.agent_id = {sub} or calls.earlier_agent_ids @> array[{sub}::text]
        or exists (select from settlements join work_orders on work_orders.id = settlements.order_id
                   where settlements.call_id = calls.id and work_orders.work_area_id = any({areas}::text[])))"""


async def visible_orders(statements: Statements, ids: Iterable[str | None], scope: Scope) -> frozenset[str]:
    """Those of the orders whose ids may be shown: of the caller's areas, or of none yet and created by the caller."""
    wanted = sorted({order_id for order_id in ids if order_id is not None})
    if scope.areas is None or not wanted:
        return frozenset(wanted)
    rows = await statements.fetch(
        """select id from work_orders where id = any($1) and (work_area_id = any($2)
               or work_area_id is null and body #>> '{created,by,sub}' = $3)""",
        wanted,
        scope.area_list,
        scope.sub,
    )
    return frozenset(row["id"] for row in rows)
