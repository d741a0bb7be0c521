"""Typical cases over HTTP."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from chassis.desk import Desk
from chassis.problems import Responses
from chassis.texts import Line, Prose
from custody.routes import SearchText
from qa.desk import ActDesk
from qa.recordings.domain.recording import RecordingNotFound
from qa.routes import ACT_REFUSALS, CHANGE_REFUSALS, LIST_REFUSALS, Body, Id, Wanted, json_of
from qa.typical_cases import store, use_cases
from qa.typical_cases.store import CaseKind, TypicalCase, TypicalCaseNotFound

router = APIRouter(prefix="/v1/typical-cases", tags=["typical cases"])


class CaseBody(Body):
    recording_id: Line
    kind: CaseKind
    title: Line
    lesson: Prose


class CasePage(BaseModel):
    items: list[TypicalCase]
    next_cursor: str | None


@router.post(
    "", status_code=201, response_model=TypicalCase, responses=Responses.of((*ACT_REFUSALS, RecordingNotFound))
)
async def collect_case(body: CaseBody, desk: ActDesk) -> Response:
    """Keeps a recording for training, with what is to be learnt from it. Listening to it is still an act of its own."""
    command = use_cases.CollectCase(**body.model_dump())
    return (await use_cases.collect_case(command, desk=desk)).response()


@router.get("", response_model=CasePage, responses=Responses.of(LIST_REFUSALS))
async def list_cases(
    desk: Desk,
    wanted: Wanted,
    kind: CaseKind | None = None,
    demand_type: SearchText = None,
    is_in_use: bool | None = True,
) -> Response:
    """Typical cases, latest first; those that were retired with `is_in_use=false`."""
    page = wanted.page(kind=kind.value if kind else None, demand_type=demand_type, is_in_use=is_in_use)
    return json_of(await store.CASES.page(desk.db, page))


@router.post(
    "/{case_id}/retire",
    response_model=TypicalCase,
    responses=Responses.of((*CHANGE_REFUSALS, TypicalCaseNotFound)),
)
async def retire_case(case_id: Id, desk: ActDesk) -> Response:
    """Takes a case out of use."""
    return (await use_cases.retire_case(case_id, desk=desk)).response()
