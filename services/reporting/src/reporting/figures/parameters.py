"""`as_of`, as every route takes it: a past moment, because what will be known at a later one is not known yet."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query

from chassis.field_types import Moment
from chassis.request_context import Context
from contracts.refusals import Invalid


class AsOfInFuture(Invalid):
    """as_of {as_of} lies in the future: it is {now} here; send a past moment, or leave it out."""

    zh = "as_of {as_of} 在未来：本系统当前时间为 {now}；请使用过去的时间或省略该参数。"


async def _as_of(
    context: Context,
    as_of: Annotated[Moment | None, Query(description="As it was known at that moment, which is not ahead.")] = None,
) -> datetime | None:
    """Raises `AsOfInFuture`."""
    now = context.clock.now()
    if as_of is not None and as_of > now:
        raise AsOfInFuture(as_of=as_of.isoformat(), now=now.isoformat(timespec="seconds"))
    return as_of


AsOf = Annotated[datetime | None, Depends(_as_of)]
"""What was recorded by then; None: everything that was read."""
