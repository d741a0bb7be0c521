"""Publishing over HTTP, for operators: pause it, resume it, see whether a relay is active."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from chassis.any_route import ANY
from chassis.problems import Responses
from chassis.recovery import pause
from chassis.request_context import Context

router = APIRouter(prefix="/v1/publishing", tags=["publishing"])


class Rest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rest_seconds: Annotated[int, Field(ge=0, le=600, description="From now on; 0 lets it go on.")]


class Publishing(BaseModel):
    rests_until: datetime | None
    relays_at_work: int = Field(description="0: nothing of this service is on its way to Kafka.")


@router.get("", responses=Responses.of(ANY))
async def inspect_publishing(context: Context) -> Publishing:
    """Until when publishing rests, if it does, and how many relays are at work."""
    async with context.db.statements() as statements:
        until, relays = await pause.pause_state(statements)
    return Publishing(rests_until=until, relays_at_work=relays)


@router.put("", responses=Responses.of(ANY))
async def let_publishing_rest(context: Context, body: Rest) -> Publishing:
    """Lets publishing rest. Acts are taken meanwhile and wait in the outbox; it goes on by itself afterwards."""
    async with context.db.statements() as statements:
        await pause.pause(statements, body.rest_seconds, by=context.caller.sub)
        until, relays = await pause.pause_state(statements)
    return Publishing(rests_until=until, relays_at_work=relays)
