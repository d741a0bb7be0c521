"""The clocks of orders as answers show them, beside what is stored of the orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from fastapi import Request

from chassis.clock import Clock
from chassis.database import Database
from contracts.events import SlaClock
from contracts.order import WorkOrder
from work_orders.sla_clocks import ClockState, Phase, RuleSets, clocks_of
from work_orders.time_limits import KnownRuleSets

_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderClock:
    """One clock of an order 计时 at the moment of the answer. `limit_seconds` is `used_seconds` and `left_seconds`."""

    clock: SlaClock
    phase: Phase
    began_at: datetime
    limit_seconds: int
    """With extensions, in the time that counts: around the clock or working time."""
    used_seconds: int
    left_seconds: int
    """Below zero once the limit is over."""
    due_at: datetime | None
    """When the limit is over, or was; null while the clock rests, and of one that stopped before."""
    stopped_at: datetime | None = None
    is_in_time: bool | None = None
    """Whether it stopped within its limit; null while it has not stopped."""
    paused_since: datetime | None = None
    paused_until: datetime | None = None
    paused_reason: str | None = None
    rules_version: int
    """The set of time limits that judges the order; 0 is what was shipped."""
    covered_until: date | None = None
    """Until when the days off of the calendar are known, where working time counts and they are known at all."""


class ShownClocks:
    """Adds the clocks to orders, for one answer."""

    def __init__(self, db: Database, limits: KnownRuleSets, clock: Clock) -> None:
        self._db = db
        self._limits = limits
        self._clock = clock

    async def beside(self, orders: Sequence[tuple[WorkOrder, str]]) -> list[str]:
        """The JSON of each order with the member `clocks`; texts in it are sealed like those of the order."""
        sets, now = await self._limits.present(self._db), self._clock.now()
        return [_with_clocks(body, shown_clocks(order, sets, at=now)) for order, body in orders]


def clocks_for(request: Request) -> ShownClocks:
    state = request.app.state
    return ShownClocks(state.db, state.time_limits, state.clock)


def shown_clocks(order: WorkOrder, sets: RuleSets, *, at: datetime) -> list[OrderClock]:
    return [_shown(order, state) for state in clocks_of(order, sets, at=at)]


def _with_clocks(body: str, clocks: Sequence[OrderClock]) -> str:
    return f'{body[:-1]},"clocks":{msgspec.json.encode(clocks).decode()}}}'


def _shown(order: WorkOrder, state: ClockState) -> OrderClock:
    limit, used = state.limit.us // _SECOND_US, state.used_us // _SECOND_US
    suspension = order.suspension if state.phase is Phase.PAUSED else None
    return OrderClock(
        clock=state.clock,
        phase=state.phase,
        began_at=state.began_at,
        limit_seconds=limit,
        used_seconds=used,
        left_seconds=limit - used,
        due_at=state.due_at,
        stopped_at=state.stopped_at,
        is_in_time=state.is_in_time,
        paused_since=suspension.suspended.at if suspension else None,
        paused_until=suspension.until if suspension else None,
        paused_reason=suspension.reason if suspension else None,
        rules_version=state.rules_version,
        covered_until=state.limit.covered_until,
    )
