"""Appeals over HTTP: an agent does not agree with the evaluation of their call."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from chassis.field_types import Body, Prose
from chassis.problems import Responses
from chassis.request_context import Context
from qa.evaluation import store, use_cases, views
from qa.evaluation.api import ANSWER_REFUSALS, HandInBody
from qa.evaluation.domain import appeal as appealing
from qa.evaluation.domain.appeal import AppealState
from qa.evaluation.views import AppealShown
from qa.recordings.store import own_scope
from qa.routes import (
    CHANGE_REFUSALS,
    LIST_REFUSALS,
    TEXT_REFUSALS,
    Id,
    Wanted,
    json_of,
)
from work_orders.http import answered
from work_orders.routes import CommandContext
from work_orders.sealing import opening_for

router = APIRouter(prefix="/v1", tags=["appeals"])


class AppealBody(Body):
    reason: Prose


class DecisionBody(HandInBody):
    """Overturned, with the answers that are right; upheld, without any."""

    is_overturned: bool


class AppealPage(BaseModel):
    items: list[AppealShown]
    next_cursor: str | None


@router.post(
    "/evaluations/{evaluation_id}/appeals",
    status_code=201,
    response_model=AppealShown,
    responses=Responses.of(
        (
            *CHANGE_REFUSALS,
            *TEXT_REFUSALS,
            store.EvaluationNotFound,
            store.EvaluationFormNotFound,
            appealing.NotYourCall,
            appealing.NotTheStandingEvaluation,
            appealing.AppealTooLate,
            appealing.AppealedBefore,
        )
    ),
)
async def appeal_evaluation(evaluation_id: Id, body: AppealBody, context: CommandContext) -> Response:
    """An appeal of the agent of the call, with a reason. `If-Match` is the evaluation's version."""
    return await answered(
        await use_cases.appeal_evaluation(evaluation_id, body.reason, uow=context.uow), context.request
    )


@router.get("/appeals", response_model=AppealPage, responses=Responses.of(LIST_REFUSALS))
async def list_appeals(context: Context, wanted: Wanted, state: AppealState | None = None) -> Response:
    """Appeals, those that must be decided soonest first; an agent finds their own."""
    page = wanted.page(
        condition=views.APPEALS_VISIBLE,
        values=own_scope(context.caller.actor, context.caller.areas),
        state=state,
    )
    return json_of(await store.APPEALS.page(context.db, page, opened=opening_for(context.request).objects))


@router.post(
    "/appeals/{appeal_id}/decide",
    response_model=AppealShown,
    responses=Responses.of(
        (
            *CHANGE_REFUSALS,
            *TEXT_REFUSALS,
            *ANSWER_REFUSALS,
            store.AppealNotFound,
            store.EvaluationNotFound,
            store.ReviewNotFound,
            appealing.AppealAlreadyDecided,
            appealing.JudgeTookPart,
            appealing.OverturnNeedsAnswers,
        )
    ),
)
async def decide_appeal(appeal_id: Id, body: DecisionBody, context: CommandContext) -> Response:
    """A person who took no part in it decides; overturned, the evaluation gets a further revision."""
    decided = await use_cases.decide_appeal(
        appeal_id, body.command(), is_overturned=body.is_overturned, uow=context.uow
    )
    return await answered(decided, context.request)
