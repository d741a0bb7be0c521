"""Parameters and rules as every route of figures takes them."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query
from pydantic import Field

from chassis.field_types import Moment
from chassis.request_context import Context
from contracts.refusals import Invalid
from reporting.figures.rules import FigureRules
from reporting.figures.rules_store import get_figure_rules

ThresholdSeconds = Annotated[int, Field(ge=0, le=86_400, description="Y of a service level.")]
ShortSeconds = Annotated[int, Field(ge=0, le=86_400, description="A short abandon is at most so long.")]
NearSeconds = Annotated[int, Field(ge=0, le=8_640_000, description="A limit is near when it is over within so long.")]
SilentAfterSeconds = Annotated[
    int, Field(ge=300, le=86_400, description="An agent of whom nothing was heard for longer counts nowhere.")
]
ThreeRingsSeconds = Annotated[int, Field(ge=1, le=300, description="How long three rings last.")]
ZoneName = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$", description="Such as Asia/Shanghai.")]


class AsOfInFuture(Invalid):
    """as_of {as_of:time} is in the future (now: {now:time}); send a past time or omit it."""

    zh = "as_of {as_of:time}在未来：本系统当前时间为 {now:time}；请使用过去的时间或省略该参数。"


async def _as_of(
    context: Context,
    as_of: Annotated[Moment | None, Query(description="As it was known at that moment, which is not ahead.")] = None,
) -> datetime | None:
    """A past moment, because what will be known at a later one is not known yet. Raises `AsOfInFuture`."""
    now = context.clock.now()
    if as_of is not None and as_of > now:
        raise AsOfInFuture(as_of=as_of.isoformat(), now=now.isoformat(timespec="seconds"))
    return as_of


AsOf = Annotated[datetime | None, Depends(_as_of)]
"""What was recorded by then; None: everything that was read."""


async def _present_rules(context: Context) -> FigureRules:
    async with context.db.statements() as statements:
        return await get_figure_rules(statements)


PresentRules = Annotated[FigureRules, Depends(_present_rules)]
"""The rules as they are at this request."""
