"""What the routes of quality have in common beside those of orders."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Response
from pydantic import AfterValidator, Field

from chassis.any_route import ANY
from chassis.commands import IdempotencyKeyBroken, IdempotencyKeyReused
from chassis.document_store import Condition, PageRequest
from chassis.field_errors import InvalidValue
from chassis.field_types import Moment
from chassis.paging import CursorBroken
from chassis.problems import VersionRequired
from chassis.unit_of_work import ThingChanged
from contracts.time_zones import time_zones
from work_orders.routes import Cursor, Limit
from work_orders.sealing_keys import SealingKeyNotArrived, SubscriberErased

LIST_REFUSALS = (*ANY, CursorBroken)
ACT_REFUSALS = (*ANY, IdempotencyKeyBroken, IdempotencyKeyReused)
CHANGE_REFUSALS = (*ACT_REFUSALS, ThingChanged, VersionRequired)
TEXT_REFUSALS = (SealingKeyNotArrived, SubscriberErased)
"""Of an act on something that has a version; `TEXT_REFUSALS` are those of one that takes a free text."""

Id = Annotated[str, Path(max_length=200, pattern=r"^[A-Za-z0-9._:@-]+$", description="Its id.")]
_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
NameOfSwitch = Annotated[
    str, Path(min_length=1, max_length=200, pattern=_PRINTABLE, description="As its switch named it.")
]
"""The id of a recording: any text of one line, with slashes too, so that its routes say `{recording_id:path}`."""
Ref = Annotated[str, Query(min_length=1, max_length=200, pattern=_PRINTABLE)]


def _known_zone(name: str) -> str:
    if name not in time_zones():
        raise InvalidValue(
            "the time zone is not one of the IANA database, such as Asia/Shanghai",
            "没有此时区；请使用如 Asia/Shanghai 的名称",
        )
    return name


Zone = Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 1, 1))]
From = Annotated[Moment | None, Query(alias="from", description="From this moment on.")]
To = Annotated[Moment | None, Query(alias="to", description="Before this moment.")]


def json_of(body: bytes) -> Response:
    return Response(body, media_type="application/json")


class PageWanted:
    """Which page of a list, within which time."""

    def __init__(self, cursor: Cursor = None, limit: Limit = 50, from_: From = None, to: To = None) -> None:
        self.cursor, self.limit, self.from_, self.to = cursor, limit, from_, to

    def page(
        self, *, condition: Condition | None = None, values: Mapping[str, Any] | None = None, **equal: Any
    ) -> PageRequest:
        return PageRequest(
            cursor=self.cursor,
            limit=self.limit,
            equal=equal,
            sorted_from=self.from_,
            sorted_before=self.to,
            condition=condition,
            values=values or {},
        )


Wanted = Annotated[PageWanted, Depends()]
