"""The live wallboard over HTTP: a snapshot, a stream of them, and the page that shows it."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel, ConfigDict

from chassis.docs_page import policy_of
from chassis.problems import Responses
from chassis.rate_limits import TooManyStreams
from chassis.request_context import Context
from contracts.events import SlaClock
from reporting import wallboard
from reporting.figures.parameters import ZoneName
from reporting.figures.periods import TimeZoneUnknown, check_time_zone
from reporting.figures.views import FiguresNotBuilt
from reporting.wallboard.levels import Level, Measure
from reporting.wallboard.rules_api import WallboardRulesBody
from work_orders.routes import ANY

router = APIRouter(tags=["the wallboard"])
_PAGE = (Path(wallboard.__file__).parent / "page.html").read_bytes()
_POLICY = policy_of(_PAGE.decode())
_REFUSALS = (*ANY, TimeZoneUnknown, FiguresNotBuilt)


class ReaderName(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    en: str
    zh: str


class Queue(BaseModel):
    queue: str | None
    name: ReaderName | None
    """By the rules of reports; None where they name no such queue."""
    waiting: int
    longest_wait_seconds: float
    level: Level


class AgentNow(BaseModel):
    agent_id: str
    name: str
    """The id where the directory does not know the agent."""
    team: str | None
    state: str
    """`on_call` goes before any state that the switch reports."""
    reason: str | None
    """Of a pause, as the switch names it."""
    since: datetime
    seconds: float
    level: Level


class Today(BaseModel):
    value: float | None
    numerator: float
    denominator: float | None


class Calls(BaseModel):
    waiting: int
    longest_wait_seconds: float | None
    queues: list[Queue]
    today: dict[str, Today]
    """Figures since midnight."""
    agents: dict[str, int]
    """How many are in which state; `on_call` goes before any other."""
    silent_agents: int
    """Of whom nothing was heard for longer than `silent_after_seconds` of the rules: they are in no state here."""
    people: list[AgentNow]
    """At most 500, the worst level first."""


class StatusAge(BaseModel):
    status: str
    orders: int
    p50_seconds: float | None
    p90_seconds: float | None


class Backlog(BaseModel):
    orders: int
    p90_seconds: float | None
    statuses: list[StatusAge]


class ClockShown(BaseModel):
    order_id: str
    order_no: str
    clock: SlaClock
    due_at: datetime
    work_area_id: str | None
    work_area: ReaderName | None


class ClockNear(ClockShown):
    seconds_left: float


class ClockOver(ClockShown):
    seconds_over: float


class Limits(BaseModel):
    near_seconds: int
    """A limit is near when it is over within so long."""
    near_limit: int
    over_limit: int
    next: list[ClockNear]
    """Of the clocks that are near, at most 20, by when they are due."""
    over: list[ClockOver]
    """Of the clocks that are over, at most 20, the longest over first."""


class Snapshot(BaseModel):
    id: str
    at: datetime
    time_zone: str
    newest_event_at: datetime | None
    lag_seconds: float | None
    """How long ago the newest event was recorded that is counted here."""
    areas: list[str] | None
    calls: Calls | None
    """None for who sees some work areas only, and for roles to which figures of calls are not open."""
    orders: Backlog
    limits: Limits
    levels: dict[Measure, Level]
    """Of each measure that is shown, by the rules."""
    rules: WallboardRulesBody


async def _viewer(
    context: Context, time_zone: Annotated[ZoneName | None, Query(description="Default: that of the rules.")] = None
) -> wallboard.Viewer:
    if time_zone:
        check_time_zone(time_zone)
    return wallboard.Viewer(context.caller.roles, context.caller.areas, time_zone)


CurrentViewer = Annotated[wallboard.Viewer, Depends(_viewer)]


@router.get("/v1/wallboard", responses=Responses.of(_REFUSALS))
async def get_wallboard(viewer: CurrentViewer, context: Context) -> Snapshot:
    """How things stand at this moment, within the caller's role and work areas."""
    return Snapshot.model_validate(await wallboard.snapshot(context.db, viewer, context.clock.now()))


@router.get(
    "/v1/wallboard/stream",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Events `snapshot`, each a whole `Snapshot`.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **Responses.of((*_REFUSALS, TooManyStreams)),
    },
)
async def get_wallboard_stream(
    viewer: CurrentViewer, context: Context, last_event_id: Annotated[str | None, Header(max_length=100)] = None
) -> StreamingResponse:
    """The wallboard as server-sent events: a snapshot at each change and every five seconds; it ends with the token."""
    await wallboard.snapshot(context.db, viewer, context.clock.now())  # what is refused is refused before it begins
    context.hold_stream()
    snapshots = wallboard.events(
        lambda: wallboard.snapshot(context.db, viewer, context.clock.now()),
        after=last_event_id,
        wakeup=context.wakeup,
        may_go_on=context.may_go_on,
    )
    return EventSourceResponse(snapshots, headers={"x-accel-buffering": "no"})


@router.get("/wallboard", response_class=Response, include_in_schema=False)
async def get_page() -> Response:
    """The page: it has no data of its own and asks for a token. A token can be handed over as `#token=…`."""
    return Response(_PAGE, media_type="text/html; charset=utf-8", headers={"content-security-policy": _POLICY})
