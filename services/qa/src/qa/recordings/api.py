"""Recordings over HTTP: found by the facts of their calls; opened for a purpose, which is recorded."""

from datetime import datetime
from functools import partial

import msgspec
from fastapi import APIRouter, Response
from pydantic import BaseModel

from chassis.field_types import Body, Prose
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.quality import ListeningPurpose
from contracts.sealing import SealedText
from qa.recordings import store, use_cases
from qa.recordings.domain.recording import Recording, RecordingNotFound
from qa.recordings.use_cases import OpenRecording, RecordingReference
from qa.routes import ACT_REFUSALS, ANY, LIST_REFUSALS, TEXT_REFUSALS, NameOfSwitch, Wanted, json_of
from qa.scope import narrowed, narrowed_object
from work_orders.routes import CommandContext, SearchReference, SearchText
from work_orders.sealing import opening_for

router = APIRouter(prefix="/v1/recordings", tags=["recordings"])


class RecordingPage(BaseModel):
    items: list[Recording]
    next_cursor: str | None


class OpenBody(Body):
    purpose: ListeningPurpose
    note: Prose | None = None


class RecordingOpening(BaseModel):
    opened_by: str
    opened_at: datetime
    purpose: ListeningPurpose
    note: str
    sealed_text: SealedText | None = None


class Openings(BaseModel):
    items: list[RecordingOpening]


@router.get("", response_model=RecordingPage, responses=Responses.of(LIST_REFUSALS))
async def list_recordings(
    context: Context,
    wanted: Wanted,
    agent_id: SearchReference = None,
    team: SearchText = None,
    queue: SearchText = None,
    channel: SearchText = None,
    demand_type: SearchReference = None,
    call_id: SearchReference = None,
) -> Response:
    """Recordings, latest first. An agent finds their own; areas in the token narrow to calls about their orders."""
    areas, own = context.caller.areas, store.own_only(context.caller.actor)
    page = wanted.page(
        condition=store.IN_AREAS if areas is not None else None,
        values={} if areas is None else {"areas": list(areas)},
        agent_id=(agent_id,) if own is None and agent_id else None if own is None else _both(own, agent_id),
        team=team,
        queue=queue,
        channel=channel,
        demand_type=demand_type,
        call_id=call_id,
    )
    return json_of(await store.RECORDINGS.page(context.db, page, narrow=partial(narrowed, areas=areas)))


def _both(own: str, agent_id: str | None) -> tuple[str, ...]:
    """An agent who asks for another agent's recordings gets none."""
    return (own,) if agent_id in (None, own) else ()


@router.post(
    "/{recording_id:path}/open",
    status_code=201,
    response_model=RecordingReference,
    responses=Responses.of((*ACT_REFUSALS, *TEXT_REFUSALS, RecordingNotFound)),
)
async def open_recording(recording_id: NameOfSwitch, body: OpenBody, context: CommandContext) -> Response:
    """Where it can be listened to. Who got it, when and for which purpose is recorded and published."""
    command = OpenRecording(
        recording_id=recording_id,
        purpose=body.purpose,
        note=body.note or "",
    )
    return (
        await use_cases.open_recording(command, recordings_url=context.settings.recordings_url, uow=context.uow)
    ).response()


@router.get("/{recording_id:path}/openings", responses=Responses.of((*ANY, RecordingNotFound)))
async def list_openings(recording_id: NameOfSwitch, context: Context) -> Openings:
    """Who has opened it and what for, latest first."""
    async with context.db.statements() as statements:
        await store.get_visible(statements, recording_id, context.caller.actor, context.caller.areas)
    rows = await store.openings(context.db, recording_id)
    items = await opening_for(context.request).things([(recording_id, dict(row)) for row in rows])
    return Openings.model_validate({"items": items})


# Last, because the name in its path may be anything.
@router.get("/{recording_id:path}", response_model=Recording, responses=Responses.of((*ANY, RecordingNotFound)))
async def get_recording(recording_id: NameOfSwitch, context: Context) -> Response:
    """The facts of one recording; to listen to it, open it."""
    async with context.db.statements() as statements:
        found = await store.get_visible(statements, recording_id, context.caller.actor, context.caller.areas)
    return json_of(await narrowed_object(context.db, msgspec.json.encode(found), context.caller.areas))
