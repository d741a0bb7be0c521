"""Typical cases over HTTP."""

from dataclasses import dataclass

from fastapi import APIRouter, Response
from pydantic import BaseModel

from chassis.field_types import Body, Line, Prose, Reference
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.sealing import SealedText
from qa.recordings.domain.recording import RecordingNotFound
from qa.routes import ACT_REFUSALS, CHANGE_REFUSALS, LIST_REFUSALS, TEXT_REFUSALS, Id, Wanted, json_of
from qa.typical_cases import store, use_cases
from qa.typical_cases.store import CaseKind, TypicalCase, TypicalCaseNotFound
from work_orders.http import answered
from work_orders.routes import CommandContext, SearchReference
from work_orders.sealing import opening_for

router = APIRouter(prefix="/v1/typical-cases", tags=["typical cases"])


class CaseBody(Body):
    recording_id: Reference
    kind: CaseKind
    title: Line
    lesson: Prose


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseShown(TypicalCase):
    """With its texts decrypted; `sealed_text` gives the reason where a substitute stands in place of a text."""

    sealed_text: SealedText | None = None


class TypicalCasePage(BaseModel):
    items: list[CaseShown]
    next_cursor: str | None


@router.post(
    "",
    status_code=201,
    response_model=CaseShown,
    responses=Responses.of((*ACT_REFUSALS, *TEXT_REFUSALS, RecordingNotFound)),
)
async def collect_case(body: CaseBody, context: CommandContext) -> Response:
    """Keeps a recording for training, with what is to be learnt from it. Listening to it is still an act of its own."""
    command = use_cases.CollectCase(**body.model_dump())
    return await answered(await use_cases.collect_case(command, uow=context.uow), context.request)


@router.get("", response_model=TypicalCasePage, responses=Responses.of(LIST_REFUSALS))
async def list_cases(
    context: Context,
    wanted: Wanted,
    kind: CaseKind | None = None,
    demand_type: SearchReference = None,
    is_in_use: bool | None = True,
) -> Response:
    """Typical cases, latest first; those that were retired with `is_in_use=false`.

    Areas in the token narrow to recordings of calls about their orders, as in the list of recordings.
    """
    areas = context.caller.areas
    page = wanted.page(
        condition=store.IN_AREAS if areas is not None else None,
        values={} if areas is None else {"areas": list(areas)},
        kind=kind,
        demand_type=demand_type,
        is_in_use=is_in_use,
    )
    return json_of(await store.CASES.page(context.db, page, opened=opening_for(context.request).objects))


@router.post(
    "/{case_id}/retire",
    response_model=CaseShown,
    responses=Responses.of((*CHANGE_REFUSALS, TypicalCaseNotFound)),
)
async def retire_case(case_id: Id, context: CommandContext) -> Response:
    """Takes a case out of use."""
    return await answered(await use_cases.retire_case(case_id, uow=context.uow), context.request)
