"""Rebuilds of the projections over HTTP, for operators."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict

from chassis.problems import Responses
from chassis.request_context import Context
from reporting.rebuilds import store, use_cases
from reporting.rebuilds.domain import RebuildDiffers, RebuildNotFound, RebuildNotReady, RebuildUnderWay
from work_orders.routes import ANY

RebuildId = Annotated[int, Path(ge=1, le=2**62)]

router = APIRouter(prefix="/v1/rebuilds", tags=["rebuilds"])


class Difference(BaseModel):
    table: str
    order_id: str
    shown: dict[str, Any] | None
    rebuilt: dict[str, Any] | None


class Rebuild(BaseModel):
    id: int
    state: Literal["building", "catching_up", "comparing", "ready", "switched", "superseded", "failed"]
    asked_by: str
    asked_at: datetime
    order_count: int
    done_count: int
    difference_count: int | None
    """Rows that are not the same in both sets; None until they were compared."""
    differences: list[Difference]
    """The first of them."""
    failure: str | None
    finished_at: datetime | None
    switched_by: str | None
    switched_at: datetime | None


class Rebuilds(BaseModel):
    items: list[Rebuild]


class Switch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    accepts_differences: bool = False


def _shown(row: Any) -> Rebuild:
    return Rebuild.model_validate({**dict(row), "differences": json.loads(row["differences"] or "[]")})


@router.post("", status_code=202, responses=Responses.of((*ANY, RebuildUnderWay)))
async def start_rebuild(context: Context) -> Rebuild:
    """Rebuilds the projections from the record beside the ones that are shown; a worker does it."""
    return _shown(await use_cases.request_rebuild(uow=context.uow))


@router.get("", responses=Responses.of(ANY))
async def get_rebuilds(context: Context, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Rebuilds:
    """The latest rebuilds, newest first."""
    async with context.db.statements() as statements:
        return Rebuilds(items=[_shown(row) for row in await store.rebuilds(statements, limit=limit)])


@router.get("/{rebuild_id}", responses=Responses.of((*ANY, RebuildNotFound)))
async def get_rebuild(rebuild_id: RebuildId, context: Context) -> Rebuild:
    """How far it is, and what differs. Once `ready` it is kept up with the stream until it is switched to."""
    async with context.db.statements() as statements:
        return _shown(await store.get_rebuild(statements, rebuild_id))


@router.post("/{rebuild_id}/switch", responses=Responses.of((*ANY, RebuildNotFound, RebuildNotReady, RebuildDiffers)))
async def switch_to_rebuild(rebuild_id: RebuildId, context: Context, body: Switch) -> Rebuild:
    """Switches all readers to the rebuilt projections at once. Differences must be accepted."""
    return _shown(
        await use_cases.switch_to_rebuild(rebuild_id, accepts_differences=body.accepts_differences, uow=context.uow)
    )
