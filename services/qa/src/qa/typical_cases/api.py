"""Typical cases over HTTP."""

from dataclasses import dataclass

from fastapi import APIRouter, Response
from pydantic import BaseModel

from chassis.desk import Desk
from chassis.problems import Responses
from chassis.texts import Line, Prose, Reference
from contracts.sealing import SealedText
from custody.http import answered
from custody.routes import SearchReference
from custody.sealing import opening_for
from qa.desk import ActDesk
from qa.recordings.domain.recording import RecordingNotFound
from qa.routes import ACT_REFUSALS, CHANGE_REFUSALS, LIST_REFUSALS, TEXT_REFUSALS, Body, Id, Wanted, json_of
from qa.typical_cases import store, use_cases
from qa.typical_cases.store import CaseKind, TypicalCase, TypicalCaseNotFound

router = APIRouter(prefix="/v1/typical-cases", tags=["typical cases"])


class CaseBody(Body):
    recording_id: Reference
    kind: CaseKind
    title: Line
    lesson: Prose


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseShown(TypicalCase):
    """With its texts opened; `sealed_text` says why words stand in the place of one."""

    sealed_text: SealedText | None = None


class CasePage(BaseModel):
    items: list[CaseShown]
    next_cursor: str | None


@router.post(
    "",
    status_code=201,
    response_model=CaseShown,
    responses=Responses.of((*ACT_REFUSALS, *TEXT_REFUSALS, RecordingNotFound)),
)
async def collect_case(body: CaseBody, desk: ActDesk) -> Response:
    """Keeps a recording for training, with what is to be learnt from it. Listening to it is still an act of its own."""
    command = use_cases.CollectCase(**body.model_dump())
    return await answered(await use_cases.collect_case(command, desk=desk), desk.request)


@router.get("", response_model=CasePage, responses=Responses.of(LIST_REFUSALS))
async def list_cases(
    desk: Desk,
    wanted: Wanted,
    kind: CaseKind | None = None,
    demand_type: SearchReference = None,
    is_in_use: bool | None = True,
) -> Response:
    """Typical cases, latest first; those that were retired with `is_in_use=false`.

    Areas in the token narrow to recordings of calls about their orders, as in the list of recordings.
    """
    areas = desk.caller.areas
    page = wanted.page(
        condition=store.OF_RECORDINGS_IN_AREAS if areas is not None else "",
        arguments=(list(areas),) if areas is not None else (),
        kind=kind.value if kind else None,
        demand_type=demand_type,
        is_in_use=is_in_use,
    )
    return json_of(await store.CASES.page(desk.db, page, opening_for(desk.request)))


@router.post(
    "/{case_id}/retire",
    response_model=CaseShown,
    responses=Responses.of((*CHANGE_REFUSALS, TypicalCaseNotFound)),
)
async def retire_case(case_id: Id, desk: ActDesk) -> Response:
    """Takes a case out of use."""
    return await answered(await use_cases.retire_case(case_id, desk=desk), desk.request)
