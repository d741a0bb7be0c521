"""Calibration over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from chassis.field_types import Body, Code, Line, Reference
from chassis.problems import Responses
from chassis.request_context import Context
from qa.calibration import store, use_cases
from qa.calibration.domain import session as calibrating
from qa.calibration.domain.session import CalibrationSession, SessionState
from qa.calibration.store import CalibrationSessionNotFound
from qa.evaluation.api import ANSWER_REFUSALS, AnswerBody
from qa.evaluation.domain.evaluation import OwnCall
from qa.evaluation.store import EvaluationFormNotFound
from qa.recordings.domain.recording import RecordingNotFound
from qa.routes import ACT_REFUSALS, ANY, CHANGE_REFUSALS, LIST_REFUSALS, Id, Wanted
from work_orders.routes import CommandContext

router = APIRouter(prefix="/v1/calibration-sessions", tags=["calibration"])


class SessionBody(Body):
    name: Line
    form_id: Code
    recording_ids: Annotated[list[Reference], Field(min_length=1, max_length=50)]
    auditor_ids: Annotated[list[Reference], Field(min_length=2, max_length=50)]


class ScoreBody(Body):
    recording_id: Reference
    answers: Annotated[list[AnswerBody], Field(max_length=500)]


class SessionSummary(BaseModel):
    id: str
    version: int
    name: str
    form: str
    state: SessionState
    auditor_ids: list[str]
    recording_ids: list[str]


class SessionPage(BaseModel):
    items: list[SessionSummary]
    next_cursor: str | None


@router.post(
    "",
    status_code=201,
    response_model=CalibrationSession,
    responses=Responses.of((*ACT_REFUSALS, EvaluationFormNotFound, RecordingNotFound, calibrating.NamedTwiceInSession)),
)
async def open_session(body: SessionBody, context: CommandContext) -> Response:
    """Some recordings that some auditors score apart, on the latest version of a form."""
    command = use_cases.OpenSession(
        name=body.name,
        form_id=body.form_id,
        recording_ids=tuple(body.recording_ids),
        auditor_ids=tuple(body.auditor_ids),
    )
    return (await use_cases.open_session(command, uow=context.uow)).response()


@router.get("", responses=Responses.of(LIST_REFUSALS))
async def list_sessions(context: Context, wanted: Wanted, state: SessionState | None = None) -> SessionPage:
    """Sessions, latest first, without scores."""
    page = await store.SESSIONS.page(context.db, wanted.page(state=state))
    return SessionPage.model_validate_json(page)


@router.get("/{session_id}", responses=Responses.of((*ANY, CalibrationSessionNotFound)))
async def get_session(session_id: Id, context: Context) -> CalibrationSession:
    """A session; while it is open with the caller's own scores only, closed with all scores and the agreement."""
    async with context.db.statements() as statements:
        session = await store.SESSIONS.get(statements, session_id)
    return session.seen_by(context.caller.sub)


@router.post(
    "/{session_id}/scores",
    response_model=CalibrationSession,
    responses=Responses.of(
        (
            *ACT_REFUSALS,
            *ANSWER_REFUSALS,
            CalibrationSessionNotFound,
            calibrating.SessionClosed,
            calibrating.NotInSession,
            calibrating.RecordingNotInSession,
            calibrating.ScoredBefore,
            OwnCall,
        )
    ),
)
async def give_score(session_id: Id, body: ScoreBody, context: CommandContext) -> Response:
    """The caller's answers for one of the recordings, once."""
    answers = [one.answer() for one in body.answers]
    return (await use_cases.give_score(session_id, body.recording_id, answers, uow=context.uow)).response()


@router.post(
    "/{session_id}/close",
    response_model=CalibrationSession,
    responses=Responses.of(
        (
            *CHANGE_REFUSALS,
            CalibrationSessionNotFound,
            EvaluationFormNotFound,
            calibrating.SessionClosed,
            calibrating.ScoresMissing,
        )
    ),
)
async def close_session(session_id: Id, context: CommandContext) -> Response:
    """Shows all scores to all auditors, with agreement and kappa, once every auditor has scored every recording."""
    return (await use_cases.close_session(session_id, uow=context.uow)).response()
