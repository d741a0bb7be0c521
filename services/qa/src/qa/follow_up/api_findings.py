"""Findings over HTTP: what follow-ups showed, and how it was dealt with."""

from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter, Response
from pydantic import BaseModel

from chassis.field_types import Body, Code, Prose
from chassis.problems import Responses
from chassis.request_context import Context
from contracts.quality import FindingKind
from contracts.sealing import SealedText
from qa.follow_up import intake_client, store, use_cases
from qa.follow_up.domain import follow_up as following
from qa.follow_up.domain.follow_up import Finding, FindingState
from qa.follow_up.intake_client import IntakeClient
from qa.routes import CHANGE_REFUSALS, LIST_REFUSALS, TEXT_REFUSALS, Id, Ref, Wanted, json_of
from qa.scope import answered, narrowed
from work_orders.routes import CommandContext
from work_orders.sealing import opening_for

router = APIRouter(prefix="/v1/findings", tags=["findings"])

CLOSE_REFUSALS = (*CHANGE_REFUSALS, *TEXT_REFUSALS, store.FindingNotFound, following.FindingAlreadyClosed)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingShown(Finding):
    """With its remark decrypted; `sealed_text` gives the reason where a substitute stands in its place."""

    sealed_text: SealedText | None = None


class FindingPage(BaseModel):
    items: list[FindingShown]
    next_cursor: str | None


class CloseBody(Body):
    remark: Prose


class OpenOrderBody(Body):
    device_type: Code
    demand_type: Code
    content: Prose


@router.get("", response_model=FindingPage, responses=Responses.of(LIST_REFUSALS))
async def list_findings(
    context: Context,
    wanted: Wanted,
    project_id: Ref | None = None,
    kind: FindingKind | None = None,
    state: FindingState | None = None,
) -> Response:
    """Risks and dissatisfaction, latest first; `open` findings wait to be dealt with."""
    areas = context.caller.areas
    page = wanted.page(
        condition=None if areas is None else store.FINDINGS_IN_AREAS,
        values={} if areas is None else {"areas": list(areas)},
        project_id=project_id,
        kind=kind,
        state=state,
    )
    opening, narrow = opening_for(context.request), partial(narrowed, areas=areas)
    return json_of(await store.FINDINGS.page(context.db, page, narrow=narrow, opened=opening.objects))


@router.post("/{finding_id}/close", response_model=FindingShown, responses=Responses.of(CLOSE_REFUSALS))
async def close_finding(finding_id: Id, body: CloseBody, context: CommandContext) -> Response:
    """Closes a finding that was handled without a work order; the remark describes how."""
    answer = await use_cases.close_finding(
        finding_id,
        order_id=None,
        remark=body.remark,
        uow=context.uow,
    )
    return await answered(answer, context.request)


@router.post(
    "/{finding_id}/open-order",
    response_model=FindingShown,
    responses=Responses.of((*CLOSE_REFUSALS, intake_client.IntakeAway, intake_client.OrderNotOpened)),
)
async def open_order(finding_id: Id, body: OpenOrderBody, context: CommandContext) -> Response:
    """A work order for the finding, created at intake as the caller, and the finding closed by it.

    The order is there before the finding is closed. Should the answer get lost in between, the same request finds
    the order again instead of creating another.
    """
    found = await use_cases.finding_to_close(finding_id, uow=context.uow)
    wanted = intake_client.OrderWanted(device_type=body.device_type, demand_type=body.demand_type, content=body.content)
    order_id = await IntakeClient.of(context).open_order(found, wanted)
    answer = await use_cases.close_finding(
        finding_id,
        order_id=order_id,
        remark="",
        uow=context.uow,
    )
    return await answered(answer, context.request)
