"""How long people's data are kept, which subscribers erasing by age would erase, and what it has done."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from chassis.field_types import Body
from chassis.paging import CursorBroken, from_cursor, page_of
from chassis.problems import Responses
from chassis.request_context import Context
from intake.privacy import activity_store, store
from intake.privacy.domain import HIGHEST_COUNT, DataClass
from intake.privacy.retention import set_retention
from intake.subscribers.domain import mask_name
from work_orders.routes import ANY, Cursor, Limit

router = APIRouter(prefix="/v1", tags=["people's data"])

_LONGEST_DAYS = 36_500


class KeepDays(Body):
    keep_days: int = Field(ge=1, le=_LONGEST_DAYS)
    is_active: bool | None = Field(
        None,
        description="Whether the daily run goes by the rule; left out: as it was. For `subscribers` it is off as"
        " shipped: look at `/v1/retention-rules/subscribers/due` before switching it on.",
    )


class RetentionRule(BaseModel):
    data_class: DataClass
    keep_days: int
    is_active: bool = Field(description="Whether the daily run goes by it.")
    changed_by: str | None = Field(description="None: as shipped.")
    changed_at: datetime | None


class RetentionRules(BaseModel):
    items: list[RetentionRule]


class DueSubscriber(BaseModel):
    subscriber_id: str
    subscriber_no: str
    name: str = Field(description="Masked.")
    last_activity: str = Field(
        description="What happened last with them: subscriber (their data were changed), work_order, request, link,"
        " call, case, referral, follow_up, reveal or legal_hold."
    )
    last_activity_at: datetime
    due_at: datetime = Field(description="Since when they have been kept long enough.")


class DuePage(BaseModel):
    items: list[DueSubscriber]
    next_cursor: str | None
    count: int = Field(description=f"How many are due at this moment; counted up to {HIGHEST_COUNT}.")
    keep_days: int
    is_active: bool = Field(description="Whether the next daily run erases them.")


class RetentionRun(BaseModel):
    run_on: date
    finished_at: datetime
    is_erasing: bool | None = Field(description="Whether erasing subscribers by age was on; None: not recorded then.")
    subscribers_due: int | None = Field(description=f"How many subscribers were due, counted up to {HIGHEST_COUNT}.")
    subscribers_erased: int
    reveals_deleted: int
    callers_forgotten: int
    keys_wrapped_anew: int


class RetentionRunPage(BaseModel):
    items: list[RetentionRun]
    next_cursor: str | None


@router.get("/retention-rules", responses=Responses.of(ANY))
async def list_retention_rules(context: Context) -> RetentionRules:
    """How many days each class of people's data is kept, and whether it goes afterwards."""
    async with context.db.statements() as statements:
        settings = await store.retention_settings(statements)
    return RetentionRules.model_validate({"items": [*settings.values()]}, from_attributes=True)


@router.put("/retention-rules/{data_class}", responses=Responses.of(ANY))
async def set_retention_rule(data_class: DataClass, body: KeepDays, context: Context) -> RetentionRule:
    """Sets how long a class of people's data is kept, and whether it goes then; the next daily run goes by it."""
    setting = await set_retention(data_class, body.keep_days, body.is_active, uow=context.uow)
    return RetentionRule.model_validate(setting, from_attributes=True)


@router.get("/retention-rules/subscribers/due", responses=Responses.of((*ANY, CursorBroken)))
async def list_due_subscribers(
    context: Context,
    keep_days: Annotated[
        int | None, Query(ge=1, le=_LONGEST_DAYS, description="As if so many days were set; nothing is changed.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> DuePage:
    """The subscribers that erasing by age would erase if it ran now, whether or not it is switched on; by their ids.

    Everything that concerns a subscriber counts as activity. A subscriber with an open order, question or promise, or
    on legal hold, is never among them.
    """
    (after,) = from_cursor("due-subscribers", cursor, str) if cursor else ("",)
    async with context.db.statements() as statements:
        setting = (await store.retention_settings(statements))[DataClass.SUBSCRIBERS]
        setting = replace(setting, keep_days=keep_days or setting.keep_days)
        since = setting.kept_since(context.clock.now())
        rows = await activity_store.due_subscribers(statements, since, after=after, limit=limit + 1)
        count = await activity_store.count_due_subscribers(statements, since, highest=HIGHEST_COUNT)
    shown, next_cursor = page_of("due-subscribers", rows, limit, lambda row: (row["id"],))
    items = [
        DueSubscriber(
            subscriber_id=row["id"],
            subscriber_no=row["subscriber_no"],
            name=mask_name(row["name"]),
            last_activity=row["kind"],
            last_activity_at=row["at"],
            due_at=row["at"] + timedelta(days=setting.keep_days),
        )
        for row in shown
    ]
    about = {"keep_days": setting.keep_days, "is_active": setting.is_active}
    return DuePage(items=items, next_cursor=next_cursor, count=count, **about)


def _day_of(cursor: str) -> date:
    (text,) = from_cursor("retention-runs", cursor, str)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CursorBroken() from error


@router.get("/retention-runs", responses=Responses.of((*ANY, CursorBroken)))
async def list_retention_runs(context: Context, cursor: Cursor = None, limit: Limit = 50) -> RetentionRunPage:
    """What each daily run has done, latest first."""
    before = _day_of(cursor) if cursor else None
    async with context.db.statements() as statements:
        rows = await store.retention_runs(statements, before=before, limit=limit + 1)
    shown, next_cursor = page_of("retention-runs", rows, limit, lambda row: (row["run_on"].isoformat(),))
    return RetentionRunPage(items=[RetentionRun.model_validate(dict(row)) for row in shown], next_cursor=next_cursor)
